package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"example.com/chatstack/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A store has one channel, General, and counts what it is asked for; methods
// that these tests do not need are those of a nil interface.
type store struct {
	chat.Store
	mu    sync.Mutex
	calls []string
	err   error // for every call
}

func (s *store) call(parts ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, strings.Join(parts, " "))
	return s.err
}

func (s *store) PutConnection(_ context.Context, c chat.Connection) error {
	return s.call("PutConnection", c.ID, c.ConnectedAt.UTC().Format(time.RFC3339Nano))
}
func (s *store) DeleteConnection(_ context.Context, id string) error {
	return s.call("DeleteConnection", id)
}
func (s *store) GetConnection(_ context.Context, id string) (chat.Connection, error) {
	return chat.Connection{ID: id}, s.call("GetConnection", id)
}
func (s *store) PutSubscription(_ context.Context, sub chat.Subscription) error {
	return s.call("PutSubscription", sub.ChannelID, sub.ConnectionID)
}
func (s *store) DeleteSubscription(_ context.Context, channelID, id string) error {
	return s.call("DeleteSubscription", channelID, id)
}
func (s *store) OpenChannel(_ context.Context, channelID string) (int64, error) {
	return 0, s.call("OpenChannel", channelID)
}
func (s *store) NextSeq(_ context.Context, channelID string) (int64, error) {
	return 1, s.call("NextSeq", channelID)
}
func (s *store) PutMessage(_ context.Context, m chat.Message) error {
	return s.call("PutMessage", m.ChannelID, m.Name, m.Content)
}
func (s *store) ListSubscribers(context.Context, string, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.call("ListSubscribers"); err != nil {
			yield("", err)
			return
		}
		yield("R1kmxc2VNjMCFIA=", nil)
	}
}
func (s *store) ListSubscriptions(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.call("ListSubscriptions"); err != nil {
			yield("", err)
			return
		}
		yield("General", nil)
	}
}
func (s *store) GetPublishRequest(_ context.Context, channelID, key string) (chat.PublishRequest, error) {
	return chat.PublishRequest{}, errors.Join(s.call("GetPublishRequest", channelID, key), chat.ErrGone)
}

// PutDelivery fails, so that what is undelivered makes a record fail.
func (s *store) PutDelivery(context.Context, chat.Delivery) error {
	return errors.New("hand-over refused")
}

// A poster keeps the frames; those with a text of fail in them it cannot
// deliver.
type poster struct {
	frames []string
	fail   string
	takes  time.Duration
}

func (p *poster) Post(_ context.Context, ids iter.Seq[string], frame []byte) chat.Outcome {
	var outcome chat.Outcome
	for id := range ids {
		time.Sleep(p.takes)
		if p.fail != "" && strings.Contains(string(frame), p.fail) {
			outcome.Undelivered, outcome.Err = append(outcome.Undelivered, id), errors.New("post refused")
			continue
		}
		p.frames = append(p.frames, string(frame))
		outcome.Delivered++
	}
	return outcome
}

type fixture struct {
	store  *store
	poster *poster
	logs   *bytes.Buffer
	chat   *chat.Service
	log    *slog.Logger
}

func newFixture() *fixture {
	f := &fixture{store: &store{}, poster: &poster{}, logs: &bytes.Buffer{}}
	f.log = slog.New(slog.NewJSONHandler(f.logs, nil))
	f.chat = &chat.Service{
		Store: f.store, Poster: f.poster, Log: f.log, DefaultChannels: []string{"General"},
		Sanitize: func(s string) string { return s },
	}
	return f
}

// invoke calls a handler as Lambda does: JSON in, JSON out.
func invoke(t *testing.T, handle any, payload []byte) (string, error) {
	t.Helper()
	out, err := lambda.NewHandler(handle).Invoke(t.Context(), payload)
	return string(out), err
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func diff(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	const ok = `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":`
	t.Run("connect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, read(t, "connect.json"))
		if err != nil || out != ok+`""}` {
			t.Errorf("%s, %v", out, err)
		}
		diff(t, "calls", f.store.calls, []string{
			"PutConnection R1kmxc2VNjMCFIA= 2026-03-01T12:01:00.123Z",
			"PutSubscription General R1kmxc2VNjMCFIA=", "OpenChannel General",
		})
	})
	t.Run("a connect that fails refuses the connection", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.store.err = errors.New("table is down")
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, read(t, "connect.json"))
		if err != nil || !strings.HasPrefix(out, `{"statusCode":500,`) {
			t.Errorf("%s, %v", out, err)
		}
		if strings.Contains(out, "table is down") || !strings.Contains(f.logs.String(), "table is down") {
			t.Errorf("answer %s, log %s", out, f.logs)
		}
	})
	t.Run("disconnect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, read(t, "disconnect.json"))
		if err != nil || out != ok+`""}` {
			t.Errorf("%s, %v", out, err)
		}
		diff(t, "calls", f.store.calls, []string{
			"DeleteConnection R1kmxc2VNjMCFIA=", "ListSubscriptions", "DeleteSubscription General R1kmxc2VNjMCFIA=",
		})
	})
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, read(t, "message.json"))
		if err != nil || !strings.HasPrefix(out, ok+`"{\"event\":\"ack\",`) {
			t.Errorf("%s, %v", out, err)
		}
		if len(f.poster.frames) != 1 || !strings.Contains(f.poster.frames[0], `"content":"hello world!"`) {
			t.Errorf("posted %v", f.poster.frames)
		}
		if logs := f.logs.String(); strings.Contains(logs, "hello world") || strings.Contains(logs, "johndoe") {
			t.Errorf("contents in the log: %s", logs)
		}
	})
	t.Run("unknown frame", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{&chat.Service{Log: f.log}, f.log}.Handle, read(t, "default.json"))
		if err != nil || !strings.HasPrefix(out, ok+`"{\"event\":\"error\",\"code\":\"invalid_json\",`) {
			t.Errorf("%s, %v", out, err)
		}
		if strings.Contains(f.logs.String(), `"level":"ERROR"`) {
			t.Errorf("a client's mistake in the log as an error: %s", f.logs)
		}
	})
	t.Run("our own fault is an internal error to the client and a chain in the log", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.store.err = errors.New("table is down")
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, read(t, "message.json"))
		want := ok + `"{\"event\":\"error\",\"code\":\"internal\",\"message\":\"internal error\"}"}`
		if err != nil || out != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
		for _, part := range []string{`"level":"ERROR"`, `send to \"General\": table is down`, `"requestId":"TcDA-EMnFiAEfXw="`, `"connectionId":"R1kmxc2VNjMCFIA="`} {
			if !strings.Contains(f.logs.String(), part) {
				t.Errorf("log %s has no %s", f.logs, part)
			}
		}
	})
	t.Run("no frame is a connect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		event := strings.Replace(string(read(t, "default.json")), `"$default"`, `"$connect"`, 1)
		event = strings.Replace(event, `"hello"`, `"{\"action\":\"$connect\"}"`, 1)
		out, err := invoke(t, WebSocket{f.chat, f.log}.Handle, []byte(event))
		if err != nil || !strings.Contains(out, "unknown_action") || len(f.store.calls) != 0 {
			t.Errorf("%s, %v, calls %v", out, err, f.store.calls)
		}
	})
}

// Defect 5 of the 2018 example: a frame that was not JSON, or had no name, made
// the function throw.
func TestDefect5NoFrameMakesTheFunctionFail(t *testing.T) {
	t.Parallel()
	routes := []string{"sendMessage", "subscribeChannel", "unsubscribeChannel", "$default"}
	bodies := []string{"", "hello", "{", `{}`, `{"channelId":null}`, "null", "[]", "\x00", "\xff"}
	check := func(route, body string) {
		f := newFixture()
		var event events.APIGatewayWebsocketProxyRequest
		event.RequestContext.EventType, event.RequestContext.RouteKey, event.Body = "MESSAGE", route, body
		response, err := WebSocket{f.chat, f.log}.Handle(t.Context(), event)
		if err != nil || response.StatusCode != 200 || !strings.Contains(response.Body, `"event":"error"`) {
			t.Errorf("%s %q: %+v, %v", route, body, response, err)
		}
	}
	for _, route := range routes {
		for _, body := range bodies {
			check(route, body)
		}
	}
	check("sendMessage", `{"action":"sendMessage","channelId":"General","content":"no name"}`)
}

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
			`{"event":"subscriber_sub","channelId":"General","subscriberId":"R1kmxc2VNjMCFIA=","at":"2026-03-01T12:01:00.250Z"}`,
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
