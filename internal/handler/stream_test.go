package handler

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// records gives the batch of testdata: a join, a stored message, a publish
// request that is done already.
func records(t *testing.T) []json.RawMessage {
	t.Helper()
	var event StreamEvent
	if err := json.Unmarshal(read(t, "stream.json"), &event); err != nil {
		t.Fatal(err)
	}
	return event.Records
}

// join gives the record of a join with a sequence number of its own.
func join(t *testing.T, channelID, sequenceNumber string) json.RawMessage {
	t.Helper()
	record := string(records(t)[0])
	record = strings.ReplaceAll(record, "CHANNEL|General", "CHANNEL|"+channelID)
	return json.RawMessage(strings.Replace(record, "100000000000000000002", sequenceNumber, 1))
}

func batch(t *testing.T, raw ...json.RawMessage) []byte {
	t.Helper()
	payload, err := json.Marshal(StreamEvent{Records: raw})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestStream(t *testing.T) {
	t.Parallel()
	const success = `{"batchItemFailures":null}`
	t.Run("applies what matters", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, Stream{f.chat, f.log}.Handle, read(t, "stream.json"))
		if err != nil || out != success {
			t.Errorf("%s, %v", out, err)
		}
		diff(t, "frames", f.poster.frames, []string{
			`{"event":"subscriber_sub","channelId":"General","subscriberId":"R1kmxc2VNjMCFIA=","count":1,"at":"2026-03-01T12:01:00.250Z"}`,
		})
		diff(t, "calls", f.store.calls, []string{"ListSubscribers", "GetPublishRequest General build 17"})
	})
	t.Run("empty batch", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		if out, err := invoke(t, Stream{f.chat, f.log}.Handle, []byte(`{"Records":[]}`)); err != nil || out != success {
			t.Errorf("%s, %v", out, err)
		}
	})
	t.Run("stops at the first failure and names its sequence number", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.poster.fail = "bad"
		payload := batch(t, join(t, "one", "11"), join(t, "bad", "12"), join(t, "three", "13"))
		out, err := invoke(t, Stream{f.chat, f.log}.Handle, payload)
		if want := `{"batchItemFailures":[{"itemIdentifier":"12"}]}`; err != nil || out != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
		if len(f.poster.frames) != 1 {
			t.Errorf("posted %v", f.poster.frames)
		}
		if !strings.Contains(f.logs.String(), "post refused") {
			t.Errorf("log %s", f.logs)
		}
	})
	t.Run("a first record that fails makes the batch fail, so that it is split", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.poster.fail = "bad"
		out, err := invoke(t, Stream{f.chat, f.log}.Handle, batch(t, join(t, "bad", "12"), join(t, "three", "13")))
		if err == nil || !strings.Contains(err.Error(), "12") {
			t.Errorf("%s, %v", out, err)
		}
	})
	t.Run("stops in time and goes on from there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.poster.takes = time.Second
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var event StreamEvent
			for i := range 20 {
				event.Records = append(event.Records, join(t, "room", string(rune('a'+i))))
			}
			response, err := Stream{f.chat, f.log}.Handle(ctx, event)
			if err != nil || len(response.BatchItemFailures) != 1 {
				t.Fatalf("%+v, %v", response, err)
			}
			if got := response.BatchItemFailures[0].ItemIdentifier; got != string(rune('a'+len(f.poster.frames))) {
				t.Errorf("stopped at %s after %d records", got, len(f.poster.frames))
			}
			if n := len(f.poster.frames); n < 5 || n > 8 {
				t.Errorf("%d records of a second each in 10 s", n)
			}
		})
	})
}

// Defect 9 of the 2018 example: one record that threw made its whole batch come
// again until the stream's 24 hours were over. run plays the event source
// mapping's part: what is reported comes again from there, what fails is split,
// and what fails alone ends in the dead-letter queue.
func TestDefect9PoisonRecordDoesNotTakeItsNeighboursAlong(t *testing.T) {
	t.Parallel()
	poisons := map[string]json.RawMessage{
		"no JSON of a record": json.RawMessage(`{"dynamodb":{"SequenceNumber":"66","Keys":5}}`),
		"no keys":             json.RawMessage(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"66"}}`),
		"unknown type":        json.RawMessage(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"66","Keys":{"pk":{"Q":"x"}}}}`),
		"no sequence number":  json.RawMessage(`{"eventName":"INSERT","dynamodb":{}}`),
		"not even an object":  json.RawMessage(`17`),
	}
	for name, poison := range poisons {
		for place := range 4 {
			f := newFixture()
			var dead []string
			var run func(batch []json.RawMessage)
			run = func(batch []json.RawMessage) {
				if len(batch) == 0 {
					return
				}
				response, err := Stream{f.chat, f.log}.Handle(t.Context(), StreamEvent{Records: batch})
				switch {
				case err != nil && len(batch) == 1:
					dead = append(dead, string(batch[0]))
				case err != nil:
					run(batch[:len(batch)/2])
					run(batch[len(batch)/2:])
				case len(response.BatchItemFailures) > 0:
					at := slices.IndexFunc(batch, func(r json.RawMessage) bool {
						return sequenceNumberOf(r) == response.BatchItemFailures[0].ItemIdentifier
					})
					if at <= 0 {
						t.Fatalf("%s: no progress: reported %+v", name, response)
					}
					run(batch[at:])
				}
			}
			neighbours := []json.RawMessage{join(t, "one", "11"), join(t, "two", "12"), join(t, "three", "13")}
			run(slices.Insert(neighbours, place, poison))
			diff(t, name+": dead letters", dead, []string{string(poison)})
			seen := map[string]bool{}
			for _, frame := range f.poster.frames {
				seen[frame] = true
			}
			if len(seen) != 3 {
				t.Errorf("%s at %d: neighbours announced: %v", name, place, f.poster.frames)
			}
		}
	}
}

func FuzzStream(f *testing.F) {
	data, err := os.ReadFile("testdata/stream.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"Records":[null,{},{"dynamodb":null},{"dynamodb":{"Keys":{"pk":null}}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var event StreamEvent
		if json.Unmarshal(payload, &event) != nil {
			return
		}
		x := newFixture()
		response, err := Stream{x.chat, x.log}.Handle(t.Context(), event)
		if err == nil && len(response.BatchItemFailures) == 1 && response.BatchItemFailures[0].ItemIdentifier == "" {
			t.Error("a failure without a name is a failure of the whole batch")
		}
	})
}
