package eventsource

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// inLanes is a mapping with so many lanes, of records one a batch.
func inLanes(factor int, changes ...func(*Mapping)) Mapping {
	return mapping(append([]func(*Mapping){func(m *Mapping) {
		m.ParallelizationFactor, m.BatchSize = factor, 1
	}}, changes...)...)
}

// twoPartitions are names of partitions that two lanes keep apart.
func twoPartitions(t *testing.T) (string, string) {
	t.Helper()
	rd := &reader{runner: &runner{opts: &Options{}}, lanes: make([]*lane, 2)}
	rd.lanes[0], rd.lanes[1] = &lane{}, &lane{}
	key := "pk"
	rd.key.Store(&key)
	first := ""
	for i := range 100 {
		name := "p" + strconv.Itoa(i)
		switch l := rd.lane(map[string]types.AttributeValue{"pk": text(name), "sk": text("")}); {
		case first == "" && l == rd.lanes[0]:
			first = name
		case first != "" && l == rd.lanes[1]:
			return first, name
		}
	}
	t.Fatal("all partitions are in one lane")
	return "", ""
}

func TestPartitionsRunSideBySide(t *testing.T) {
	a, b := twoPartitions(t)
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.key = "pk"
		w.streams.write("shard-1", 1, inPartition(a))
		w.streams.write("shard-1", 1, inPartition(a))
		w.streams.write("shard-1", 1, inPartition(b))
		hold := w.function.stop()
		w.mustPut(t, inLanes(2))
		settle(time.Second)
		got := w.function.got()
		slices.Sort(got)
		wantSame(t, "under way at once: one of each partition", []string{"101", "103"}, got)
		wantSame(t, "checkpoint", map[string]Position{}, w.positions(t))
		close(hold)
		settle(time.Second)
		wantSame(t, "then the rest", "102", w.function.got()[2])
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "103"}}, w.positions(t))
	})
}

func TestOnePartitionIsInOrderWhateverTheFactor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.key = "pk"
		w.streams.write("shard-1", 50)
		w.mustPut(t, inLanes(10))
		settle(time.Second)
		got := w.function.got()
		if len(got) != 50 || !slices.IsSorted(got) {
			t.Errorf("delivered %v", got)
		}
	})
}

func TestFailingPartitionBlocksNoOther(t *testing.T) {
	a, b := twoPartitions(t)
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.key = "pk"
		w.streams.write("shard-1", 2, inPartition(a))
		w.streams.write("shard-1", 3, inPartition(b))
		w.function.set(failsOn("101"))
		m := inLanes(2)
		w.mustPut(t, m)
		settle(time.Minute)
		var others []string
		for _, batch := range w.function.got() {
			if batch != "101" {
				others = append(others, batch)
			}
		}
		wantSame(t, "the other partition", []string{"103", "104", "105"}, others)
		wantSame(t, "the checkpoint waits for the lowest", map[string]Position{}, w.positions(t))

		// After a restart all after the checkpoint comes again.
		w.function.set(nil)
		before := len(w.function.got())
		w.restart()
		w.mustPut(t, m)
		settle(time.Second)
		again := w.function.got()[before:]
		slices.Sort(again)
		wantSame(t, "after a restart", []string{"101", "102", "103", "104", "105"}, again)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "105"}}, w.positions(t))
	})
}

func TestCheckpointIsTheLowestUnfinishedPosition(t *testing.T) {
	a, b := twoPartitions(t)
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.key = "pk"
		for _, pk := range []string{b, a, b, b} {
			w.streams.write("shard-1", 1, inPartition(pk))
		}
		w.function.set(failsOn("102"))
		w.mustPut(t, inLanes(2))
		settle(time.Second)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "101"}}, w.positions(t))
		shard := w.status(t).Shards[0]
		if shard.After != "101" || shard.Pending != 1 {
			t.Errorf("status %+v", shard)
		}
	})
}

func TestRetriesAndSplitsAreOfTheirLane(t *testing.T) {
	a, b := twoPartitions(t)
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.key = "pk"
		for _, pk := range []string{a, a, b, b} {
			w.streams.write("shard-1", 1, inPartition(pk))
		}
		w.function.set(failsOn("102", "103"))
		w.mustPut(t, inLanes(2, func(m *Mapping) {
			m.BatchSize, m.BisectBatchOnFunctionError, m.MaximumRetryAttempts = 10, true, 0
		}))
		settle(time.Minute)
		letters := w.queue.letters()
		slices.Sort(letters)
		if len(letters) != 2 || !strings.HasPrefix(letters[0], "RetryAttemptsExhausted 102-102") || !strings.HasPrefix(letters[1], "RetryAttemptsExhausted 103-103") {
			t.Errorf("dead letters %v", letters)
		}
		got := w.function.got()
		slices.Sort(got)
		wantSame(t, "batches", []string{"101", "101 102", "102", "103", "103 104", "104"}, got)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "104"}}, w.positions(t))
	})
}

func TestPartitionKeyThatIsNotKnownMeansOneLane(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 10 {
			w.streams.write("shard-1", 1, inPartition(strconv.Itoa(i)))
		}
		w.function.stop()
		w.mustPut(t, inLanes(10))
		settle(time.Second)
		wantSame(t, "under way at once", []string{"101"}, w.function.got())
	})
}

func TestPartitionKeyIsKnownWhereThereIsNoOther(t *testing.T) {
	rd := &reader{runner: &runner{opts: &Options{}}, lanes: []*lane{{}, {}, {}}}
	used := map[*lane]bool{}
	for i := range 100 {
		used[rd.lane(map[string]types.AttributeValue{"id": text(strconv.Itoa(i))})] = true
	}
	if len(used) != 3 {
		t.Errorf("%d lanes are used", len(used))
	}
}

func TestPartitionKeyCanBeGiven(t *testing.T) {
	t.Parallel()
	rd := &reader{runner: &runner{opts: &Options{PartitionKey: func(Mapping) string { return "pk" }}}, lanes: []*lane{{}, {}, {}}}
	used := map[*lane]bool{}
	for i := range 100 {
		used[rd.lane(map[string]types.AttributeValue{"pk": text("p"), "sk": text(strconv.Itoa(i))})] = true
	}
	if len(used) != 1 {
		t.Errorf("a partition is in %d lanes", len(used))
	}
}

// What is read and not done stays within what the lanes can take.
func TestReadingStopsWhileThereIsNoRoom(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.pageSize = 3
		big := text(strings.Repeat("x", 390<<10))
		w.streams.write("shard-1", 100, func(r *types.Record) { r.Dynamodb.NewImage["content"] = big })
		hold := w.function.stop()
		w.mustPut(t, mapping())
		settle(time.Minute)
		if n := w.status(t).Shards[0].Pending; n < 15 || n > 18 {
			t.Errorf("%d records of 390 KB are held", n)
		}
		close(hold)
		settle(time.Minute)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "200"}}, w.positions(t))
	})
}

// AWS: the next window begins as soon as the previous invocation has completed.
func TestWindowBeginsWhenTheBatchBeforeIsDone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hold := w.function.stop()
		w.mustPut(t, mapping(func(m *Mapping) { m.Window, m.BatchSize = 10*time.Second, 2 }))
		w.streams.write("shard-1", 3)
		settle(8 * time.Second)
		wantSame(t, "a full batch", []string{"101 102"}, w.function.got())
		close(hold)
		settle(9 * time.Second)
		wantSame(t, "still gathering", 1, len(w.function.got()))
		settle(2 * time.Second)
		wantSame(t, "after the window", []string{"101 102", "103"}, w.function.got())
	})
}

func TestLettingTimePassEndsTheWindow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping(func(m *Mapping) { m.Window = 300 * time.Second }))
		w.streams.write("shard-1", 2)
		settle(time.Second)
		wantSame(t, "gathering", []string(nil), w.function.got())
		w.clock.Advance(300 * time.Second)
		settle(0)
		wantSame(t, "after it", []string{"101 102"}, w.function.got())
	})
}

func TestShardThatVanishesIsFinishedAndItsStreamListedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 2)
		w.function.set(failsOn("101"))
		w.mustPut(t, inLanes(1))
		settle(time.Second)
		w.streams.change(func() { w.streams.shards = []*fakeShard{{id: "shard-2", parent: "shard-1"}} })
		w.streams.write("shard-2", 1)
		settle(5 * time.Second)
		if slices.Contains(w.function.got(), "102") {
			t.Error("what was read is not in order")
		}
		w.function.set(nil)
		settle(deliveryLimit)
		got := w.function.got()
		if n := len(got); !slices.Contains(got, "102") || got[n-1] != "101" {
			t.Errorf("delivered %v", got)
		}
	})
}

func TestLostShardThatIsListedIsReadOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 2)
		w.function.set(failsOn("101"))
		w.mustPut(t, inLanes(1))
		settle(time.Second)
		lost := 3
		w.streams.change(func() {
			w.streams.fail = func(operation string) error {
				if operation == "GetRecords" && lost > 0 {
					lost--
					return &types.ResourceNotFoundException{Message: aws.String("Invalid ShardId in ShardIterator")}
				}
				return nil
			}
		})
		settle(5 * time.Second)
		w.streams.write("shard-1", 1)
		w.function.set(nil)
		settle(time.Minute)
		got := w.function.got()
		wantSame(t, "each once, in order", []string{"101", "102", "103"}, got[len(got)-3:])
	})
}
