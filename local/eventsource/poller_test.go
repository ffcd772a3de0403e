package eventsource

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func TestParentBeforeChildren(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.change(func() {
			w.streams.shards = append(w.streams.shards,
				&fakeShard{id: "shard-2", parent: "shard-1", closed: true},
				&fakeShard{id: "shard-3", parent: "shard-2"},
				&fakeShard{id: "shard-4", parent: "shard-trimmed-long-ago"})
		})
		w.streams.write("shard-1", 2)
		w.streams.write("shard-2", 3)
		w.streams.write("shard-3", 4)
		w.streams.write("shard-4", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		if got := len(w.function.got()); got != 2 {
			t.Fatalf("%d batches while the first parent is open: %v", got, w.function.got())
		}
		w.streams.change(func() { w.streams.shard("shard-1").closed = true })
		settle(time.Second)
		wantSame(t, "the rest", []string{"101 102 103", "101 102 103 104"}, w.function.got()[2:])
		wantSame(t, "checkpoint", map[string]Position{
			"shard-1": {After: "102", Drained: true}, "shard-2": {After: "103", Drained: true},
			"shard-3": {After: "104"}, "shard-4": {After: "101"},
		}, w.positions(t))
		w.streams.change(func() { w.streams.shards = w.streams.shards[1:] })
		settle(rediscover)
		if _, ok := w.positions(t)["shard-1"]; ok {
			t.Error("a drained shard that the stream has forgotten is still in the checkpoint")
		}
	})
}

func TestParentFailingHoldsUpItsChild(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.change(func() {
			w.streams.shards[0].closed = true
			w.streams.shards = append(w.streams.shards, &fakeShard{id: "shard-2", parent: "shard-1"})
		})
		w.streams.write("shard-1", 1)
		w.streams.write("shard-2", 2)
		w.function.set(failsOn("101"))
		w.mustPut(t, mapping())
		settle(time.Minute)
		for _, batch := range w.function.got() {
			if batch != "101" {
				t.Fatalf("the child was read: %s", batch)
			}
		}
	})
}

func TestLatest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := mapping(func(m *Mapping) { m.StartingPosition = Latest })
		w.streams.change(func() {
			w.streams.shards = append(w.streams.shards, &fakeShard{id: "shard-2", parent: "shard-1"})
			w.streams.shards[0].closed = true
		})
		w.streams.write("shard-1", 2)
		w.streams.write("shard-2", 2)
		settle(time.Second) // creation times are whole seconds
		w.mustPut(t, m)
		settle(5 * time.Second)
		wantSame(t, "what was there", []string(nil), w.function.got())
		// What comes while the poller is away is not lost, although it has never
		// seen a record to remember.
		w.Close()
		settle(5 * time.Second)
		w.streams.write("shard-2", 1)
		w.restart()
		w.mustPut(t, m)
		settle(time.Second)
		wantSame(t, "after a restart", []string{"103"}, w.function.got())
		// And a shard that comes later is read from its beginning.
		w.streams.change(func() {
			w.streams.shards[1].closed = true
			w.streams.shards = append(w.streams.shards, &fakeShard{id: "shard-3", parent: "shard-2"})
		})
		w.streams.write("shard-3", 2)
		settle(time.Second)
		wantSame(t, "a new shard", []string{"103", "101 102"}, w.function.got())
	})
}

func TestRestartGoesOnAfterTheLastBatchThatIsDone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 4)
		w.function.set(failsOn("103"))
		m := mapping(func(m *Mapping) { m.BatchSize = 2 })
		w.mustPut(t, m)
		settle(time.Second)
		w.function.set(nil)
		w.restart()
		before := len(w.function.got())
		w.mustPut(t, m)
		settle(time.Second)
		wantSame(t, "after the restart", []string{"103 104"}, w.function.got()[before:])
	})
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	failOnce := func(w *world, operation string, err error) {
		done := false
		w.streams.change(func() {
			w.streams.fail = func(op string) error {
				if done || op != operation {
					return nil
				}
				done = true
				return err
			}
		})
	}
	rows := map[string]struct {
		operation string
		err       error
	}{
		"expired iterator":       {"GetRecords", &types.ExpiredIteratorException{}},
		"unknown shard":          {"GetRecords", &types.ResourceNotFoundException{Message: aws.String("Invalid ShardId in ShardIterator")}},
		"throttled":              {"GetRecords", &types.LimitExceededException{}},
		"engine away":            {"GetShardIterator", errors.New("connection refused")},
		"stream not there yet":   {"DescribeStream", &types.ResourceNotFoundException{}},
		"engine away at listing": {"DescribeStream", errors.New("connection refused")},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.streams.write("shard-1", 1)
				if row.operation == "GetRecords" {
					w.mustPut(t, mapping())
					settle(time.Second)
					failOnce(w, row.operation, row.err)
				} else {
					failOnce(w, row.operation, row.err)
					w.mustPut(t, mapping())
				}
				w.streams.write("shard-1", 1)
				settle(5 * time.Second)
				if got := strings.Join(w.function.got(), " "); got != "101 102" {
					t.Errorf("delivered %q", got)
				}
			})
		})
	}
}

func TestTrimmedRecordsAreSkipped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		w.Close()
		w.streams.write("shard-1", 4)
		w.streams.change(func() { w.streams.shards[0].trimmed = 3 })
		w.restart()
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batches", []string{"101", "104 105"}, w.function.got())
	})
}

func TestIdleShardIsPolledTenTimesASecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping())
		settle(10 * time.Second)
		if n := len(w.streams.reads); n < 90 || n > 110 {
			t.Errorf("%d reads in 10 s", n)
		}
		w.streams.write("shard-1", 1)
		settle(100 * time.Millisecond)
		if len(w.function.got()) != 1 {
			t.Error("a record waited longer than a poll")
		}
	})
}

func TestPutChangesSettingsAndKeepsTheCheckpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hold := w.function.stop()
		w.streams.write("shard-1", 4)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 2 }))
		settle(time.Second)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 1 }))
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 3 }))
		settle(time.Minute)
		wantSame(t, "while the function runs", []string{"101 102"}, w.function.got())
		close(hold)
		settle(time.Second)
		wantSame(t, "after it", []string{"101 102", "103 104"}, w.function.got())
	})
}

func TestPutEndsRetriesByTheOldSettings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Minute)
		wantSame(t, "dead letters", []string(nil), w.queue.letters())
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 0 }))
		settle(time.Second)
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 101-101 ×1"}, w.queue.letters())
	})
}

func TestDisabledMappingWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		disabled := mapping(func(m *Mapping) { m.Enabled = false })
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		w.mustPut(t, disabled)
		w.streams.write("shard-1", 1)
		settle(time.Minute)
		wantSame(t, "disabled", []string{"101"}, w.function.got())
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "enabled", []string{"101", "102"}, w.function.got())
	})
}

func TestDeleteForgets(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		if err := w.Delete(mapping().UUID); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(mapping().UUID); err != nil {
			t.Errorf("deleting what is gone: %v", err)
		}
		w.streams.write("shard-1", 1)
		settle(time.Minute)
		wantSame(t, "deleted", []string{"101"}, w.function.got())
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "created anew", []string{"101", "101 102"}, w.function.got())
	})
}

func TestDeleteDoesNotWaitForTheFunction(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.stop()
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		began := time.Now()
		if err := w.Delete(mapping().UUID); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		wantSame(t, "checkpoint", map[string]Position(nil), w.positions(t))
	})
}

func TestCloseKeepsTheCheckpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.stop()
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		w.function.release()
		w.restart()
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "a batch on its way comes again", []string{"101", "101"}, w.function.got())
		w.Close()
		if err := w.Put(mapping()); !errors.Is(err, ErrClosed) {
			t.Errorf("Put after Close: %v", err)
		}
	})
}

// A function that ends although it is told to stop has done its work.
func TestBatchThatIsDoneAtCloseDoesNotComeAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(func([]string) (string, string, error) {
			w.abortAll()
			return "", "", nil
		})
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Second)
		w.restart()
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batches", []string{"101"}, w.function.got())
	})
}

func TestCheckpointOfAnotherStreamDoesNotCount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 2)
		if err := w.checkpoints.Save(mapping().UUID, Checkpoint{
			Stream: streamARN + "-of-old", Shards: map[string]Position{"shard-1": {After: "101"}},
		}); err != nil {
			t.Fatal(err)
		}
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batches", []string{"101 102"}, w.function.got())
	})
}

func TestEachMappingReadsByItsOwnClient(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked []string
		w.opts.StreamsFor = func(m Mapping) Streams {
			asked = append(asked, m.FunctionName)
			return w.streams
		}
		w.mustPut(t, mapping())
		w.mustPut(t, mapping(func(m *Mapping) { m.UUID, m.FunctionName = "other", "other" }))
		settle(time.Second)
		wantSame(t, "clients", []string{"broadcast", "other"}, asked)
		wantSame(t, "stream asked for", streamARN, w.streams.asked)
	})
}

func TestPutRefuses(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping())
		other := func(m *Mapping) { m.UUID, m.FunctionName = "b", "other" }
		rows := map[string]struct {
			change func(*Mapping)
			want   string
		}{
			"no UUID":              {func(m *Mapping) { m.UUID = "" }, `UUID ""`},
			"UUID that is a path":  {func(m *Mapping) { m.UUID = "../x" }, `UUID "../x"`},
			"no function":          {func(m *Mapping) { m.FunctionName = "" }, "no function"},
			"no stream":            {func(m *Mapping) { m.StreamARN = "" }, "no stream"},
			"batch size":           {func(m *Mapping) { m.BatchSize = 10_001 }, "ValidationException: 1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000"},
			"no batch size":        {func(m *Mapping) { m.BatchSize = 0 }, "Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1"},
			"window":               {func(m *Mapping) { m.Window = 301 * time.Second }, "Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy constraint: Member must have value less than or equal to 300"},
			"negative window":      {func(m *Mapping) { m.Window = -time.Second }, "Value '-1' at 'maximumBatchingWindowInSeconds'"},
			"starting position":    {func(m *Mapping) { m.StartingPosition = "AT_TIMESTAMP" }, "InvalidParameterValueException: Unsupported starting position for arn type: " + streamARN},
			"unknown position":     {func(m *Mapping) { m.StartingPosition = "NOW" }, "Value 'NOW' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, TRIM_HORIZON, AT_TIMESTAMP]"},
			"retries":              {func(m *Mapping) { m.MaximumRetryAttempts = -2 }, "Value '-2' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value greater than or equal to -1"},
			"too many retries":     {func(m *Mapping) { m.MaximumRetryAttempts = 10_001 }, "Value '10001' at 'maximumRetryAttempts'"},
			"age":                  {func(m *Mapping) { m.MaximumRecordAge = 59 * time.Second }, "maximumRecordAgeInSeconds 59: it must be -1, or 60 to 604800"},
			"no age":               {func(m *Mapping) { m.MaximumRecordAge = 0 }, "maximumRecordAgeInSeconds 0"},
			"age beyond a week":    {func(m *Mapping) { m.MaximumRecordAge = 604_801 * time.Second }, "Value '604801' at 'maximumRecordAgeInSeconds'"},
			"parallelization":      {func(m *Mapping) { m.ParallelizationFactor = 11 }, "Value '11' at 'parallelizationFactor'"},
			"no parallelization":   {func(m *Mapping) { m.ParallelizationFactor = 0 }, "Value '0' at 'parallelizationFactor'"},
			"FIFO queue":           {func(m *Mapping) { m.OnFailureARN = queueARN + ".fifo" }, "it cannot be a FIFO queue"},
			"too many filters":     {func(m *Mapping) { m.Filters = make([]string, 6) }, "6 filters"},
			"invalid filter":       {func(m *Mapping) { m.Filters = []string{`{"a":"b"}`} }, "Invalid filter pattern definition. Filter 1: a: what may match stands in a list"},
			"another mapping's":    {func(m *Mapping) { m.FunctionName = "broadcast" }, `The event source arn (" ` + streamARN + ` ") and function (" broadcast ") provided mapping already exists. Please update or delete the existing mapping with UUID ` + mapping().UUID},
			"change of the stream": {func(m *Mapping) { m.UUID, m.StreamARN = mapping().UUID, "arn:other" }, "the stream cannot be changed"},
		}
		for name, row := range rows {
			m := mapping(other, row.change)
			if err := w.Put(m); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		m := mapping(other)
		m.FunctionName = "broadcast"
		if err := w.Put(m); !errors.Is(err, ErrConflict) {
			t.Errorf("same function and stream: %v", err)
		}
		m = mapping(other)
		m.Filters = []string{"x"}
		if err := w.Put(m); !errors.Is(err, ErrInvalidFilter) {
			t.Errorf("invalid filter: %v", err)
		}
		w.opts.DeadLetters = nil
		if err := w.Put(mapping(other)); err == nil || !strings.Contains(err.Error(), queueARN) {
			t.Errorf("no queues: %v", err)
		}
		synctest.Wait()
	})
}

func TestPutTakesTheEndsOfTheRanges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping(func(m *Mapping) {
			m.BatchSize, m.ParallelizationFactor, m.MaximumRetryAttempts = 1, 1, -1
			m.Window, m.MaximumRecordAge = 0, time.Minute
		}))
		w.mustPut(t, mapping(func(m *Mapping) {
			m.BatchSize, m.ParallelizationFactor, m.MaximumRetryAttempts = 10_000, 10, 10_000
			m.Window, m.MaximumRecordAge = 300*time.Second, 604_800*time.Second
			m.Filters = slices.Repeat([]string{`{"eventName":["INSERT"]}`}, 5)
		}))
		settle(time.Second)
	})
}

func TestUnreadableCheckpointIsNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		path := filepath.Join(w.checkpoints.dir, mapping().UUID+".json")
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.Put(mapping()); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Put: %v", err)
		}
	})
}

func TestCheckpointFilesAreReplacedWhole(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "when", "needed")
	files, err := NewFileCheckpoints(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Checkpoint{Stream: "s", Shards: map[string]Position{"a": {After: "1"}, "b": {Since: 5}, "c": {After: "2", Drained: true}}}
	for range 3 {
		if err := files.Save("u", want); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := files.Load("u")
	if err != nil || !ok {
		t.Fatalf("Load: %v %v", ok, err)
	}
	wantSame(t, "checkpoint", want, got)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v (%v)", entries, err)
	}
	if _, ok, err := files.Load("other"); ok || err != nil {
		t.Errorf("Load of none: %v %v", ok, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := files.Save("u", want); err == nil {
		t.Error("saved without a directory")
	}
}

func TestFailingCheckpointsDoNotStopTheShard(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := os.RemoveAll(w.checkpoints.dir); err != nil {
			t.Fatal(err)
		}
		w.streams.write("shard-1", 3)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 1 }))
		settle(time.Second)
		wantSame(t, "batches", []string{"101", "102", "103"}, w.function.got())
	})
}
