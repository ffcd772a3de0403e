package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
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
	tables := make(map[string]sweep, len(s.tables))
	for name, t := range s.tables {
		tables[name] = t
	}
	s.mu.Unlock()
	for name, t := range tables {
		if err := s.sweepTable(ctx, name, t); err != nil && ctx.Err() == nil {
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
	forget := s.expired.add(key, item[t.attribute], t.attribute)
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &table, Key: key,
		ConditionExpression:       aws.String("#ttl = :ttl"),
		ExpressionAttributeNames:  map[string]string{"#ttl": t.attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":ttl": item[t.attribute]},
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

// rememberExpiries is how many TTL deletes are told from other deletes; the
// event source mapping reads them within moments.
const rememberExpiries = 100_000

// expiries remembers which deletes were TTL's, so that their stream records
// can say so. An entry is a primary key with the TTL it expired by.
type expiries struct {
	mu    sync.Mutex
	known map[string]string // key, as canonical JSON -> TTL attribute name
	order []string
}

func newExpiries() *expiries { return &expiries{known: map[string]string{}} }

func (e *expiries) add(key map[string]types.AttributeValue, ttl types.AttributeValue, attribute string) (forget func()) {
	number, _ := ttl.(*types.AttributeValueMemberN)
	if number == nil {
		return func() {}
	}
	id := canonicalKey(wireKey(key)) + " " + number.Value
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.known[id]; !ok {
		e.order = append(e.order, id)
	}
	e.known[id] = attribute
	if len(e.order) > rememberExpiries {
		delete(e.known, e.order[0])
		e.order = e.order[1:]
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.known, id)
	}
}

// has reports whether the delete of an item, given by the JSON of its key and
// of its last image, was TTL's.
func (e *expiries) has(keys, oldImage json.RawMessage) bool {
	var key, image map[string]map[string]any
	if json.Unmarshal(keys, &key) != nil || json.Unmarshal(oldImage, &image) != nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	prefix := canonicalKey(key) + " "
	for _, value := range image {
		number, ok := value["N"].(string)
		if !ok {
			continue
		}
		if attribute, known := e.known[prefix+number]; known && image[attribute]["N"] == number {
			return true
		}
	}
	return false
}

// wireKey turns the SDK's form of a key into the wire's.
func wireKey(key map[string]types.AttributeValue) map[string]map[string]any {
	wire := map[string]map[string]any{}
	for name, value := range key {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			wire[name] = map[string]any{"S": v.Value}
		case *types.AttributeValueMemberN:
			wire[name] = map[string]any{"N": v.Value}
		case *types.AttributeValueMemberB:
			wire[name] = map[string]any{"B": v.Value}
		}
	}
	return wire
}

func canonicalKey(key map[string]map[string]any) string {
	text, err := json.Marshal(key) // map keys come sorted
	if err != nil {
		return ""
	}
	return string(text)
}
