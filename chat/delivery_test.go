package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// many subscribes n connections, named in their order.
func many(w *world, channelID string, n int) (ids []string) {
	for i := range n {
		id := fmt.Sprintf("c%05d", i)
		w.store.subscribe(Subscription{ChannelID: channelID, ConnectionID: id})
		ids = append(ids, id)
	}
	return ids
}

func TestDeliveryThatRunsOutOfTimeGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := many(w, "big", 5000)
	ctx, cancel := context.WithCancel(t.Context())
	w.store.listed = func(id string) error {
		if id == "c03000" {
			return errors.New("page not read")
		}
		return nil
	}
	if _, err := w.Send(ctx, "alice", "big", "a", "x"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if len(w.store.deliveries) != 1 {
		t.Fatalf("%d deliveries handed over, want one", len(w.store.deliveries))
	}
	for _, d := range w.store.deliveries {
		if d.After != "c02999" || len(d.To) != 0 || d.Attempt != 1 {
			t.Errorf("handed over: after %q, to %d, attempt %d", d.After, len(d.To), d.Attempt)
		}
	}
	w.store.listed = func(string) error { return nil }
	w.stream()
	for _, id := range ids {
		if n := len(w.poster.frames[id]); n != 1 {
			t.Fatalf("%s got %d frames", id, n)
		}
	}
}

func TestDeliveryKilledAtEveryPostLosesNothing(t *testing.T) {
	t.Parallel()
	for k := range 12 {
		w := newWorld(t)
		ids := many(w, "room", 10)
		ctx, cancel := context.WithCancel(t.Context())
		posts := 0
		w.poster.answer = func(string) error {
			if posts++; posts == k {
				cancel()
			}
			return nil
		}
		// What is cancelled is the budget only: the reserve is for handing over.
		budget := ctx
		d := Delivery{ChannelID: "room", Frame: []byte("{}")}
		var walk walk
		outcome := w.poster.Post(budget, walk.over(w.audience(budget, d)), d.Frame)
		rest, givenUp := d.rest(walk, outcome, settled{}, budget.Err() != nil)
		if givenUp > 0 {
			t.Errorf("killed at post %d: %d given up", k, givenUp)
		}
		for _, r := range rest {
			r.Key = w.newID()
			w.store.putDelivery(r)
		}
		w.poster.answer = func(string) error { return nil }
		w.stream()
		for _, id := range ids {
			if len(w.poster.frames[id]) != 1 {
				t.Errorf("killed at post %d: %s got %d frames", k, id, len(w.poster.frames[id]))
			}
		}
		cancel()
	}
}

func TestUndeliveredIsHandedOverInChunks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many(w, "big", 2*MaxDeliveryTo+1)
	w.poster.answer = func(string) error { return errFailedPost }
	if _, err := w.Send(t.Context(), "alice", "big", "a", "x"); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, d := range w.store.deliveries {
		sizes = append(sizes, len(d.To))
	}
	slices.Sort(sizes)
	if want := []int{1, MaxDeliveryTo, MaxDeliveryTo}; !slices.Equal(sizes, want) {
		t.Errorf("deliveries to %v, want %v", sizes, want)
	}
}

// fails makes posts to some connections fail with err.
func fails(err error, ids ...string) func(string) error {
	return func(id string) error {
		if slices.Contains(ids, id) {
			return err
		}
		return nil
	}
}

func TestDeliveryToNobodyReachableFailsInTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		n    int
	}{
		{"nobody is reached", errFailedPost, 1},
		{"too many are refused for it to be their own fault", errBusyPost, FewConnections + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := many(w, "room", tt.n)
			w.poster.answer = func(string) error { return tt.err }
			if _, err := w.Send(t.Context(), "alice", "room", "a", "x"); err != nil {
				t.Fatal(err)
			}
			for pass := 1; ; pass++ {
				changes := w.store.takeChanges()
				if len(changes) != 1 {
					t.Fatalf("pass %d: %d changes", pass, len(changes))
				}
				err := w.Apply(t.Context(), changes[0])
				if pass < maxAttempts {
					if err != nil {
						t.Fatalf("pass %d: %v", pass, err)
					}
					continue
				}
				if !errors.Is(err, tt.err) {
					t.Fatalf("pass %d: %v", pass, err)
				}
				// The record stays, for the stream to try again and for the operator.
				if len(w.store.deliveries) != 1 {
					t.Errorf("%d deliveries left", len(w.store.deliveries))
				}
				w.poster.answer = func(string) error { return nil }
				if err := w.Apply(t.Context(), changes[0]); err != nil {
					t.Error(err)
				}
				break
			}
			for _, id := range ids {
				if n := len(w.poster.frames[id]); n != 1 {
					t.Errorf("%s got %d frames", id, n)
				}
			}
		})
	}
}

// One client that does not read must not hold up the stream, which is that of
// all channels.
func TestSlowConsumerIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		n    int // subscribers, of which the first slow ones are not reached
		slow int
	}{
		{"one of several", errBusyPost, 3, 1},
		{"one of several, for another reason", errFailedPost, 3, 1},
		{"many of more", errBusyPost, 2*FewConnections + 1, 2 * FewConnections},
		{"the only one", errBusyPost, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := many(w, "room", tt.n)
			posts := 0
			w.poster.answer = func(id string) error {
				if slices.Contains(ids[:tt.slow], id) {
					posts++
					return tt.err
				}
				return nil
			}
			if _, err := w.Send(t.Context(), "alice", "room", "a", "x"); err != nil {
				t.Fatal(err)
			}
			w.stream() // fails the test on any error
			if want := 2 * tt.slow; posts != want {
				t.Errorf("%d posts to slow connections, want %d: one more for each", posts, want)
			}
			if n := len(w.store.deliveries); n != 0 {
				t.Errorf("%d deliveries left", n)
			}
			for _, id := range ids[tt.slow:] {
				if n := len(w.poster.frames[id]); n != 1 {
					t.Errorf("%s got %d frames", id, n)
				}
			}
			equal(t, "subscribers, none of them ended", w.subscribers("room"), ids)
		})
	}
	t.Run("one that is known for it, at once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		many(w, "room", 2)
		w.poster.answer = fails(errSlowPost, "c00000")
		if _, err := w.Send(t.Context(), "alice", "room", "a", "x"); err != nil {
			t.Fatal(err)
		}
		if n := len(w.store.takeChanges()); n != 0 {
			t.Errorf("%d changes for the stream", n)
		}
	})
	t.Run("one that reads again gets the frame", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		many(w, "room", 2)
		w.poster.answer = fails(errBusyPost, "c00000")
		if _, err := w.Send(t.Context(), "alice", "room", "a", "x"); err != nil {
			t.Fatal(err)
		}
		w.poster.answer = fails(nil)
		w.stream()
		equal(t, "the slow one", w.poster.take("c00000"), []string{"channel_message room 1 a x"})
	})
	t.Run("as long as some are reached, the others wait for their turn", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ids := many(w, "room", 400)
		room := 0
		w.poster.answer = func(string) error { // as if the account's rate were used up
			if room--; room < 0 {
				return errBusyPost
			}
			return nil
		}
		room = 50
		if _, err := w.Send(t.Context(), "alice", "room", "a", "x"); err != nil {
			t.Fatal(err)
		}
		for {
			changes := w.store.takeChanges()
			if len(changes) == 0 {
				break
			}
			room = 50
			for _, c := range changes {
				if err := w.Apply(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, id := range ids {
			if n := len(w.poster.frames[id]); n != 1 {
				t.Errorf("%s got %d frames", id, n)
			}
		}
	})
	t.Run("whom the time was too short for is not slow", func(t *testing.T) {
		t.Parallel()
		d := Delivery{ChannelID: "room", Frame: []byte("{}"), To: []string{"a", "b"}, Late: true, Attempt: 1}
		rest, givenUp := d.rest(walk{taken: 1}, Outcome{Undelivered: []string{"a"}}, settled{}, true)
		if givenUp != 0 || len(rest) != 1 || !slices.Equal(rest[0].To, []string{"a", "b"}) || rest[0].Attempt != 2 {
			t.Errorf("%+v, %d given up", rest, givenUp)
		}
		d.Attempt = maxLate
		if rest, givenUp = d.rest(walk{taken: 1}, Outcome{Undelivered: []string{"a"}}, settled{}, true); givenUp != 2 || len(rest) != 0 {
			t.Errorf("for ever: %+v, %d given up", rest, givenUp)
		}
	})
}

func TestNamedDeliveryThatRunsOutOfTimeGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := Delivery{ChannelID: "room", Key: "k", Frame: []byte("{}"), To: []string{"a", "b", "c", "d"}, Attempt: 4}
		w.store.putDelivery(d)
		w.store.takeChanges()
		w.poster.answer = func(string) error { time.Sleep(2 * time.Second); return nil }
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // 3⅓ s of it for posts
		defer cancel()
		if err := w.Apply(ctx, d); err != nil {
			t.Fatal(err)
		}
		w.poster.answer = func(string) error { return nil }
		for _, c := range w.store.takeChanges() {
			if next := c.(Delivery); !slices.Equal(next.To, []string{"c", "d"}) || next.Attempt != 1 {
				t.Errorf("handed over: to %v, attempt %d", next.To, next.Attempt)
			}
			if err := w.Apply(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		for _, id := range d.To {
			if n := len(w.poster.frames[id]); n != 1 {
				t.Errorf("%s got %d frames", id, n)
			}
		}
	})
}

func TestFinishedDeliveryIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many(w, "room", 1)
	d := Delivery{ChannelID: "room", Key: "k", Frame: []byte("{}")}
	w.store.putDelivery(d)
	for range 2 {
		if err := w.Apply(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.poster.frames["c00000"]); n != 1 {
		t.Errorf("posted %d times", n)
	}
}

func TestSendKeepsTimeToHandOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		many(w, "room", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		w.poster.answer = func(string) error { // posts hang until their budget ends
			time.Sleep(2700 * time.Millisecond)
			return errFailedPost
		}
		began := time.Now()
		if _, err := w.Send(ctx, "alice", "room", "a", "x"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %v of the 4 s", took)
		}
		if len(w.store.deliveries) != 1 {
			t.Errorf("%d deliveries handed over", len(w.store.deliveries))
		}
	})
	t.Run("budgets", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			for _, tt := range []struct{ deadline, limit, want time.Duration }{
				{0, 5 * time.Second, 5 * time.Second},
				{30 * time.Second, 5 * time.Second, 5 * time.Second},
				{30 * time.Second, 0, 28 * time.Second},
				{3 * time.Second, 5 * time.Second, 2 * time.Second},
				{time.Second, 0, time.Second - time.Second/3},
			} {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if tt.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				}
				budget, stop := new(Service).budget(ctx, tt.limit)
				deadline, ok := budget.Deadline()
				if got := time.Until(deadline); !ok || got != tt.want {
					t.Errorf("deadline in %v, limit %v: budget %v, want %v", tt.deadline, tt.limit, got, tt.want)
				}
				stop()
				cancel()
			}
		})
	})
}

func TestGone(t *testing.T) {
	t.Parallel()
	t.Run("an old connection is removed and its leave announced", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		w.answer(ActionSubscribeChannel, "alice", `{"channelId":"Secret"}`)
		w.stream()
		w.poster.take("alice")
		w.poster.answer = func(id string) error {
			if id == "alice" {
				return errGonePost
			}
			return nil
		}
		if got, want := w.answer(ActionSendMessage, "bob", `{"channelId":"General","name":"b","content":"x"}`), "ack General 1"; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
		w.stream()
		equal(t, "bob", w.poster.take("bob"), []string{
			"channel_message General 1 b x", "subscriber_unsub General alice disconnected",
		})
		equal(t, "General", w.subscribers("General"), []string{"bob"})
		equal(t, "Secret", w.subscribers("Secret"), nil)
		if _, ok := w.store.connections["alice"]; ok {
			t.Error("the connection is still there")
		}
	})
	t.Run("a subscription without a connection is removed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("bob")
		s := Subscription{ChannelID: "General", ConnectionID: "ghost", Since: w.clock}
		w.poster.answer = func(id string) error {
			if id == "ghost" {
				return errGonePost
			}
			return nil
		}
		if err := w.store.PutSubscription(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		w.stream()
		equal(t, "bob", w.poster.take("bob"), []string{
			"subscriber_sub General ghost", "subscriber_unsub General ghost disconnected",
		})
		equal(t, "General", w.subscribers("General"), []string{"bob"})
	})
	t.Run("a subscription that the index does not know is removed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.subscribe(Subscription{ChannelID: "General", ConnectionID: "ghost"})
		w.store.lag = true
		w.poster.answer = func(string) error { return errGonePost }
		if _, err := w.Send(t.Context(), "bob", "General", "b", "x"); err != nil {
			t.Fatal(err)
		}
		equal(t, "General", w.subscribers("General"), nil)
	})
	t.Run("subscriptions without a connection are removed from all channels", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.subscribe(Subscription{ChannelID: "General", ConnectionID: "ghost"})
		w.store.subscribe(Subscription{ChannelID: "Quiet", ConnectionID: "ghost"})
		w.poster.answer = func(string) error { return errGonePost }
		if _, err := w.Send(t.Context(), "bob", "General", "b", "x"); err != nil {
			t.Fatal(err)
		}
		equal(t, "Quiet", w.subscribers("Quiet"), nil)
	})
	t.Run("a young connection sees its own join once it is open", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Now = time.Now
			opened := time.Now().Add(800 * time.Millisecond)
			w.poster.answer = func(string) error {
				if time.Now().Before(opened) {
					return errGonePost
				}
				return nil
			}
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			w.stream()
			equal(t, "alice", w.poster.take("alice"), []string{"subscriber_sub General alice"})
			if took := time.Since(opened); took > time.Second {
				t.Errorf("it took %v after opening", took)
			}
		})
	})
	t.Run("a young connection that opens late misses nothing and holds up nobody", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Now = time.Now
			opened := time.Now().Add(Grace - time.Second)
			w.poster.answer = func(id string) error {
				if id == "alice" && time.Now().Before(opened) {
					return errGonePost
				}
				return nil
			}
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			for changes := w.store.takeChanges(); len(changes) > 0; changes = w.store.takeChanges() {
				for _, c := range changes {
					began := time.Now()
					if err := w.Apply(t.Context(), c); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > youngFor {
						t.Errorf("the stream was blocked for %v at a time", took)
					}
				}
			}
			equal(t, "alice", w.poster.take("alice"), []string{"subscriber_sub General alice"})
		})
	})
	t.Run("a sender does not wait for a young connection, which misses nothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Now = time.Now
			opened := false
			w.poster.answer = func(string) error {
				if !opened {
					return errGonePost
				}
				return nil
			}
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			w.store.takeChanges() // its join is another test's
			began := time.Now()
			if _, err := w.Send(t.Context(), "bob", "General", "bob", "hello"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("the sender waited for %v", took)
			}
			opened = true
			w.stream()
			if got := w.poster.take("alice"); len(got) != 1 {
				t.Errorf("alice got %v, want the message", got)
			}
		})
	})
	t.Run("a young connection that does not open is removed when it is no longer young", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Now = time.Now
			w.poster.answer = func(string) error { return errGonePost }
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			w.stream()
			if took := time.Since(began); took < Grace || took > Grace+2*youngFor {
				t.Errorf("it took %v", took)
			}
			equal(t, "General", w.subscribers("General"), nil)
			if n := len(w.store.deliveries); n != 0 {
				t.Errorf("%d deliveries left", n)
			}
		})
	})
	t.Run("one that is young for ever is given up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t) // whose clock stands still
			w.poster.answer = func(string) error { return errGonePost }
			w.connect("alice")
			if n := len(w.store.deliveries); n != 0 {
				t.Errorf("%d deliveries left", n)
			}
			equal(t, "General", w.subscribers("General"), []string{"alice"})
		})
	})
	t.Run("of which nothing is known now, the frame is handed over", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.connect("alice") // young
		w.poster.take("alice")
		w.poster.answer = fails(errGonePost, "alice")
		down := func(m string) error {
			if m == "GetConnection" {
				return errors.New("throttled")
			}
			return nil
		}
		w.store.fail = down
		if _, err := w.Send(t.Context(), "bob", "General", "b", "x"); err != nil {
			t.Fatal(err)
		}
		w.store.fail = func(string) error { return nil }
		w.poster.answer = fails(nil)
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"channel_message General 1 b x"})

		w.store.fail, w.poster.answer = down, fails(errGonePost, "alice")
		if _, err := w.Send(t.Context(), "bob", "General", "b", "y"); err != nil {
			t.Fatal(err)
		}
		w.stream() // comes to rest, without an error, though nothing ever passes
		if n := len(w.store.deliveries); n != 0 {
			t.Errorf("%d deliveries left", n)
		}
	})
	t.Run("that cannot be removed now, it is found again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		w.poster.answer = func(id string) error {
			if id == "alice" {
				return errGonePost
			}
			return nil
		}
		w.store.fail = func(m string) error {
			if m == "GetConnection" {
				return errors.New("throttled")
			}
			return nil
		}
		if _, err := w.Send(t.Context(), "bob", "General", "b", "x"); err != nil {
			t.Errorf("the sender pays for it: %v", err)
		}
		w.store.fail = func(string) error { return nil }
		if _, err := w.Send(t.Context(), "bob", "General", "b", "y"); err != nil {
			t.Error(err)
		}
		equal(t, "General", w.subscribers("General"), []string{"bob"})
	})
}

// A delivery that a service wrote, without a frame, holds up nobody.
func TestADeliveryOfNothingIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("alice")
	if err := w.store.PutDelivery(t.Context(), Delivery{ChannelID: "General", Key: "x"}); err != nil {
		t.Fatal(err)
	}
	w.stream()
	if len(w.store.deliveries) > 0 || len(w.poster.take("alice")) > 0 {
		t.Errorf("left: %v", w.store.deliveries)
	}
}
