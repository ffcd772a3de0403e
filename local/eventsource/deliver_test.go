package eventsource

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
)

func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestBatchesInOrderAsOnAWS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 250)
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batch sizes", []int{100, 100, 50}, w.function.sizes())
		all := strings.Fields(strings.Join(w.function.got(), " "))
		if !slices.IsSorted(all) {
			t.Error("records out of order")
		}
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "350"}}, w.positions(t))
	})
}

func TestWindowGathers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mustPut(t, mapping(func(m *Mapping) { m.Window, m.BatchSize = 10*time.Second, 5 }))
		settle(time.Second)
		w.streams.write("shard-1", 2)
		settle(5 * time.Second)
		w.streams.write("shard-1", 1)
		settle(4 * time.Second)
		wantSame(t, "before the end of the window", []string(nil), w.function.got())
		settle(2 * time.Second)
		wantSame(t, "after it", []string{"101 102 103"}, w.function.got())
		w.streams.write("shard-1", 7)
		settle(time.Second)
		wantSame(t, "a full batch does not wait", []string{"101 102 103", "104 105 106 107 108"}, w.function.got())
		settle(10 * time.Second)
		wantSame(t, "the rest does", "109 110", w.function.got()[2])
	})
}

func TestBatchHoldsSixMegabytes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		big := text(strings.Repeat("x", 390<<10))
		w.streams.write("shard-1", 40, func(r *types.Record) { r.Dynamodb.NewImage["content"] = big })
		w.mustPut(t, mapping())
		settle(time.Second)
		wantSame(t, "batch sizes", []int{15, 15, 10}, w.function.sizes())
		if largest := w.function.largest(); largest > 6<<20 {
			t.Errorf("an event has %d bytes", largest)
		}
	})
}

func TestFailedBatchBlocksItsShardUntilItSucceeds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("102"))
		w.streams.write("shard-1", 4)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize = 2 }))
		settle(time.Hour)
		got := w.function.got()
		if slices.ContainsFunc(got, func(batch string) bool { return batch != "101 102" }) {
			t.Fatalf("the shard went on past a failed batch: %v", got)
		}
		// One an instant at first, then never further apart than the limit.
		if n := len(got); n < 360 || n > 730 {
			t.Errorf("%d tries in an hour", n)
		}
		first := w.function.between(0, 1)
		if first < firstWait/2 || first > firstWait {
			t.Errorf("the first retry came after %v", first)
		}
		w.function.set(nil)
		settle(deliveryLimit)
		got = w.function.got()
		wantSame(t, "the last two batches", []string{"101 102", "103 104"}, got[len(got)-2:])
		wantSame(t, "dead letters", []string(nil), w.queue.letters())
	})
}

func TestRetriesAreUsedUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 3)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize, m.MaximumRetryAttempts = 2, 3 }))
		settle(time.Minute)
		wantSame(t, "batches: one try and three more", []string{"101 102", "101 102", "101 102", "101 102", "103"}, w.function.got())
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 101-102 ×4"}, w.queue.letters())
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "103"}}, w.positions(t))
	})
}

// The body is that of the recorded runs against AWS.
func TestDeadLetterAsOnAWS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		settle(time.Second) // no whole minute
		w.streams.write("shard-1", 1)
		settle(2 * time.Second)
		w.streams.write("shard-1", 1)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 0 }))
		settle(time.Minute)
		got := w.queue.body(t, 0)
		id, _ := got["requestContext"].(map[string]any)["requestId"].(string)
		if len(id) != 36 {
			t.Errorf("requestId %q", id)
		}
		want := map[string]any{
			"requestContext": map[string]any{
				"requestId": id, "functionArn": mapping().FunctionARN,
				"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1.0,
			},
			"responseContext": map[string]any{
				"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled",
			},
			"version": "1.0", "timestamp": "2000-01-01T00:00:03.000Z",
			"DDBStreamBatchInfo": map[string]any{
				"shardId": "shard-1", "startSequenceNumber": "101", "endSequenceNumber": "102",
				"approximateArrivalOfFirstRecord": "2000-01-01T00:00:01Z",
				"approximateArrivalOfLastRecord":  "2000-01-01T00:00:03Z",
				"batchSize":                       2.0, "streamArn": streamARN,
			},
		}
		wantSame(t, "body", want, got)
	})
}

// A run recorded against AWS: of a batch of three the last fails, with three
// retries. It is delivered five times in all, and the letter counts four.
func TestRetriesBeginAnewWhenTheCheckpointMoves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(reports("103"))
		w.streams.write("shard-1", 3)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts, m.ReportBatchItemFailures = 3, true }))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101 102 103", "103", "103", "103", "103"}, w.function.got())
		wantSame(t, "dead letters", []string{"RetryAttemptsExhausted 103-103 ×4"}, w.queue.letters())
		wantSame(t, "batchSize", 1.0, w.queue.body(t, 0)["DDBStreamBatchInfo"].(map[string]any)["batchSize"].(float64))
		response := w.queue.body(t, 0)["responseContext"].(map[string]any)
		if response["functionError"] != nil {
			t.Errorf("functionError of a reported failure is %v", response["functionError"])
		}
	})
}

func TestReportedFailureIsRetriedFromThereOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		failed := false
		w.function.set(func([]string) (string, string, error) {
			if failed {
				return "", "", nil
			}
			failed = true
			// The lowest counts, wherever it stands.
			return `{"batchItemFailures":[{"itemIdentifier":"104"},{"itemIdentifier":"102"}]}`, "", nil
		})
		w.streams.write("shard-1", 4)
		w.mustPut(t, mapping(func(m *Mapping) { m.ReportBatchItemFailures = true }))
		settle(time.Second)
		wantSame(t, "batches", []string{"101 102 103 104", "102 103 104"}, w.function.got())
	})
}

func TestAnswerIsIgnoredUnlessAskedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(reports("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping())
		settle(time.Minute)
		wantSame(t, "batches", []string{"101 102"}, w.function.got())
	})
}

func TestBisectFindsTheRecordThatFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("106"))
		w.streams.write("shard-1", 8)
		w.mustPut(t, mapping(func(m *Mapping) { m.BisectBatchOnFunctionError, m.MaximumRetryAttempts = true, 1 }))
		settle(time.Minute)
		wantSame(t, "batches: splitting uses up no retries", []string{
			"101 102 103 104 105 106 107 108",
			"101 102 103 104",
			"105 106 107 108",
			"105 106",
			"105",
			"106", "106",
			"107 108",
		}, w.function.got())
		if letters := w.queue.letters(); len(letters) != 1 || !strings.HasPrefix(letters[0], "RetryAttemptsExhausted 106-106") {
			t.Errorf("dead letters %v", letters)
		}
	})
}

func TestBisectSplitsAtTheReportedRecord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(reports("103"))
		w.streams.write("shard-1", 4)
		w.mustPut(t, mapping(func(m *Mapping) {
			m.BisectBatchOnFunctionError, m.ReportBatchItemFailures, m.MaximumRetryAttempts = true, true, 1
		}))
		settle(time.Minute)
		wantSame(t, "batches: only what is left is tried again", []string{"101 102 103 104", "103 104", "103 104"}, w.function.got())
	})
}

func TestThrottlingUsesUpNoRetries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		throttled := 0
		w.function.set(func([]string) (string, string, error) {
			if throttled++; throttled <= 20 {
				return "", "", errors.New("rate exceeded")
			}
			return "", "", nil
		})
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRetryAttempts = 0 }))
		settle(10 * time.Minute)
		if n := len(w.function.got()); n != 21 {
			t.Errorf("%d tries", n)
		}
		wantSame(t, "dead letters", []string(nil), w.queue.letters())
	})
}

func TestOldRecordsAreGivenUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("102", "103"))
		w.streams.write("shard-1", 2)
		settle(61 * time.Second)
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.MaximumRecordAge = time.Minute }))
		settle(time.Second)
		wantSame(t, "what is too old is not tried", []string{"RecordAgeExpired 101-102 ×0"}, w.queue.letters())
		if _, ok := w.queue.body(t, 0)["responseContext"]; ok {
			t.Error("there is a response of a function that never ran")
		}
		settle(2 * time.Minute)
		for _, batch := range w.function.got() {
			if batch != "103 104" {
				t.Errorf("batch %s", batch)
			}
		}
		letters := w.queue.letters()
		if len(letters) != 2 || !strings.HasPrefix(letters[1], "RecordAgeExpired 103-104 ×") {
			t.Errorf("dead letters %v", letters)
		}
	})
}

func TestDeadLetterIsTriedAgainAndThenDropped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.queue.refuse(errors.New("no queue today"))
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize, m.MaximumRetryAttempts = 1, 0 }))
		settle(time.Minute)
		if w.queue.tries() != sendAttempts {
			t.Errorf("tried %d times", w.queue.tries())
		}
		wantSame(t, "batches", []string{"101", "102"}, w.function.got())
	})
}

func TestWithoutDestinationTheShardGoesOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.function.set(failsOn("101"))
		w.streams.write("shard-1", 2)
		w.mustPut(t, mapping(func(m *Mapping) { m.BatchSize, m.MaximumRetryAttempts, m.OnFailureARN = 1, 0, "" }))
		settle(time.Minute)
		wantSame(t, "batches", []string{"101", "102"}, w.function.got())
	})
}

func TestFilteredRecordsCountAsDone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.streams.write("shard-1", 2)
		w.streams.write("shard-1", 1, func(r *types.Record) { r.Dynamodb.Keys["sk"] = text("CONNECTION|a=") })
		w.streams.write("shard-1", 3)
		w.mustPut(t, mapping(func(m *Mapping) {
			m.BatchSize = 2
			m.Filters = []string{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"CONNECTION|"}]}}}}`, `{"eventName":["REMOVE"]}`}
		}))
		settle(time.Second)
		wantSame(t, "batches", []string{"103"}, w.function.got())
		wantSame(t, "checkpoint", map[string]Position{"shard-1": {After: "106"}}, w.positions(t))
		w.streams.write("shard-1", 1, func(r *types.Record) { r.EventName = types.OperationTypeRemove; r.EventID = aws.String("1") })
		settle(time.Second)
		wantSame(t, "batches", []string{"103", "107"}, w.function.got())
	})
}
