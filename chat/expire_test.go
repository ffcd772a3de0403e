package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoFrameIsServedOnceTheTokenHasExpired(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		expiresAt time.Time
		want      Code
	}{
		"without an expiry":     {time.Time{}, ""},
		"a moment before":       {start.Add(time.Second), ""},
		"at the expiry":         {start, CodeTokenExpired},
		"long after the expiry": {start.Add(-time.Hour), CodeTokenExpired},
	} {
		i := Identity{User: "ada", ExpiresAt: tt.expiresAt}
		if got := ErrorCode(i.checkExpiry(start)); got != tt.want {
			t.Errorf("%s: code %q, want %q", name, got, tt.want)
		}
	}
}

// An expiring world is one in a bubble of its own, where time is the bubble's.
func expiring(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Now = func() time.Time { return time.Now().UTC().Round(0) }
		w.clock = w.Now()
		test(t, w)
	})
}

// expires connects, without its being announced, and stores when it ends.
func (w *world) expires(id string, after time.Duration) {
	w.t.Helper()
	w.connect(id)
	if err := w.putExpiry(w.t.Context(), id, w.Now().Add(after)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) endExpired(want string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 90*time.Second)
	defer cancel()
	if got := fmt.Sprint(w.EndExpired(ctx)); got != want {
		w.t.Errorf("EndExpired: %v, want %v", got, want)
	}
}

const noError = "<nil>"

// lasted gives when connections were closed, counted from a time.
func (w *world) lasted(from time.Time, ids ...string) (lasted []string) {
	for _, id := range ids {
		if at, closed := w.poster.closed[id]; closed {
			lasted = append(lasted, fmt.Sprint(id, " ", at.Sub(from)))
		} else {
			lasted = append(lasted, id+" open")
		}
	}
	return lasted
}

func TestConnectionsEndWithTheirTokens(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("soon", 20*time.Second)
		w.expires("sooner", 13*time.Second)
		w.expires("later", 75*time.Second)
		w.connect("never")
		w.poster.take("sooner")
		began := w.Now()
		time.Sleep(10 * time.Second)
		w.endExpired(noError)
		equal(t, "closed", w.lasted(began, "sooner", "soon", "later", "never"), []string{"sooner 13s", "soon 20s", "later 1m15s", "never open"})
		equal(t, "told", w.poster.take("sooner"), []string{"token_expired"})
		w.poster.take("never")
		w.stream()
		equal(t, "the others", w.poster.take("never"), []string{
			"subscriber_unsub General sooner expired", "subscriber_unsub General soon expired", "subscriber_unsub General later expired",
		})
		equal(t, "left in the channel", w.subscribers("General"), []string{"never"})
		if len(w.store.expiries) != 0 {
			t.Errorf("left over: %v", w.store.expiries)
		}
	})
}

func TestWhatExpiresAfterTheNextCallIsLeftToIt(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", 2*time.Minute)
		began := w.Now()
		w.endExpired(noError)
		if waited := w.Now().Sub(began); waited != 0 {
			t.Errorf("waited %v for nothing", waited)
		}
		time.Sleep(time.Minute)
		w.endExpired(noError)
		equal(t, "closed", w.lasted(began, "alice"), []string{"alice 2m0s"})
	})
}

func TestACallLeavesItselfTimeToEndWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", 5*time.Second)
		w.expires("bob", 25*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := w.EndExpired(ctx); err != nil {
			t.Error(err)
		}
		equal(t, "connections", w.lasted(w.clock, "alice", "bob"), []string{"alice 5s", "bob open"})
	})
}

func TestNoExpiryIsForgottenWhenCallsWereMissed(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", time.Minute)
		time.Sleep(2 * time.Hour) // and nobody called
		w.endExpired(noError)
		equal(t, "closed", w.lasted(w.clock, "alice"), []string{"alice 2h0m0s"})
	})
	expiring(t, func(t *testing.T, w *world) {
		w.endExpired(noError)
		w.expires("alice", time.Minute)
		time.Sleep(time.Hour)
		w.endExpired(noError)
		equal(t, "closed", w.lasted(w.clock, "alice"), []string{"alice 1h0m0s"})
	})
}

func TestOneConnectionsFailureKeepsNoOthersEnd(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		for _, id := range []string{"alice", "bob", "carol"} {
			w.expires(id, time.Second)
		}
		time.Sleep(Grace)
		down := errors.New("500")
		w.poster.answer = func(id string) error {
			if id == "bob" {
				return down
			}
			return nil
		}
		w.endExpired("end expired connections: 1 of 3 connections not ended, such as bob: 500")
		equal(t, "connections", w.lasted(w.clock, "alice", "bob", "carol"), []string{"alice 10s", "bob open", "carol 10s"})

		time.Sleep(time.Hour) // an outage; what failed is not forgotten meanwhile
		down = nil
		w.endExpired(noError)
		equal(t, "bob", w.lasted(w.clock, "bob"), []string{"bob 1h0m10s"})
	})
}

func TestAClientThatIsNotToldIsClosedAllTheSame(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", time.Second)
		asked := 0
		w.poster.answer = func(string) error {
			if asked++; asked == 1 { // the post, which comes before the close
				return errBusyPost
			}
			return nil
		}
		w.endExpired(noError)
		equal(t, "connections", w.lasted(w.clock, "alice"), []string{"alice 1s"})
	})
}

// A 410 of a young connection may only mean that $connect has not finished.
func TestAConnectionThatMayYetOpenIsLeftToTheNextCall(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", time.Second)
		w.poster.answer = func(string) error { return errGonePost }
		w.endExpired(noError)
		equal(t, "not ended", w.lasted(w.clock, "alice"), []string{"alice open"})
		equal(t, "subscribers", w.subscribers("General"), []string{"alice"})

		w.poster.answer = func(string) error { return nil } // it is open now
		time.Sleep(time.Minute)
		w.endExpired(noError)
		equal(t, "ended", w.lasted(w.clock, "alice"), []string{"alice 1m1s"})
	})
}

func TestAConnectionThatIsGoneLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", time.Second)
		w.poster.answer = func(string) error { return errGonePost }
		time.Sleep(Grace)
		w.endExpired(noError)
		if len(w.store.expiries)+len(w.store.connections)+len(w.subscribers("General")) != 0 {
			t.Errorf("left over: %v, %v, %v", w.store.expiries, w.store.connections, w.subscribers("General"))
		}
	})
}

func TestCallsThatOverlapEndEachConnection(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		const connections = 3 * expiryWorkers
		for i := range connections {
			w.expires(fmt.Sprint(i), time.Duration(i%70)*time.Second)
		}
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() {
				if err := w.EndExpired(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		for i := range connections {
			want := fmt.Sprint(i, " ", time.Duration(i%70)*time.Second)
			equal(t, "closed", w.lasted(w.clock, fmt.Sprint(i)), []string{want})
		}
		equal(t, "subscribers", w.subscribers("General"), nil)
	})
}

func TestExpiriesThatCannotBeReadAreAnError(t *testing.T) {
	t.Parallel()
	expiring(t, func(t *testing.T, w *world) {
		w.expires("alice", time.Second)
		broken := errors.New("table is down")
		reads := 0
		w.store.fail = func(method string) error {
			if method != "ListExpiries" {
				return nil
			}
			if reads++; reads == 1 {
				return broken
			}
			return nil
		}
		if err := w.EndExpired(t.Context()); !errors.Is(err, broken) {
			t.Errorf("EndExpired: %v", err)
		}
		equal(t, "ended all the same", w.lasted(w.clock, "alice"), []string{"alice 1s"})
		if w.expired.Load() != 0 {
			t.Error("what was not read is forgotten")
		}
	})
}

func TestOnlyAnExpiryThatEndsAConnectionIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, tt := range map[string]struct {
		expiresAt time.Time
		want      int
	}{
		"none":                              {time.Time{}, 0},
		"after the end of every connection": {start.Add(24 * time.Hour), 0},
		"within an hour":                    {start.Add(time.Hour), 1},
	} {
		identity := Identity{User: "ada", ExpiresAt: tt.expiresAt}
		if err := w.Connect(t.Context(), Connection{ID: id, ConnectedAt: start, Identity: identity}); err != nil {
			t.Fatal(err)
		}
		if got := len(w.store.expiries); got != tt.want {
			t.Errorf("%s: %d stored, want %d", id, got, tt.want)
		}
		if err := w.DropExpiry(t.Context(), Caller{id, identity}); err != nil || len(w.store.expiries) != 0 {
			t.Errorf("%s: after the connection's end: %v, %v", id, w.store.expiries, err)
		}
	}
}

func TestNobodyConnectsWithAnExpiredToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: start, Identity: Identity{User: "ada", ExpiresAt: start}})
	if ErrorCode(err) != CodeTokenExpired || len(w.store.connections)+len(w.store.expiries) != 0 {
		t.Errorf("Connect: %v; left over: %v, %v", err, w.store.connections, w.store.expiries)
	}
}

// Between the expiry and the end of the connection, nothing is served, and a
// subscription has ended by itself.
func TestAnExpiredTokenNeitherAsksNorHears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := Caller{"alice", Identity{User: "ada", ExpiresAt: start.Add(time.Hour)}}
	if err := w.Connect(t.Context(), Connection{ID: c.ConnectionID, ConnectedAt: start, Identity: c.Identity}); err != nil {
		t.Fatal(err)
	}
	if got := w.store.subscriptions["General"]["alice"].Until; !got.Equal(c.ExpiresAt) {
		t.Errorf("the subscription ends at %v, want the token's expiry", got)
	}
	for _, want := range []string{"pong", "error token_expired"} {
		if got := w.answer(ActionPing, "alice", "{}"); got != want {
			t.Errorf("at %v: %s, want %s", w.clock, got, want)
		}
		w.clock = w.clock.Add(time.Hour)
	}
}

// What allows a subscription is whatever ends first.
func TestASubscriptionEndsWithGrantOrToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	early, late := start.Add(time.Hour), start.Add(2*time.Hour)
	for _, tt := range []struct{ grant, token, want time.Time }{
		{time.Time{}, time.Time{}, time.Time{}},
		{early, time.Time{}, early},
		{time.Time{}, early, early},
		{early, late, early},
		{late, early, early},
	} {
		got := w.subscription("General", Caller{"alice", Identity{User: "ada", ExpiresAt: tt.token}}, Rules{GrantUntil: tt.grant}).Until
		if !got.Equal(tt.want) {
			t.Errorf("grant %v, token %v: until %v", tt.grant, tt.token, got)
		}
	}
}
