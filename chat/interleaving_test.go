package chat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// during runs other in the middle of call: just before its nth call of the
// store, or after it all if it makes fewer.
func during(w *world, n int, call, other func()) {
	calls, done := 0, false
	w.store.fail = func(string) error {
		if calls++; calls > n && !done {
			done = true
			other()
		}
		return nil
	}
	call()
	if !done {
		done = true
		other()
	}
	w.store.fail = func(string) error { return nil }
}

// Whenever a disconnect comes, and whatever the index has not seen yet, nothing
// stays subscribed once the stream has come to rest.
func TestDisconnectDuringSubscribe(t *testing.T) {
	t.Parallel()
	for _, lag := range []bool{false, true} {
		for n := range 6 {
			subscribe := func(w *world) {
				_, err := w.Subscribe(w.t.Context(), "alice", "Secret")
				if code := ErrorCode(err); code != "" && code != CodeConnectionOver {
					t.Error(err)
				}
			}
			disconnect := func(w *world) {
				if err := w.Disconnect(w.t.Context(), "alice"); err != nil {
					t.Error(err)
				}
			}
			for name, order := range map[string][2]func(*world){
				"disconnect during subscribe": {subscribe, disconnect},
				"subscribe during disconnect": {disconnect, subscribe},
			} {
				t.Run(fmt.Sprint(name, " at ", n, " lag ", lag), func(t *testing.T) {
					w := newWorld(t)
					w.quiet("alice", "bob")
					w.store.lag = lag
					during(w, n, func() { order[0](w) }, func() { order[1](w) })
					w.store.lag = false
					w.stream()
					equal(t, "Secret", w.subscribers("Secret"), nil)
					equal(t, "General", w.subscribers("General"), []string{"bob"})
				})
			}
		}
	}
}

// A disconnect may even come before $connect has ended. What is then left of
// the connection goes with the first post after its youth.
func TestDisconnectDuringConnect(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		w := newWorld(t)
		w.quiet("bob")
		during(w, n, func() {
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: w.clock}); err != nil {
				t.Error(err)
			}
		}, func() {
			if err := w.Disconnect(t.Context(), "alice"); err != nil {
				t.Error(err)
			}
		})
		w.stream()
		w.clock = w.clock.Add(time.Minute)
		w.poster.answer = func(id string) error {
			if id == "alice" {
				return errGonePost
			}
			return nil
		}
		if _, err := w.Send(t.Context(), "bob", "General", "b", "x"); err != nil {
			t.Fatal(err)
		}
		w.stream()
		equal(t, fmt.Sprint("General, disconnected at ", n), w.subscribers("General"), []string{"bob"})
	}
}

// interleave runs calls side by side, of which one at a time goes on to its next
// call of the store; choose says which of n.
func interleave(w *world, choose func(n int) int, calls []func()) {
	paused := make(chan bool) // false: the call has ended
	var running chan struct{}
	w.store.fail = func(string) error {
		turn := running
		paused <- true
		<-turn
		return nil
	}
	var turns []chan struct{}
	for _, call := range calls {
		turn := make(chan struct{})
		turns = append(turns, turn)
		go func() {
			<-turn
			call()
			paused <- false
		}()
	}
	for len(turns) > 0 {
		i := choose(len(turns))
		running = turns[i]
		running <- struct{}{}
		if !<-paused {
			turns = slices.Delete(turns, i, i+1)
		}
	}
	w.store.fail = func(string) error { return nil }
}

// Whatever of connect, disconnect, subscribe, unsubscribe, expiry and the stream
// happens in the middle of which other, nothing of a connection that has ended
// stays subscribed, and the members are those who are, once the stream has come to
// rest. Each seed is another interleaving.
func TestNoInterleavingLeavesAGhost(t *testing.T) {
	t.Parallel()
	ended, expired := 0, 0
	for seed := range uint64(4000) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t)
		w.quiet("bob")
		ctx := t.Context()
		report := func(err error) {
			if code := ErrorCode(err); code != "" && code != CodeConnectionOver {
				t.Error(err)
			}
		}
		connect := func() { report(w.Connect(ctx, Connection{ID: "alice", ConnectedAt: w.clock})) }
		young := random.IntN(3) == 0
		var calls []func()
		if young {
			calls = append(calls, connect)
		} else {
			connect()
			w.stream()
			w.clock = w.clock.Add(time.Minute)
		}
		over := false
		possible := []func(){
			func() { over = true; report(w.Disconnect(ctx, "alice")) },
			func() { over = true; w.store.expireConnection("alice"); expired++ },
			func() { _, err := w.Subscribe(ctx, "alice", "Secret"); report(err) },
			func() { report(w.Unsubscribe(ctx, "alice", "Secret")) },
			func() { w.store.expireSubscription("Secret", "alice") },
			func() { w.store.expireSubscription("General", "alice") },
		}
		for range 2 + random.IntN(4) {
			calls = append(calls, possible[random.IntN(len(possible))])
		}
		w.store.lag = random.IntN(2) == 0
		calls = append(calls, func() { // the stream, in its order, which the index is ahead of
			for range 6 {
				w.store.fail("wait for changes")
				for _, c := range w.store.takeChanges() {
					w.store.lag = false
					if err := w.Apply(ctx, c); err != nil {
						t.Error(err)
					}
				}
			}
		})
		interleave(w, random.IntN, calls)
		w.store.lag = false
		w.stream()
		if young && over { // what is left goes with the first post after the youth
			w.clock = w.clock.Add(time.Minute)
			w.poster.answer = func(id string) error {
				if id == "alice" {
					return errGonePost
				}
				return nil
			}
			for _, channel := range []string{"General", "Secret"} {
				if _, err := w.Send(ctx, "bob", channel, "b", "x"); err != nil {
					t.Fatal(err)
				}
			}
			w.stream()
		}
		if over {
			ended++
		}
		for _, channel := range []string{"General", "Secret"} {
			there := w.subscribers(channel)
			if over && slices.Contains(there, "alice") {
				t.Errorf("seed %d: %s has a ghost", seed, channel)
			}
			var members []string
			for m, err := range w.store.ListMembers(ctx, channel, "", 100) {
				if err != nil {
					t.Fatal(err)
				}
				members = append(members, m.Connections...)
			}
			slices.Sort(members)
			equal(t, fmt.Sprintf("seed %d: members of %s", seed, channel), members, there)
		}
	}
	if ended < 1000 || expired < 500 {
		t.Errorf("only %d connections ended, %d of them expired", ended, expired)
	}
}

// expireConnection and expireSubscription delete as DynamoDB's time to live does.
func (f *fakeStore) expireConnection(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.connections[id]; ok {
		delete(f.connections, id)
		f.changes = append(f.changes, ConnectionEnded{id, c.User})
	}
}

func (f *fakeStore) expireSubscription(channelID, connectionID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.subscriptions[channelID][connectionID]; ok {
		delete(f.subscriptions[channelID], connectionID)
		f.changes = append(f.changes, Left{Subscription: s, Expired: true})
	}
}

// Defect 6 of the 2018 example, in part: the name of a channel was taken as it
// came and put into keys that | divides.
func TestDefect6NoChannelNameReachesAnotherKey(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"General|CONNECTION|x", "|", "a|META", "General|"} {
		for _, route := range []string{ActionSendMessage, ActionSubscribeChannel, ActionUnsubscribeChannel} {
			w := newWorld(t)
			w.quiet("alice")
			w.store.fail = func(method string) error {
				t.Errorf("%s %q reached the store: %s", route, name, method)
				return nil
			}
			frame := fmt.Sprintf(`{"channelId":%q,"name":"a","content":"x"}`, name)
			if got := w.answer(route, "alice", frame); !strings.Contains(got, string(CodeInvalidChannel)) {
				t.Errorf("%s %q: %s", route, name, got)
			}
		}
	}
}
