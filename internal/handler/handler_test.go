package handler

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

func (s *store) PutExpiry(_ context.Context, e chat.Expiry) error {
	return s.call("PutExpiry", e.ConnectionID, e.At.UTC().Format(time.RFC3339))
}

func (s *store) DeleteExpiry(_ context.Context, e chat.Expiry) error {
	return s.call("DeleteExpiry", e.ConnectionID, e.At.UTC().Format(time.RFC3339))
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

func (s *store) TakeTokens(_ context.Context, _ string, _ chat.Bucket, tokens int) (int, time.Duration, error) {
	return tokens, 0, nil
}

func (s *store) PutMessage(_ context.Context, m chat.Message) error {
	return s.call("PutMessage", m.ChannelID, m.Name, m.Content)
}

func (s *store) ListSubscribers(context.Context, string, string, int) iter.Seq2[string, error] {
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

func (s *store) UpdateMember(context.Context, chat.Subscription) (int, error) { return 1, nil }

func (s *store) GetRules(context.Context, string, string) (chat.Rules, error) {
	return chat.Rules{}, s.err
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
	chat.Poster // closes nothing
	frames      []string
	fail        string
	takes       time.Duration
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
