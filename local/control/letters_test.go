package control

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
)

func TestALetterTellsWhatItsMessageSays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	body := json.RawMessage(`{"requestContext":{"requestId":"5f3c","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:chat-broadcast",` +
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":4},"version":"1.0","DDBStreamBatchInfo":{"batchSize":2}}`)
	records := []json.RawMessage{json.RawMessage(`{"eventID":"1"}`), json.RawMessage(`{"eventID":"2"}`)}
	for name, c := range map[string]struct {
		in   cloud.Letter
		want Letter
	}{
		"of an event source mapping": {
			cloud.Letter{Queue: "q", SentAt: at, Body: body, Records: records},
			Letter{ID: "5f3c", Queue: "q", SentAt: at, Function: "chat-broadcast", Condition: "RetryAttemptsExhausted", InvokeCount: 4, BatchSize: 2, Body: body, Records: records},
		},
		"of someone else": {
			cloud.Letter{Queue: "q", SentAt: at, Body: json.RawMessage(`"hello"`)},
			Letter{Queue: "q", SentAt: at, Body: json.RawMessage(`"hello"`), Records: []json.RawMessage{}},
		},
	} {
		if diff := cmp.Diff(c.want, letter(c.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
