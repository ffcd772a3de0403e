package eventsource

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
)

func (w *world) wantResult(t *testing.T, when, want string) {
	t.Helper()
	if got := w.status(t).LastProcessingResult; got != want {
		t.Errorf("%s: LastProcessingResult %q, not %q", when, got, want)
	}
}

func TestLastProcessingResultAsOnAWS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping())
		settle(time.Second)
		w.wantResult(t, "new", "No records processed")
		w.streams.write("shard-1", 1)
		settle(time.Second)
		w.wantResult(t, "after a batch", "OK")
		w.function.set(failsOn("102"))
		w.streams.write("shard-1", 1)
		settle(time.Second)
		w.wantResult(t, "after a failure", "PROBLEM: Function call failed")
		w.function.set(nil)
		settle(time.Minute)
		w.wantResult(t, "after it", "OK")
	})
}

func TestStreamThatTheRoleMayNotReadIsAProblemUntilItMay(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"DescribeStream", "GetShardIterator", "GetRecords"} {
		t.Run(operation, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.streams.fail = func(op string) error {
					if op == operation {
						return codedError("AccessDeniedException")
					}
					return nil
				}
				w.streams.write("shard-1", 1)
				w.mustPut(t, mapping())
				settle(time.Minute)
				w.wantResult(t, "denied", "PROBLEM: Cannot access stream "+streamARN+". Please ensure the role can perform the "+
					"GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.")
				w.streams.change(func() { w.streams.fail = nil })
				settle(pollLimit)
				w.wantResult(t, "allowed", "OK")
				wantSame(t, "batches", []string{"101"}, w.function.got())
			})
		})
	}
}

func TestMappingThatMayNotReadIsRefusedAsOnAWS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := w.CheckAccess(t.Context(), mapping()); err != nil {
			t.Errorf("allowed: %v", err)
		}
		for _, operation := range []string{"DescribeStream", "GetShardIterator", "GetRecords"} {
			for err, refused := range map[error]bool{codedError("AccessDeniedException"): true, errors.New("connection refused"): false} {
				w.streams.fail = func(op string) error {
					if op == operation {
						return err
					}
					return nil
				}
				got := w.CheckAccess(t.Context(), mapping())
				if (got != nil) != refused || refused && !strings.Contains(got.Error(), "InvalidParameterValueException: Cannot access stream "+streamARN) {
					t.Errorf("%s, %v: %v", operation, err, got)
				}
			}
		}
	})
}

func TestLettingTimePassEndsTheWaitForAStream(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.fail = func(string) error { return errors.New("connection refused") }
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping())
		settle(time.Minute)
		w.wantResult(t, "away", "PROBLEM: connection refused")
		w.streams.change(func() { w.streams.fail = nil })
		w.clock.Advance(pollLimit)
		settle(0)
		wantSame(t, "batches", []string{"101"}, w.function.got())
	})
}

func TestStates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		state := func(want string) {
			t.Helper()
			if got := w.status(t).State; got != want {
				t.Errorf("state %s, not %s", got, want)
			}
		}
		if _, ok := w.Status(mapping().UUID); ok {
			t.Error("a mapping that does not exist has a status")
		}
		disabled := mapping(func(m *Mapping) { m.Enabled = false })
		w.streams.fail = func(string) error { return errors.New("not there yet") }
		w.mustPut(t, mapping())
		settle(0)
		state("Creating")
		w.streams.change(func() { w.streams.fail = nil })
		settle(time.Second)
		state("Enabled")
		hold := w.function.stop()
		w.streams.write("shard-1", 1)
		settle(time.Second)
		w.mustPut(t, disabled)
		settle(0)
		state("Disabling")
		w.mustPut(t, mapping())
		settle(0)
		state("Updating")
		w.mustPut(t, disabled)
		close(hold)
		settle(time.Second)
		state("Disabled")
		w.mustPut(t, mapping())
		settle(0)
		state("Enabled")
		if err := w.Delete(mapping().UUID); err != nil {
			t.Fatal(err)
		}
		if _, ok := w.Status(mapping().UUID); ok {
			t.Error("a mapping that was deleted has a status")
		}
	})
}

// What blocks a shard shows: which records, how often they failed, since when, when
// they are tried again, and what the function said.
func TestStatusTellsWhatIsRetried(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("102"))
		w.streams.write("shard-1", 3)
		began := time.Now()
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 2 }))
		settle(time.Minute)
		shards := w.status(t).Shards
		if len(shards) != 1 || len(shards[0].Retrying) != 1 {
			t.Fatalf("shards %+v", shards)
		}
		retry := shards[0].Retrying[0]
		wantSame(t, "what is retried", []any{"101", "102", 2, "errorString: no"},
			[]any{retry.StartSequenceNumber, retry.EndSequenceNumber, retry.Records, retry.Error})
		if retry.Attempt != len(w.function.got()) {
			t.Errorf("attempt %d after %d invocations", retry.Attempt, len(w.function.got()))
		}
		if !retry.Since.Equal(began) {
			t.Errorf("since %v", retry.Since.Sub(began))
		}
		if wait := time.Until(retry.Next); wait <= 0 || wait > deliveryLimit {
			t.Errorf("next in %v", wait)
		}
		wantSame(t, "pending", 3, shards[0].Pending)
		wantSame(t, "lag", time.Minute, shards[0].Lag)

		w.function.set(nil)
		w.clock.Advance(deliveryLimit) // ends the wait at once
		settle(0)
		wantSame(t, "afterwards", []ShardStatus{{ID: "shard-1", After: "103"}}, w.status(t).Shards)
	})
}

func TestStatusTellsOfThrottling(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(func([]string) (string, string, error) { return "", "", errors.New("rate exceeded") })
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 0 }))
		settle(time.Minute)
		status := w.status(t)
		if retry := status.Shards[0].Retrying; len(retry) != 1 || retry[0].Error != "rate exceeded" {
			t.Errorf("retrying %+v", retry)
		}
		if c := status.Counts; c.Throttled == 0 || c.Failures+c.Retries+c.Batches != 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

func TestCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		asked := 0
		w.duplicate = func(Mapping) bool { asked++; return asked == 1 }
		w.function.set(failsOn("104"))
		w.streams.write("shard-1", 1, func(r *types.Record) { r.EventName = types.OperationTypeRemove })
		w.streams.write("shard-1", 4)
		w.mustPut(t, mapping(func(m *Mapping) {
			m.BatchSize, m.MaximumRetryAttempts, m.Filters = 2, 1, []string{`{"eventName":["INSERT"]}`}
		}))
		settle(time.Minute)
		want := Counts{
			Read: 5, Filtered: 1, Delivered: 2, Batches: 2, // one of them again
			Failures: 2, Retries: 1, Duplicates: 1, DeadLetters: 1, Dropped: 2,
		}
		if diff := cmp.Diff(want, w.status(t).Counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		// They outlive a change of the settings.
		w.mustPut(t, mapping())
		settle(time.Second)
		if got := w.status(t).Counts; got.Read != 5 || got.DeadLetters != 1 {
			t.Errorf("after a change %+v", got)
		}
	})
}

func TestStatusTellsOfDrainedShards(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 2)
		w.streams.change(func() {
			w.streams.shards[0].closed = true
			w.streams.shards = append(w.streams.shards, &fakeShard{id: "shard-2", parent: "shard-1"})
		})
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "shards", []ShardStatus{{ID: "shard-1", After: "102", Drained: true}, {ID: "shard-2"}}, w.status(t).Shards)
	})
}

func TestDestinationThatTheRoleMayNotUseDropsAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.queue.refuse(codedError("AccessDenied"))
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize, m.MaximumRetryAttempts = 1, 0 }))
		settle(time.Second)
		wantSame(t, "tries", 1, w.queue.tries())
		wantSame(t, "batches", []string{"101", "102"}, w.function.got())
		c := w.status(t).Counts
		wantSame(t, "dead letters, not taken, records given up", []int64{0, 1, 1}, []int64{c.DeadLetters, c.DeadLetterErrors, c.Dropped})
	})
}

func TestFunctionsWordsAreShortened(t *testing.T) {
	t.Parallel()
	long := verdict{functionError: "Unhandled", reason: "the function failed", answer: []byte(`{"errorMessage":"` + strings.Repeat("x", 1000) + `"}`)}
	for want, v := range map[string]verdict{
		strings.Repeat("x", longestError): long,
		"the function failed":             {functionError: "Unhandled", reason: "the function failed", answer: []byte("{")},
		"panic: no":                       {functionError: "Unhandled", answer: []byte(`{"errorType":"panic","errorMessage":"no"}`)},
		"the answer is not an object":     {reason: "the answer is not an object"},
	} {
		if got := v.what(); got != want {
			t.Errorf("%q", got)
		}
	}
}
