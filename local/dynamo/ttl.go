package dynamo

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sweepEvery is how often expired items are looked for. AWS promises a few
// days; people at a laptop wait for seconds.
const sweepEvery = 5 * time.Second

// A Sweeper deletes the expired items of tables whose TTL is on, as DynamoDB
// does in the background: their stream records carry the userIdentity of the
// service. Dynoxide has the setting but deletes nothing by itself.
type Sweeper struct {
	client  *dynamodb.Client
	now     func() time.Time
	log     *slog.Logger
	expired *expiries

	mu     sync.Mutex
	tables map[string]sweep
}

type sweep struct {
	attribute string
	keys      []string // the attribute names of the primary key
}

// NewSweeper returns a sweeper whose deletes the front tells apart from those
// of others. client must be a client of this front.
func (f *Front) NewSweeper(client *dynamodb.Client, now func() time.Time, log *slog.Logger) *Sweeper {
	return &Sweeper{client: client, now: now, log: log, expired: f.expired, tables: map[string]sweep{}}
}

// Watch sweeps table from now on, by the TTL attribute that is named; an empty
// attribute ends it. keys are the names of the primary key's attributes.
func (s *Sweeper) Watch(table, attribute string, keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if attribute == "" {
		delete(s.tables, table)
		return
	}
	s.tables[table] = sweep{attribute: attribute, keys: keys}
}

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Sweep(ctx)
		}
	}
}

// Sweep deletes what has expired in every watched table.
func (s *Sweeper) Sweep(ctx context.Context) {
	s.mu.Lock()
	tables := maps.Clone(s.tables)
	s.mu.Unlock()
	for name, t := range tables {
		err := s.sweepTable(ctx, name, t)
		var deleted *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &deleted) && ctx.Err() == nil {
			s.log.Warn("expired items could not be deleted", "table", name, "error", err)
		}
	}
}

func (s *Sweeper) sweepTable(ctx context.Context, table string, t sweep) error {
	now := strconv.FormatInt(s.now().Unix(), 10)
	pages := dynamodb.NewScanPaginator(s.client, &dynamodb.ScanInput{
		TableName: &table,
		// A value more than five years old is not taken for a TTL.
		FilterExpression:         aws.String("#ttl <= :now AND #ttl > :ancient"),
		ExpressionAttributeNames: map[string]string{"#ttl": t.attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":now":     &types.AttributeValueMemberN{Value: now},
			":ancient": &types.AttributeValueMemberN{Value: strconv.FormatInt(s.now().AddDate(-5, 0, 0).Unix(), 10)},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := s.expire(ctx, table, t, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// expire deletes an item unless its TTL was changed meanwhile.
func (s *Sweeper) expire(ctx context.Context, table string, t sweep, item map[string]types.AttributeValue) error {
	key := map[string]types.AttributeValue{}
	for _, name := range t.keys {
		key[name] = item[name]
	}
	ttl, ok := item[t.attribute].(*types.AttributeValueMemberN)
	if !ok {
		return nil // no number, which the filter lets through nowhere
	}
	forget := s.expired.add(key, t.attribute, ttl.Value)
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &table, Key: key,
		ConditionExpression:       aws.String("#ttl = :ttl"),
		ExpressionAttributeNames:  map[string]string{"#ttl": t.attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":ttl": ttl},
	})
	if err == nil {
		return nil
	}
	forget()
	var changed *types.ConditionalCheckFailedException
	if errors.As(err, &changed) {
		return nil
	}
	return err
}
