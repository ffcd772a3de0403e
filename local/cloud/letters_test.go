package cloud

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestALetterTellsWhatItsMessageSays(t *testing.T) {
	t.Parallel()
	message := json.RawMessage(`{"requestContext":{"requestId":"5f3c","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:chat-broadcast",` +
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":4},"version":"1.0","timestamp":"2026-03-01T12:00:00.500Z","DDBStreamBatchInfo":{"batchSize":2}}`)
	for name, want := range map[string]Letter{
		"of an event source mapping": {
			ID: "5f3c", Queue: "q", SentAt: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC),
			Function: "chat-broadcast", Condition: "RetryAttemptsExhausted", InvokeCount: 4, BatchSize: 2, Body: message,
		},
		"of someone else": {Queue: "q", Body: json.RawMessage(`"hello"`)},
	} {
		got, _ := readLetter("q", want.Body)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
