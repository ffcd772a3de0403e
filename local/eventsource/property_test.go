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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"pgregory.net/rapid"

	"example.com/chatstack/local/clock"
)

const forever = 1 << 30

// A plan is a stream, a mapping, and what goes wrong, drawn before anything runs.
type plan struct {
	records  []plannedRecord // in the order of the stream
	pageSize int
	split    int // from this record on they are in a child shard; len(records) if there is none

	mapping    Mapping
	takes      []time.Duration // how long invocations take, one after the other, over and over
	throttles  []bool          // which of the first invocations do not take place
	duplicates []bool          // which of the first batches that succeed come again
	reads      []int           // which of the first reads fail, and how
	restarts   []time.Duration // how long each poller runs; the last one runs on
	changes    []time.Duration // when the last poller's mapping changes and time is let pass
	pauses     []time.Duration // between the records, over and over
}

type plannedRecord struct {
	partition string
	wanted    bool // passes the filter
	fails     int  // how often a batch fails because of it
}

func drawPlan(t *rapid.T) plan {
	p := plan{
		pageSize: rapid.IntRange(1, 20).Draw(t, "page size"),
		mapping: mapping(func(m *Mapping) {
			m.BatchSize = rapid.IntRange(1, 8).Draw(t, "batch size")
			m.Window = rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second}).Draw(t, "window")
			m.ParallelizationFactor = rapid.SampledFrom([]int{1, 1, 2, 3, 10}).Draw(t, "factor")
			m.MaximumRetryAttempts = rapid.IntRange(-1, 3).Draw(t, "retries")
			m.MaximumRecordAge = rapid.SampledFrom([]time.Duration{-time.Second, -time.Second, time.Minute}).Draw(t, "age")
			m.BisectBatchOnFunctionError = rapid.Bool().Draw(t, "bisect")
			m.ReportBatchItemFailures = rapid.Bool().Draw(t, "report")
			m.Filters = []string{`{"dynamodb":{"NewImage":{"kind":{"S":["wanted"]}}}}`}
		}),
		takes:      rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 100 * time.Millisecond, 7 * time.Second}), 1, 5).Draw(t, "takes"),
		throttles:  rapid.SliceOfN(rapid.Bool(), 0, 8).Draw(t, "throttles"),
		duplicates: rapid.SliceOfN(rapid.Bool(), 0, 8).Draw(t, "duplicates"),
		reads:      rapid.SliceOfN(rapid.IntRange(0, 3), 0, 10).Draw(t, "reads"),
		restarts:   rapid.SliceOfN(rapid.SampledFrom([]time.Duration{time.Millisecond, 2 * time.Second, time.Minute}), 0, 3).Draw(t, "restarts"),
		changes:    rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 5 * time.Second}), 0, 3).Draw(t, "changes"),
		pauses:     rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 0, 300 * time.Millisecond, 4 * time.Second}), 1, 5).Draw(t, "pauses"),
	}
	most := 4
	if p.mapping.MaximumRetryAttempts >= 0 || p.mapping.MaximumRecordAge > 0 {
		most = 5 // stands for always: with retries without end nothing would
	}
	p.records = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plannedRecord {
		r := plannedRecord{
			partition: rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "partition"),
			wanted:    rapid.IntRange(0, 3).Draw(t, "wanted") > 0,
		}
		if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
			if r.fails = rapid.IntRange(1, most).Draw(t, "times"); r.fails == 5 {
				r.fails = forever
			}
		}
		return r
	}), 1, 40).Draw(t, "records")
	p.split = rapid.IntRange(0, len(p.records)).Draw(t, "split")
	return p
}

// A judgeOfPlan is the function, the queue and the checkpoints of a plan, and sees
// to it that the rules are kept.
type judgeOfPlan struct {
	plan

	mu         sync.Mutex
	broken     []string // rules
	fails      []int    // left, by record
	done       []bool   // delivered or given up, by record
	flying     map[string]bool
	invoked    int
	succeeded  int
	read       int
	checkpoint Checkpoint
	saved      bool
}

func (j *judgeOfPlan) brokenf(format string, args ...any) {
	j.broken = append(j.broken, fmt.Sprintf(format, args...))
}

// index is the number of a record: its sequence number less 101.
func index(sequence string) int {
	n, err := strconv.Atoi(sequence)
	if err != nil {
		panic(err)
	}
	return n - 101
}

// Invoke implements Invoker.
func (j *judgeOfPlan) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, string, error) {
	var event struct {
		Records []struct {
			Dynamodb struct{ SequenceNumber string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		panic(err)
	}
	batch := make([]int, len(event.Records))
	for i, r := range event.Records {
		batch[i] = index(r.Dynamodb.SequenceNumber)
	}
	takes, throttled := j.begin(batch)
	time.Sleep(takes)
	return j.end(ctx, batch, throttled)
}

func (j *judgeOfPlan) begin(batch []int) (takes time.Duration, throttled bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(batch) == 0 || len(batch) > j.mapping.BatchSize {
		j.brokenf("a batch of %d", len(batch))
	}
	if !slices.IsSorted(batch) {
		j.brokenf("batch %v is out of order", batch)
	}
	mine := map[string]bool{}
	for n, i := range batch {
		r := j.records[i]
		mine[r.partition] = true
		if !r.wanted {
			j.brokenf("record %d was filtered out and delivered", i)
		}
		if (i < j.split) != (batch[0] < j.split) {
			j.brokenf("batch %v is of two shards", batch)
		}
		for before := range i {
			if b := j.records[before]; b.wanted && !j.done[before] && b.partition == r.partition && !slices.Contains(batch[:n], before) {
				j.brokenf("record %d was delivered while %d of its partition is not done", i, before)
			}
			if b := j.records[before]; b.wanted && !j.done[before] && before < j.split && i >= j.split {
				j.brokenf("record %d of the child was delivered while %d of the parent is not done", i, before)
			}
		}
	}
	for partition := range mine {
		if j.flying[partition] {
			j.brokenf("partition %s is delivered twice at once", partition)
		}
		j.flying[partition] = true
	}
	if n := len(j.flying); n > 0 && j.mapping.ParallelizationFactor == 1 && n != len(mine) {
		j.brokenf("two batches at once without a parallelization factor")
	}
	takes, throttled = j.takes[j.invoked%len(j.takes)], j.invoked < len(j.throttles) && j.throttles[j.invoked]
	j.invoked++
	return takes, throttled
}

func (j *judgeOfPlan) end(ctx context.Context, batch []int, throttled bool) ([]byte, string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range batch {
		delete(j.flying, j.records[i].partition)
	}
	if throttled || ctx.Err() != nil {
		return nil, "", errors.New("not run")
	}
	for n, i := range batch {
		if j.fails[i] == 0 {
			continue
		}
		j.fails[i]--
		if !j.mapping.ReportBatchItemFailures {
			return []byte(`{"errorMessage":"no"}`), "Unhandled", nil
		}
		for _, ok := range batch[:n] {
			j.done[ok] = true
		}
		return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":"%d"}]}`, i+101), "", nil
	}
	for _, i := range batch {
		j.done[i] = true
	}
	return nil, "", nil
}

// Send implements DeadLetters.
func (j *judgeOfPlan) Send(_ context.Context, m Mapping, body []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var d DeadLetter
	if err := json.Unmarshal(body, &d); err != nil {
		return err
	}
	first, last := index(d.Batch.StartSequenceNumber), index(d.Batch.EndSequenceNumber)
	lane, n := laneOf(m, j.records[first].partition), 0
	for i := first; i <= last; i++ {
		if r := j.records[i]; r.wanted && laneOf(m, r.partition) == lane {
			j.done[i] = true
			n++
		}
	}
	if n != d.Batch.BatchSize {
		j.brokenf("dead letter %s holds %d records", body, n)
	}
	switch d.RequestContext.Condition {
	case retryAttemptsExhausted:
		if m.MaximumRetryAttempts < 0 || d.RequestContext.ApproximateInvokeCount <= m.MaximumRetryAttempts {
			j.brokenf("dead letter %s, with %d retries", body, m.MaximumRetryAttempts)
		}
	case recordAgeExpired:
		if m.MaximumRecordAge < 0 {
			j.brokenf("dead letter %s, without a maximum age", body)
		}
	default:
		j.brokenf("dead letter %s", body)
	}
	return nil
}

// laneOf is the lane of a partition.
func laneOf(m Mapping, partition string) int {
	key := "pk"
	rd := &reader{runner: &runner{opts: &Options{}}}
	rd.key.Store(&key)
	for range m.ParallelizationFactor {
		rd.lanes = append(rd.lanes, &lane{})
	}
	return slices.Index(rd.lanes, rd.lane(map[string]types.AttributeValue{"pk": text(partition)}))
}

// Load, Save and Delete implement Checkpoints.
func (j *judgeOfPlan) Load(string) (Checkpoint, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.checkpoint
	c.Shards = maps.Clone(c.Shards)
	return c, j.saved, nil
}

func (j *judgeOfPlan) Save(_ string, c Checkpoint) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for shard, at := range c.Shards {
		first, last := 0, j.split-1
		if shard == "child" {
			first, last = j.split, len(j.records)-1
		}
		if !at.Drained {
			last = first - 1
			if at.After != "" {
				last = index(at.After)
			}
		}
		if was := j.checkpoint.Shards[shard].After; was > at.After {
			j.brokenf("the checkpoint of %s goes back from %s to %s", shard, was, at.After)
		}
		for i := first; i <= last; i++ {
			if j.records[i].wanted && !j.done[i] {
				j.brokenf("the checkpoint of %s is after %d, which is not done", shard, i)
			}
		}
	}
	c.Shards = maps.Clone(c.Shards)
	j.checkpoint, j.saved = c, true
	return nil
}

func (j *judgeOfPlan) Delete(string) error { return nil }

// failRead says how a read ends.
func (j *judgeOfPlan) failRead(operation string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.read++; j.read > len(j.reads) {
		return nil
	}
	switch j.reads[j.read-1] {
	case 1:
		return errors.New("connection refused")
	case 2:
		return &types.ResourceNotFoundException{}
	case 3:
		if operation == "GetRecords" {
			return &types.ExpiredIteratorException{}
		}
	}
	return nil
}

func (j *judgeOfPlan) finished() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, r := range j.records {
		if r.wanted && !j.done[i] {
			return false
		}
	}
	shards := j.checkpoint.Shards
	return shards["parent"].Drained && (j.split == len(j.records) || shards["child"].After == strconv.Itoa(100+len(j.records)))
}

// run carries a plan out and returns what rules were broken.
func (p plan) run() []string {
	j := &judgeOfPlan{plan: p, done: make([]bool, len(p.records)), flying: map[string]bool{}}
	for _, r := range p.records {
		j.fails = append(j.fails, r.fails)
	}
	streams := &fakeStreams{pageSize: p.pageSize, key: "pk", shards: []*fakeShard{{id: "parent"}}, fail: j.failRead}
	passing := new(clock.Clock)
	start := func() *Poller {
		poller := New(Options{
			StreamsFor:  func(Mapping) Streams { return streams },
			Invoker:     j,
			Checkpoints: j,
			DeadLetters: j,
			Clock:       passing,
			DuplicateFault: func(Mapping) bool {
				j.mu.Lock()
				defer j.mu.Unlock()
				j.succeeded++
				return j.succeeded <= len(p.duplicates) && p.duplicates[j.succeeded-1]
			},
			Log:  slog.New(slog.DiscardHandler),
			Poll: 5 * time.Second,
		})
		if err := poller.Put(p.mapping); err != nil {
			panic(err)
		}
		return poller
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i, r := range p.records {
			if i == p.split {
				streams.change(func() {
					streams.shards[0].closed = true
					streams.shards = append(streams.shards, &fakeShard{id: "child", parent: "parent", first: i})
				})
			}
			shard := "parent"
			if i >= p.split {
				shard = "child"
			}
			streams.write(shard, 1, inPartition(r.partition), func(record *types.Record) {
				record.Dynamodb.NewImage["kind"] = text("unwanted")
				if r.wanted {
					record.Dynamodb.NewImage["kind"] = text("wanted")
				}
			})
			time.Sleep(p.pauses[i%len(p.pauses)])
		}
		if p.split == len(p.records) {
			streams.change(func() { streams.shards[0].closed = true })
		}
	})
	for _, runs := range p.restarts {
		poller := start()
		time.Sleep(runs)
		poller.Close()
	}
	poller := start()
	defer poller.Close()
	for i, after := range p.changes {
		time.Sleep(after)
		passing.Advance(10 * time.Second)
		changed := p.mapping
		changed.Window, changed.Enabled = time.Duration(i%2)*time.Second, i%2 == 1 || i+1 == len(p.changes)
		if err := poller.Put(changed); err != nil {
			panic(err)
		}
	}
	writer.Wait()
	for range 10_000 {
		if j.finished() {
			break
		}
		time.Sleep(2 * time.Second)
	}
	synctest.Wait()
	finished := j.finished()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !finished {
		j.brokenf("not all is delivered or given up, and noted: done %v, checkpoint %+v", j.done, j.checkpoint)
	}
	return j.broken
}

// Whatever a function and a stream do: each record that passes the filters is
// delivered or given up, those of a partition one after the other; none that does
// not pass is delivered; and the checkpoint is never after one that is not done.
func TestRulesOfDelivery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var broken []string
		synctest.Test(t, func(*testing.T) { broken = p.run() })
		if len(broken) > 0 {
			rt.Fatalf("%d rules broken, first: %s", len(broken), broken[0])
		}
	})
}
