package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// pollEvery is how often the stream is read in these tests.
const pollEvery = time.Millisecond

// A schedule runs calls side by side, one step at a time: whoever is about to
// ask the store, or to close a connection, waits until it is chosen.
type schedule struct {
	mu      sync.Mutex
	waiting []chan struct{}
}

func (s *schedule) wait(string) error {
	turn := make(chan struct{})
	s.mu.Lock()
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	<-turn
	return nil
}

// run runs calls to their ends and chooses by chance whose turn it is, or that a
// moment passes first. It must be called in a bubble.
func (s *schedule) run(chance *rand.Rand, calls ...func()) {
	var wg sync.WaitGroup
	for _, call := range calls {
		wg.Go(call)
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		synctest.Wait() // until everybody waits for a turn or for time to pass
		select {
		case <-done:
			return
		default:
		}
		s.mu.Lock()
		n := len(s.waiting)
		i := chance.IntN(n + 1)
		if i == n {
			s.mu.Unlock()
			time.Sleep(pollEvery)
			continue
		}
		turn := s.waiting[i]
		s.waiting = slices.Delete(s.waiting, i, i+1)
		s.mu.Unlock()
		close(turn)
	}
}

// openConnections are connections that posts reach, until they are closed.
type openConnections struct {
	*fakePoster
	mu  sync.Mutex
	ids map[string]bool
}

func (o *openConnections) set(id string, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids[id] = open
}

func (o *openConnections) answer(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ids[id] {
		return errGonePost
	}
	return nil
}

// Close closes a connection, if it is open yet.
func (o *openConnections) Close(_ context.Context, id string) error {
	o.set(id, false)
	return nil
}

// In whatever order a ban, its application, and what the user does meanwhile on
// old and new connections take their steps, and whatever the index has not seen:
// once all is quiet, a user who is banned has no connection, no subscription and
// is no member, and sends nothing any more. So it is with a ban in a channel, but
// for the connections.
func TestNothingSlipsByABan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		channelID := rapid.SampledFrom([]string{"", "General"}).Draw(rt, "channel")
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		lag := rapid.Bool().Draw(rt, "lag")
		var broken error
		synctest.Test(t, func(t *testing.T) { broken = banMeanwhile(t, channelID, chance, lag) })
		if broken != nil {
			rt.Fatal(broken)
		}
	})
}

func banMeanwhile(t *testing.T, channelID string, chance *rand.Rand, lag bool) error {
	w, ctx := newWorld(t), t.Context()
	w.known(bert, "old")
	w.known(carl, "other")
	if lag { // until the end, of what is written from now on
		w.store.lagSince = w.clock
	}

	var s schedule
	w.store.fail = s.wait
	var failed []error
	var mu sync.Mutex
	must := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		switch ErrorCode(err) {
		case "", CodeBanned, CodeConnectionOver:
		default:
			failed = append(failed, err)
		}
	}
	old, fresh := Caller{"old", bert}, Caller{"new", bert}
	quiet, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream := func() {
		for quiet.Err() == nil {
			for _, c := range w.store.takeChanges() {
				must(w.Apply(ctx, c))
			}
			time.Sleep(pollEvery)
		}
	}
	open := &openConnections{fakePoster: w.poster, ids: map[string]bool{"old": true, "other": true}}
	w.Poster, w.poster.answer = open, open.answer
	s.run(chance,
		func() {
			must(w.store.PutSanction(ctx, Sanction{Kind: Banned, User: "bert", ChannelID: channelID, At: w.clock}))
		},
		func() {
			err := w.Connect(ctx, Connection{ID: "new", ConnectedAt: w.clock, Identity: bert})
			open.set("new", err == nil)
			must(err)
		},
		func() { _, err := w.Service.Subscribe(ctx, fresh, "General"); must(err) },
		func() { _, err := w.Service.Subscribe(ctx, old, "Secret"); must(err) },
		func() {
			_, err := w.Service.Send(ctx, old, Draft{ChannelID: "General", Content: "x"})
			must(err)
		},
		stream,
	)
	w.store.fail = func(string) error { return nil }
	w.store.lagSince = time.Time{}
	w.stream()
	if lag { // what the index showed to nobody, the next post finds
		for _, to := range []string{"General", "Secret"} {
			_, err := w.Service.Send(ctx, Caller{"other", carl}, Draft{ChannelID: to, Content: "x"})
			must(err)
		}
		w.stream()
	}

	sent := len(w.store.messages["General"])
	for _, c := range []Caller{old, fresh} {
		if _, err := w.Service.Send(ctx, c, Draft{ChannelID: "General", Content: "x"}); ErrorCode(err) != CodeBanned {
			failed = append(failed, fmt.Errorf("%s sends: %v", c.ConnectionID, err))
		}
	}
	if len(w.store.messages["General"]) != sent {
		failed = append(failed, errors.New("a message after the ban is stored"))
	}
	for _, id := range []string{"old", "new"} {
		if channelID == "" && open.answer(id) == nil {
			failed = append(failed, fmt.Errorf("%s is open", id))
		}
		_, err := w.store.GetConnection(context.Background(), id)
		if err == nil && channelID == "" {
			failed = append(failed, fmt.Errorf("%s is connected", id))
		}
	}
	for _, in := range []string{"General", "Secret"} {
		if in != "General" && channelID != "" {
			continue
		}
		if got := slices.DeleteFunc(w.subscribers(in), func(id string) bool { return id == "other" }); len(got) > 0 {
			failed = append(failed, fmt.Errorf("%s has %v", in, got))
		}
		if _, is := w.store.members[in]["USER|bert"]; is {
			failed = append(failed, fmt.Errorf("%s has a member who is banned", in))
		}
	}
	return errors.Join(failed...)
}
