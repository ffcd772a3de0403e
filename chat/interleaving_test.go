package chat

import (
	"fmt"
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
