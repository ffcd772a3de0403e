package dynamo_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/dynamo"
)

// A strike throttles calls to the tables that it holds, and notes what it was
// asked.
type strike struct {
	mu     sync.Mutex
	tables map[string]int // how often still; below 0 is always
	asked  []string
}

func (s *strike) fault(_ context.Context, table, operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, operation+" "+table)
	left := s.tables[table]
	if left > 0 {
		s.tables[table]--
	}
	return left != 0
}

func (s *strike) set(table string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[table], s.asked = times, nil
}

func newStrikeRig(t *testing.T) (*rig, *strike) {
	t.Helper()
	s := &strike{tables: map[string]int{}}
	return newRigWith(t, dynamo.FrontOptions{Fault: s.fault}), s
}

func keyed(sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text("p"), "sk": text(sk)}
}

func puts(keys ...string) []types.WriteRequest {
	var writes []types.WriteRequest
	for _, sk := range keys {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: keyed(sk)}})
	}
	return writes
}

func TestAThrottledWriteIsNotDone(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	table := r.table().TableName
	s.set(*table, -1)
	_, err := r.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("a")})
	var throttled *types.ProvisionedThroughputExceededException
	if !errors.As(err, &throttled) || !strings.HasPrefix(throttled.ErrorMessage(), "The level of configured provisioned throughput for the table was exceeded.") {
		t.Errorf("%v, want ProvisionedThroughputExceededException", err)
	}
	s.set(*table, 0)
	if got := r.left(table); got != "" {
		t.Errorf("the table holds %q", got)
	}
}

// TestSDKsTryAThrottledWriteAgain has the Go SDK decide, with its own rules.
func TestSDKsTryAThrottledWriteAgain(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	table := r.table().TableName
	s.set(*table, 1)
	client := dynamodb.New(r.db.Options(), func(o *dynamodb.Options) { o.Retryer = retry.NewStandard() })
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("a")}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"PutItem " + *table, "PutItem " + *table}, s.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestAThrottledBatchLeavesAllButTheFirstItemUnprocessed(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	struck, free := r.table().TableName, r.table().TableName
	s.set(*struck, -1)
	out, err := r.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		*struck: puts("a", "b", "c"), *free: puts("d", "e"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, write := range out.UnprocessedItems[*struck] {
		left = append(left, write.PutRequest.Item["sk"].(*types.AttributeValueMemberS).Value)
	}
	if diff := cmp.Diff([]string{"b", "c"}, left); diff != "" || len(out.UnprocessedItems) != 1 {
		t.Errorf("unprocessed of %d tables (-want +got):\n%s", len(out.UnprocessedItems), diff)
	}
	s.set(*struck, 0)
	if a, b := r.left(struck), r.left(free); a != "a" || b != "d e" {
		t.Errorf("the tables hold %q and %q", a, b)
	}
}

func TestAThrottledBatchGetLeavesAllButTheFirstKeyUnprocessed(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	table := r.table().TableName
	r.put(table, "a", nil)
	r.put(table, "b", nil)
	s.set(*table, 1)
	out, err := r.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		*table: {Keys: []map[string]types.AttributeValue{keyed("a"), keyed("b")}, ConsistentRead: aws.Bool(true)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rest := out.UnprocessedKeys[*table]
	if len(out.Responses[*table]) != 1 || len(rest.Keys) != 1 || !aws.ToBool(rest.ConsistentRead) {
		t.Errorf("%d items, unprocessed %v", len(out.Responses[*table]), rest)
	}
	if out, err = r.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: out.UnprocessedKeys}); err != nil || len(out.Responses[*table]) != 1 || len(out.UnprocessedKeys) != 0 {
		t.Errorf("again: %v, %v", out, err)
	}
}

func TestABatchOfWhichNothingCanBeDoneIsAnException(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	table := r.table().TableName
	s.set(*table, -1)
	_, err := r.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: puts("a")}})
	var throttled *types.ProvisionedThroughputExceededException
	if !errors.As(err, &throttled) {
		t.Errorf("%v, want ProvisionedThroughputExceededException", err)
	}
}

func TestAThrottledTransactionSaysWhy(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	struck, free := r.table().TableName, r.table().TableName
	s.set(*struck, -1)
	_, err := r.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: free, Item: keyed("a")}}, {Put: &types.Put{TableName: struck, Item: keyed("a")}},
	}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("%v, want TransactionCanceledException", err)
	}
	var codes []string
	for _, reason := range cancelled.CancellationReasons {
		codes = append(codes, aws.ToString(reason.Code))
	}
	const says = "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ThrottlingError]"
	if !slices.Equal(codes, []string{"None", "ThrottlingError"}) || cancelled.ErrorMessage() != says {
		t.Errorf("%v: %s", codes, cancelled.ErrorMessage())
	}
	if got := r.left(free); got != "" {
		t.Errorf("the other table holds %q", got)
	}
}

func TestFaultsAreAskedForEachTableOfACall(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	created := r.table()
	a, b := *created.TableName, *r.table().TableName
	at := func(i int) map[string]types.AttributeValue { return keyed(strconv.Itoa(i)) }
	s.set(a, 0)
	_, err := r.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &a, Item: at(1)}}, {Put: &types.Put{TableName: &a, Item: at(2)}}, {Put: &types.Put{TableName: &b, Item: at(1)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.left(&a)
	r.records(created.LatestStreamArn)
	if _, err := r.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &a}); err != nil { // not about what it holds
		t.Fatal(err)
	}
	got := slices.Compact(s.asked)
	want := []string{"TransactWriteItems " + a, "TransactWriteItems " + b, "Query " + a, "DescribeStream " + a, "GetShardIterator " + a, "GetRecords " + a}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestThrottledAnswersCarryTheirChecksum(t *testing.T) {
	t.Parallel()
	r, s := newStrikeRig(t)
	table := *r.table().TableName
	s.set(table, -1)
	r.post("DynamoDB_20120810.PutItem", `{"TableName":"`+table+`","Item":{}}`, r) // post looks at it
	r.post("DynamoDB_20120810.BatchWriteItem", `{"RequestItems":{"`+table+`":[{"PutRequest":{"Item":{"pk":{"S":"<&>"},"sk":{"S":"a"}}}},{"PutRequest":{"Item":{"pk":{"S":"<&>"},"sk":{"S":"b"}}}}]}}`, r)
}

func TestTTLIsNotThrottledNorRefused(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	s := &strike{tables: map[string]int{}}
	faulty := newRigWith(t, dynamo.FrontOptions{Fault: s.fault})
	table := g.table().TableName
	s.set(*table, -1)
	for _, r := range []*rig{g.rig, faulty} {
		g.put(table, "expired", at(longAgo()))
		r.sweeper(table).Sweep(t.Context())
		if got := g.left(table); got != "" {
			t.Errorf("left: %q", got)
		}
	}
}
