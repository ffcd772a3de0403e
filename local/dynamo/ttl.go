package dynamo

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/local/clock"
)

// sweepEvery is how often expired items are looked for. AWS promises a few
// days; people at a laptop wait for seconds.
const sweepEvery = 5 * time.Second

// ancientYears is how old, in years, a number may be to be taken for a TTL, as on AWS.
const ancientYears = 5

// A Sweeper deletes the expired items of tables whose TTL is on, as DynamoDB
// does in the background: their stream records carry the userIdentity of the
// service, and no permission or fault stands in the way. Dynoxide has the
// setting but deletes nothing by itself.
//
// Whoever writes an item computes its TTL from the machine's time. So time that
// is let pass makes those items older that were there before: call
// [Sweeper.Notice] right before [clock.Clock.Advance], [Sweeper.Sweep] after it.
type Sweeper struct {
	client  *dynamodb.Client // the engine's own
	clock   *clock.Clock
	log     *slog.Logger
	expired *expiries
	turn    chan struct{} // whose turn it is to sweep holds its one place

	mu     sync.Mutex
	tables map[string]*sweep
}

// A sweep is how one table is swept.
type sweep struct {
	attribute string
	keys      []string // the attribute names of the primary key
	noticed   map[string]notice
}

// A notice says since when an item is known to have a TTL.
type notice struct {
	ttl   string
	since time.Time
}

// NewSweeper returns a sweeper of the front's engine. Times are those of the
// front's clock.
func (f *Front) NewSweeper() *Sweeper {
	return &Sweeper{
		client: f.direct, clock: f.clock, log: f.log, expired: f.expired,
		turn: make(chan struct{}, 1), tables: map[string]*sweep{},
	}
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
	if known := s.tables[table]; known != nil && known.attribute == attribute && slices.Equal(known.keys, keys) {
		return
	}
	s.tables[table] = &sweep{attribute: attribute, keys: keys}
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

// Notice remembers the items of every watched table that expire later than now,
// so that time which is let pass from now on makes them older. What it
// remembered of others it forgets.
func (s *Sweeper) Notice(ctx context.Context) {
	s.each(ctx, "items could not be noticed", func(name string, t *sweep) error {
		now := s.clock.Now()
		noticed := map[string]notice{}
		err := s.scan(ctx, name, t, "#ttl > :from", map[string]time.Time{":from": now}, func(item map[string]types.AttributeValue) error {
			id, ttl := t.identify(item)
			noticed[id] = notice{ttl, now}
			s.mu.Lock()
			defer s.mu.Unlock()
			if before, known := t.noticed[id]; known && before.ttl == ttl {
				noticed[id] = before
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		t.noticed = noticed
		return nil
	})
}

// Sweep deletes what has expired in every watched table. One sweep waits for
// another: of two that delete the same item, the one that comes too late would
// take the other's delete for that of a client.
func (s *Sweeper) Sweep(ctx context.Context) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return
	}
	s.each(ctx, "expired items could not be deleted", func(name string, t *sweep) error {
		now := s.clock.Now()
		bounds := map[string]time.Time{":from": now.AddDate(-ancientYears, 0, 0), ":to": now.Add(s.clock.Advanced())}
		return s.scan(ctx, name, t, "#ttl > :from AND #ttl <= :to", bounds, func(item map[string]types.AttributeValue) error {
			if !s.due(t, item, now) {
				return nil
			}
			return s.expire(ctx, name, t, item)
		})
	})
}

// due reports whether an item has expired by now.
func (s *Sweeper) due(t *sweep, item map[string]types.AttributeValue, now time.Time) bool {
	id, ttl := t.identify(item)
	expires, err := strconv.ParseFloat(ttl, 64)
	if err != nil {
		return false
	}
	s.mu.Lock()
	known, noticed := t.noticed[id]
	s.mu.Unlock()
	if noticed && known.ttl == ttl {
		now = known.since.Add(s.clock.Since(known.since))
	}
	return expires <= float64(now.Unix())
}

// identify returns what tells an item from the others of its table, and its TTL.
func (t *sweep) identify(item map[string]types.AttributeValue) (id, ttl string) {
	number, _ := item[t.attribute].(*types.AttributeValueMemberN)
	if number != nil {
		ttl = number.Value
	}
	return canonicalKey(wireKey(t.key(item))), ttl
}

// key returns the primary key of an item.
func (t *sweep) key(item map[string]types.AttributeValue) map[string]types.AttributeValue {
	key := make(map[string]types.AttributeValue, len(t.keys))
	for _, name := range t.keys {
		key[name] = item[name]
	}
	return key
}

// each does something for each watched table. A table that is gone, or fails,
// keeps no other one from it.
func (s *Sweeper) each(ctx context.Context, failed string, do func(name string, t *sweep) error) {
	s.mu.Lock()
	tables := maps.Clone(s.tables)
	s.mu.Unlock()
	for name, t := range tables {
		err := do(name, t)
		var deleted *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &deleted) && ctx.Err() == nil {
			s.log.Warn(failed, "table", name, "error", err)
		}
	}
}

// scan calls f with the key and the TTL of each item that a filter lets through,
// in which "#ttl" is the TTL and times are seconds.
func (s *Sweeper) scan(ctx context.Context, table string, t *sweep, filter string, times map[string]time.Time, f func(item map[string]types.AttributeValue) error) error {
	names := map[string]string{"#ttl": t.attribute}
	projection := "#ttl"
	for i, key := range t.keys {
		if key != t.attribute {
			name := "#k" + strconv.Itoa(i)
			names[name] = key
			projection += ", " + name
		}
	}
	values := map[string]types.AttributeValue{}
	for name, at := range times {
		values[name] = &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Unix(), 10)}
	}
	pages := dynamodb.NewScanPaginator(s.client, &dynamodb.ScanInput{
		TableName: &table, FilterExpression: &filter, ProjectionExpression: &projection,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := f(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// expire deletes an item unless its TTL was changed meanwhile.
func (s *Sweeper) expire(ctx context.Context, table string, t *sweep, item map[string]types.AttributeValue) error {
	key := t.key(item)
	ttl, ok := item[t.attribute].(*types.AttributeValueMemberN)
	if !ok {
		return nil // no number, which the filter lets through nowhere
	}
	forget := s.expired.add(table, key, t.attribute, ttl.Value)
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &table, Key: key,
		ConditionExpression:       aws.String("#ttl = :ttl"),
		ExpressionAttributeNames:  map[string]string{"#ttl": t.attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":ttl": ttl},
	})
	if err == nil {
		id, _ := t.identify(item)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(t.noticed, id)
		return nil
	}
	forget()
	var changed *types.ConditionalCheckFailedException
	if errors.As(err, &changed) {
		return nil
	}
	return err
}
