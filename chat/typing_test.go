package chat

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestTyping(t *testing.T) {
	t.Parallel()
	const frame = `{"channelId":"General","name":"ann!","id":"7"}`
	t.Run("the others see it, nobody keeps it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob", "cid")
		w.poster.answer = func(id string) error {
			return map[string]error{"bob": errFailedPost, "cid": nil}[id]
		}
		if got := w.answer(ActionTyping, "ann", frame); got != "ack 7 General" {
			t.Errorf("answer %s", got)
		}
		equal(t, "ann", w.poster.take("ann"), nil)
		equal(t, "cid", w.poster.take("cid"), []string{"typing General ann"})
		if changes := w.store.takeChanges(); len(changes) != 0 || w.store.seqs["General"] != 0 || len(w.store.messages) != 0 {
			t.Errorf("it left %v", changes)
		}
	})
	t.Run("limited", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		for i := range 20 {
			if got := w.answer(ActionTyping, "ann", frame); got != "ack 7 General" {
				t.Errorf("answer %s", got)
			}
			if i%10 == 9 {
				w.clock = w.clock.Add(TypingEvery)
			}
		}
		equal(t, "bob", w.poster.take("bob"), []string{"typing General ann", "typing General ann"})
	})
	t.Run("not among many", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for i := range MaxTyping + 50 {
			w.store.subscribe(Subscription{ChannelID: "big", ConnectionID: fmt.Sprintf("%04d", i)})
		}
		w.answer(ActionTyping, "0000", `{"channelId":"big"}`)
		if len(w.poster.frames) != 0 || w.store.overread {
			t.Errorf("%d were told, too many read %t", len(w.poster.frames), w.store.overread)
		}
	})
	t.Run("an outage is our fault", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.fail = func(string) error { return errors.New("down") }
		if _, err := w.Answer(t.Context(), ActionTyping, "ann", []byte(frame)); err == nil {
			t.Error("no error")
		}
	})
	t.Run("what is remembered is bounded", func(t *testing.T) {
		t.Parallel()
		var seen typists
		for i := range 10 * typistsKept {
			seen.allow(fmt.Sprint(i), start.Add(TypingEvery*3*time.Duration(i)/typistsKept))
			if len(seen.last) > typistsKept {
				t.Fatalf("%d are remembered", len(seen.last))
			}
		}
	})
}
