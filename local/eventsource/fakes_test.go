package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"go.uber.org/goleak"

	"example.com/chatstack/local/clock"
)

func TestMain(m *testing.M) {
	// The table engine that the tests share lives as long as their process.
	goleak.VerifyTestMain(m)
}

const (
	streamARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/T/stream/2024-01-01T00:00:00.000"
	queueARN  = "arn:aws:sqs:eu-west-1:123456789012:failed"
)

// mapping is one that works, with changes.
func mapping(changes ...func(*Mapping)) Mapping {
	m := Mapping{
		UUID:                  "0f3c2f4e-0000-4000-8000-000000000001",
		FunctionName:          "broadcast",
		FunctionARN:           "arn:aws:lambda:eu-west-1:123456789012:function:broadcast",
		StreamARN:             streamARN,
		Region:                "eu-west-1",
		StartingPosition:      TrimHorizon,
		BatchSize:             100,
		ParallelizationFactor: 1,
		MaximumRecordAge:      -time.Second,
		MaximumRetryAttempts:  -1,
		OnFailureARN:          queueARN,
		Enabled:               true,
	}
	for _, change := range changes {
		change(&m)
	}
	return m
}

// A world is a poller with everything it works with.
type world struct {
	*Poller
	streams     *fakeStreams
	function    *fakeFunction
	queue       *fakeQueue
	checkpoints *FileCheckpoints
	clock       *clock.Clock
	duplicate   func(Mapping) bool // Options.DuplicateFault; nil: never
}

// inWorld runs a test in a bubble whose time stands still except when everybody
// waits.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		checkpoints, err := NewFileCheckpoints(dir)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{
			streams:     &fakeStreams{pageSize: 1000, shards: []*fakeShard{{id: "shard-1"}}},
			function:    &fakeFunction{},
			queue:       &fakeQueue{},
			checkpoints: checkpoints,
			clock:       new(clock.Clock),
		}
		w.restart()
		defer func() { w.Close() }()
		test(t, w)
	})
}

// restart begins with a new poller, as after a restart of the local cloud.
func (w *world) restart() {
	if w.Poller != nil {
		w.Close()
	}
	w.Poller = New(Options{
		StreamsFor:     func(Mapping) Streams { return w.streams },
		Invoker:        w.function,
		Checkpoints:    w.checkpoints,
		DeadLetters:    w.queue,
		Clock:          w.clock,
		DuplicateFault: func(m Mapping) bool { return w.duplicate != nil && w.duplicate(m) },
		Log:            slog.New(slog.DiscardHandler),
	})
}

// abortAll is the first half of Close.
func (w *world) abortAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runners {
		r.abort()
	}
}

func (w *world) mustPut(t *testing.T, m Mapping) {
	t.Helper()
	if err := w.Put(m); err != nil {
		t.Fatal(err)
	}
}

// settle lets so much time pass, and then what is under way come to rest.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

type fakeShard struct {
	id, parent string
	records    []types.Record
	trimmed    int // so many from the front are gone
	closed     bool
	first      int // sequence numbers count from 101 + first
}

// fakeStreams is one stream, in which sequence numbers count from 101 up in each
// shard. An iterator is "shard|index".
type fakeStreams struct {
	mu       sync.Mutex
	shards   []*fakeShard
	pageSize int
	fail     func(operation string) error // nil: nothing fails
	reads    []time.Time
	asked    string // the last stream ARN
	key      string // the partition key, as the description says it; empty: it does not
}

func (s *fakeStreams) shard(id string) *fakeShard {
	for _, shard := range s.shards {
		if shard.id == id {
			return shard
		}
	}
	return nil
}

func (s *fakeStreams) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// write appends n records to a shard, created now.
func (s *fakeStreams) write(id string, n int, changes ...func(*types.Record)) {
	s.change(func() {
		shard := s.shard(id)
		for range n {
			sequence := strconv.Itoa(101 + shard.first + len(shard.records))
			record := newRecord(sequence)
			for _, change := range changes {
				change(&record)
			}
			shard.records = append(shard.records, record)
		}
	})
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func newRecord(sequence string) types.Record {
	return types.Record{
		EventID:      aws.String(fmt.Sprintf("%032s", sequence)),
		EventName:    types.OperationTypeInsert,
		EventVersion: aws.String("1.1"),
		EventSource:  aws.String("aws:dynamodb"),
		AwsRegion:    aws.String("elsewhere"),
		Dynamodb: &types.StreamRecord{
			ApproximateCreationDateTime: aws.Time(time.Now().Truncate(time.Second)),
			Keys:                        map[string]types.AttributeValue{"pk": text("p"), "sk": text(sequence)},
			NewImage:                    map[string]types.AttributeValue{"pk": text("p"), "sk": text(sequence)},
			SequenceNumber:              aws.String(sequence),
			SizeBytes:                   aws.Int64(7),
			StreamViewType:              types.StreamViewTypeNewAndOldImages,
		},
	}
}

func (s *fakeStreams) failure(operation string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(operation)
}

// DescribeStream lists one shard a page.
func (s *fakeStreams) DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.failure("DescribeStream")); err != nil {
		return nil, err
	}
	s.asked = *in.StreamArn
	i := 0
	if in.ExclusiveStartShardId != nil {
		i = 1 + slices.Index(s.shards, s.shard(*in.ExclusiveStartShardId))
	}
	description := &types.StreamDescription{}
	if s.key != "" {
		description.KeySchema = []types.KeySchemaElement{
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
			{AttributeName: &s.key, KeyType: types.KeyTypeHash},
		}
	}
	if i < len(s.shards) {
		shard := types.Shard{ShardId: &s.shards[i].id}
		if s.shards[i].parent != "" {
			shard.ParentShardId = &s.shards[i].parent
		}
		description.Shards = []types.Shard{shard}
		if i+1 < len(s.shards) {
			description.LastEvaluatedShardId = &s.shards[i].id
		}
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: description}, nil
}

func (s *fakeStreams) GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.failure("GetShardIterator")); err != nil {
		return nil, err
	}
	shard := s.shard(*in.ShardId)
	if shard == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Invalid ShardId in ShardIterator")}
	}
	var index int
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeTrimHorizon:
		index = shard.trimmed
	case types.ShardIteratorTypeLatest:
		index = len(shard.records)
	case types.ShardIteratorTypeAfterSequenceNumber, types.ShardIteratorTypeAtSequenceNumber:
		sequence, err := strconv.Atoi(*in.SequenceNumber)
		if err != nil {
			return nil, err
		}
		index = sequence - 100 - shard.first
		if in.ShardIteratorType == types.ShardIteratorTypeAtSequenceNumber {
			index--
		}
		if index < shard.trimmed {
			return nil, &types.TrimmedDataAccessException{}
		}
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: aws.String(fmt.Sprintf("%s|%d", shard.id, index))}, nil
}

func (s *fakeStreams) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.failure("GetRecords")); err != nil {
		return nil, err
	}
	s.reads = append(s.reads, time.Now())
	id, position, _ := strings.Cut(*in.ShardIterator, "|")
	index, err := strconv.Atoi(position)
	if err != nil {
		return nil, err
	}
	shard := s.shard(id)
	if shard == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Invalid ShardId in ShardIterator")}
	}
	end := min(index+s.pageSize, len(shard.records))
	out := &dynamodbstreams.GetRecordsOutput{Records: slices.Clone(shard.records[index:end])}
	if !shard.closed || end < len(shard.records) {
		out.NextShardIterator = aws.String(fmt.Sprintf("%s|%d", id, end))
	}
	return out, nil
}

// fakeFunction keeps the sequence numbers of the batches that it gets.
type fakeFunction struct {
	mu      sync.Mutex
	batches [][]string
	times   []time.Time
	bytes   []int
	last    []byte
	// handle says how an invocation ends; nil: with success and no answer.
	handle func(batch []string) (answer, functionError string, err error)
	// hold, if set, is received from before an invocation ends.
	hold chan struct{}
}

func (f *fakeFunction) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, string, error) {
	var event struct {
		Records []struct {
			Dynamodb struct{ SequenceNumber string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		panic(err)
	}
	var batch []string
	for _, r := range event.Records {
		batch = append(batch, r.Dynamodb.SequenceNumber)
	}
	f.mu.Lock()
	f.batches = append(f.batches, batch)
	f.times = append(f.times, time.Now())
	f.bytes = append(f.bytes, len(payload))
	f.last = payload
	handle, hold := f.handle, f.hold
	f.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
	if handle == nil {
		return nil, "", nil
	}
	answer, functionError, err := handle(batch)
	return []byte(answer), functionError, err
}

// got are the batches so far, each as "101 102 103".
func (f *fakeFunction) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, batch := range f.batches {
		all = append(all, strings.Join(batch, " "))
	}
	return all
}

func (f *fakeFunction) sizes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []int
	for _, batch := range f.batches {
		all = append(all, len(batch))
	}
	return all
}

func (f *fakeFunction) largest() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Max(f.bytes)
}

// between is the time between two invocations.
func (f *fakeFunction) between(i, j int) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.times[j].Sub(f.times[i])
}

func (f *fakeFunction) set(handle func(batch []string) (string, string, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handle = handle
}

// stop lets no invocation end until the returned channel is closed.
func (f *fakeFunction) stop() (hold chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = make(chan struct{})
	return f.hold
}

// release lets invocations that begin from now on end.
func (f *fakeFunction) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = nil
}

// failsOn fails every batch that has one of the records.
func failsOn(poison ...string) func([]string) (string, string, error) {
	return func(batch []string) (string, string, error) {
		for _, sequence := range batch {
			if slices.Contains(poison, sequence) {
				return `{"errorMessage":"no","errorType":"errorString"}`, "Unhandled", nil
			}
		}
		return "null", "", nil
	}
}

// reports names the first of the records that a batch has as failed.
func reports(poison ...string) func([]string) (string, string, error) {
	return func(batch []string) (string, string, error) {
		for _, sequence := range batch {
			if slices.Contains(poison, sequence) {
				return `{"batchItemFailures":[{"itemIdentifier":"` + sequence + `"}]}`, "", nil
			}
		}
		return `{"batchItemFailures":[]}`, "", nil
	}
}

type fakeQueue struct {
	mu     sync.Mutex
	bodies []map[string]any
	tried  int
	err    error
}

func (q *fakeQueue) Send(ctx context.Context, m Mapping, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tried++
	if m.OnFailureARN != queueARN {
		return errors.New("unknown queue " + m.OnFailureARN)
	}
	if err := errors.Join(ctx.Err(), q.err); err != nil {
		return err
	}
	var letter map[string]any
	if err := json.Unmarshal(body, &letter); err != nil {
		return err
	}
	q.bodies = append(q.bodies, letter)
	return nil
}

func (q *fakeQueue) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
}

func (q *fakeQueue) tries() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tried
}

// body is the nth letter.
func (q *fakeQueue) body(t *testing.T, n int) map[string]any {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if n >= len(q.bodies) {
		t.Fatalf("%d dead letters", len(q.bodies))
	}
	return q.bodies[n]
}

// letters are what was sent, each as "condition start-end ×invocations".
func (q *fakeQueue) letters() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []string
	for _, body := range q.bodies {
		request := body["requestContext"].(map[string]any)
		batch := body["DDBStreamBatchInfo"].(map[string]any)
		all = append(all, fmt.Sprintf("%v %v-%v ×%v", request["condition"],
			batch["startSequenceNumber"], batch["endSequenceNumber"], request["approximateInvokeCount"]))
	}
	return all
}

// positions is the saved checkpoint.
func (w *world) positions(t *testing.T) map[string]Position {
	t.Helper()
	c, _, err := w.checkpoints.Load(mapping().UUID)
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(c.Shards)
}

// status is the mapping's.
func (w *world) status(t *testing.T) Status {
	t.Helper()
	s, ok := w.Status(mapping().UUID)
	if !ok {
		t.Fatal("there is no status")
	}
	return s
}

// inPartition gives a record another partition key.
func inPartition(pk string) func(*types.Record) {
	return func(r *types.Record) {
		r.Dynamodb.Keys["pk"] = text(pk)
		r.Dynamodb.NewImage["pk"] = text(pk)
	}
}

// codedError is an error with a code, as the AWS SDK's have.
type codedError string

func (e codedError) Error() string     { return "api error " + string(e) }
func (e codedError) ErrorCode() string { return string(e) }
