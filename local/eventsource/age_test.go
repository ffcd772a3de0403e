package eventsource

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func TestLettingTimePassEndsTheWaitBetweenRetries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 10 }))
		settle(0)
		for range 10 {
			w.clock.Advance(deliveryLimit)
			settle(0)
		}
		wantSame(t, "invocations", 11, len(w.function.got()))
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 101-102 ×11"}, w.queue.letters())
	})
}

func TestRecordsAgeByTheClock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRecordAge = time.Hour }))
		settle(time.Second)
		w.clock.Advance(59 * time.Minute)
		settle(0)
		wantSame(t, "before", []string(nil), w.queue.letters())
		w.clock.Advance(time.Minute)
		settle(0)
		letters := w.queue.letters()
		if len(letters) != 1 || !strings.HasPrefix(letters[0], "RecordAgeExpired 101-102 ×") || strings.HasSuffix(letters[0], "×0") {
			t.Errorf("dead letters %v", letters)
		}
		// What is written afterwards is new. Creation times have whole seconds.
		settle(time.Second)
		w.streams.write("shard-1", 1)
		settle(time.Second)
		if got := w.function.got(); got[len(got)-1] != "103" {
			t.Errorf("delivered %v", got)
		}
	})
}

func TestAgeEndsThrottlingToo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(func([]string) (string, string, error) { return "", "", codedError("TooManyRequestsException") })
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRecordAge, m.MaximumRetryAttempts = time.Minute, 0 }))
		settle(2 * time.Minute)
		wantSame(t, "dead letters", []string{"RecordAgeExpired 101-101 ×0"}, w.queue.letters())
	})
}

// Without an end of its own a mapping retries until the stream has dropped the
// records. What points to them would point to nothing.
func TestRecordsThatTheStreamHasDroppedAreLost(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"no maximum age": -time.Second, "a maximum age beyond the stream's": 48 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.function.set(failsOn("101"))
				w.streams.write("shard-1", 2)
				w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRecordAge = age }))
				settle(time.Second)
				w.clock.Advance(24*time.Hour - time.Minute)
				settle(time.Second)
				wantSame(t, "pending", 2, w.status(t).Shards[0].Pending)
				w.clock.Advance(time.Minute)
				settle(0)
				wantSame(t, "dead letters", []string(nil), w.queue.letters())
				status := w.status(t)
				wantSame(t, "expired", int64(2), status.Counts.Expired)
				wantSame(t, "shards", []ShardStatus{{ID: "shard-1", After: "102"}}, status.Shards)
			})
		})
	}
}

func TestRecordsOfMoreThanADayAreNotRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 3)
		settle(time.Second)
		w.clock.Advance(24 * time.Hour)
		settle(time.Second) // creation times have whole seconds
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRecordAge = time.Minute }))
		settle(time.Second)
		wantSame(t, "batches", []string{"104"}, w.function.got())
		wantSame(t, "dead letters", []string(nil), w.queue.letters())
		wantSame(t, "expired", int64(3), w.status(t).Counts.Expired)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "104"}}, w.positions(t))
	})
}

func TestRecordWithoutATimeIsNew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 1, func(r *types.Record) { r.Dynamodb.ApproximateCreationDateTime = nil })
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batches", []string{"101"}, w.function.got())
	})
}

// One bad record of a hundred is found by splitting, in about a second.
func TestSplittingDoesNotLengthenTheWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("164"))
		w.streams.write("shard-1", 100)
		w.mustPut(t, mapping(func(m *Mapping) { m.BisectBatchOnFunctionError, m.MaximumRetryAttempts = true, 0 }))
		settle(1500 * time.Millisecond)
		if letters := w.queue.letters(); len(letters) != 1 || !strings.HasPrefix(letters[0], "RetryAttemptsExhausted 164-164") {
			t.Errorf("dead letters %v", letters)
		}
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "200"}}, w.positions(t))
	})
}

func TestBatchThatSucceededComesAgainOnDemand(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked []string
		w.duplicate = func(m Mapping) bool {
			asked = append(asked, m.FunctionName)
			wantSame(t, "checkpoint when asked", "", w.positions(t)["shard-1"].After)
			return true
		}
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batches: the very same, once more", []string{"101 102", "101 102"}, w.function.got())
		wantSame(t, "asked", []string{"broadcast"}, asked)
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "102"}}, w.positions(t))
	})
}

// To the function a duplicate is a batch like any other: if it fails, it is retried.
func TestDuplicateThatFailsIsRetried(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.duplicate = func(Mapping) bool { return true }
		invocation := 0
		w.function.set(func([]string) (string, string, error) {
			if invocation++; invocation == 2 {
				return "", "Unhandled", nil
			}
			return "", "", nil
		})
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 1 }))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101", "101", "101"}, w.function.got())
		wantSame(t, "dead letters", []string(nil), w.queue.letters())
	})
}

func TestBatchThatFailedIsNotDuplicated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.duplicate = func(Mapping) bool { t.Error("asked"); return true }
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 1 }))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101", "101"}, w.function.got())
	})
}

// A batch that fails at a record, and then at a later one, has its retries anew.
func TestRetriesBeginAnewWithEachStepOfTheCheckpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(reports("102", "104"))
		w.streams.write("shard-1", 5)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts, m.ReportBatchItemFailures = 1, true }))
		settle(time.Minute)
		// What is left when the retries are used up is given up as a whole.
		wantSame(t, "batches", []string{"101 102 103 104 105", "102 103 104 105", "102 103 104 105"}, w.function.got())
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 102-105 ×2"}, w.queue.letters())
	})
}

func TestAnswerThatCannotBeUnderstoodFailsTheWholeBatch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(func([]string) (string, string, error) {
			return `{"batchItemFailures":[{"itemIdentifier":"102"},{"itemIdentifier":""}]}`, "", nil
		})
		w.streams.write("shard-1", 3)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts, m.ReportBatchItemFailures = 1, true }))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101 102 103", "101 102 103"}, w.function.got())
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 101-103 ×2"}, w.queue.letters())
		response := w.queue.body(t, 0)["responseContext"].(map[string]any)
		if response["functionError"] != nil || response["statusCode"] != 200.0 {
			t.Errorf("response %v", response)
		}
	})
}

// A function that fails as a whole is split, also where it may report records.
func TestErrorIsSplitAlsoWhereRecordsCanBeReported(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("102"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) {
			m.MaximumRetryAttempts, m.ReportBatchItemFailures, m.BisectBatchOnFunctionError = 0, true, true
		}))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101 102", "101", "102"}, w.function.got())
		if !slices.Equal(w.queue.letters(), []string{"RetryAttemptsExhausted 102-102 ×2"}) {
			t.Errorf("dead letters %v", w.queue.letters())
		}
	})
}
