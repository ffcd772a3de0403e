package chat

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	t.Parallel()
	frame := func(i int) string { return fmt.Sprintf(`{"channelId":"General","name":"ann","content":"%d"}`, i) }
	t.Run("one write does for several messages of who is slow", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.store.full = true
		for i := range 100 {
			if got, want := w.answer(ActionSendMessage, "ann", frame(i)), fmt.Sprint("ack General ", i+1); got != want {
				t.Fatalf("message %d: %s", i, got)
			}
			w.clock = w.clock.Add(5 * time.Second)
		}
		if n := len(w.store.taken); n != 20 {
			t.Errorf("%d writes for 100 messages", n)
		}
		w.answer(ActionSendMessage, "ann", frame(0))
		w.clock = w.clock.Add(leaseFor) // and what was taken is not kept for ever
		w.answer(ActionSendMessage, "ann", frame(0))
		if n := len(w.store.taken); n != 22 {
			t.Errorf("%d writes at the end", n)
		}
	})
	t.Run("everything else is counted, in every process", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		for i := range 15 {
			w.answer(ActionSendMessage, "ann", frame(i))
		}
		if n := len(w.store.taken); n != 11 { // five, and ten times one
			t.Errorf("%d writes for 15 messages", n)
		}
		w.senders = senders{} // another process
		w.answer(ActionSendMessage, "ann", frame(15))
		w.answer(ActionSendMessage, "bob", frame(0))
		if n := len(w.store.taken); n != 13 {
			t.Errorf("%d writes, want two more", n)
		}
	})
	t.Run("refused until there are tokens, at no cost", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		for i := range 10 {
			w.answer(ActionSendMessage, "ann", frame(i))
		}
		w.store.wait = 300 * time.Millisecond
		asked := 0
		w.store.fail = func(method string) error {
			if method == "TakeTokens" {
				asked++
			} else {
				t.Errorf("a refused frame reached the store: %s", method)
			}
			return nil
		}
		for route, frame := range map[string]string{
			ActionSendMessage: frame(11), ActionEditMessage: `{"channelId":"General","seq":1,"content":"x"}`,
			ActionDeleteMessage: `{"channelId":"General","seq":1}`,
		} {
			if got := w.answer(route, "ann", frame); got != "error rate_limited" {
				t.Errorf("%s: %s", route, got)
			}
		}
		if asked != 1 {
			t.Errorf("the store was asked %d times", asked)
		}
		w.store.fail = func(string) error { return nil }
		w.clock, w.store.wait = w.clock.Add(300*time.Millisecond), 0
		if got := w.answer(ActionSendMessage, "ann", frame(12)); got != "ack General 11" {
			t.Errorf("after the wait: %s", got)
		}
	})
	t.Run("no limit", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.Limits.MessagesPerSecond, w.store.wait = NoRateLimit, time.Hour
		w.quiet("ann")
		for i := range 50 {
			w.answer(ActionSendMessage, "ann", frame(i))
		}
		if len(w.store.taken) != 0 || w.store.seqs["General"] != 50 {
			t.Errorf("%d writes, %d messages", len(w.store.taken), w.store.seqs["General"])
		}
	})
	t.Run("a small burst is not taken in advance", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.Limits = Limits{MessagesPerSecond: 1, MessageBurst: 1}
		w.quiet("ann")
		w.answer(ActionSendMessage, "ann", frame(0))
		if !slices.Equal(w.store.taken, []int{1}) {
			t.Errorf("%v tokens were asked for", w.store.taken)
		}
	})
	t.Run("what is remembered is bounded", func(t *testing.T) {
		t.Parallel()
		var s senders
		for i := range 3 * sendersKept {
			s.keep(fmt.Sprint(i), 4, 0, start)
			if len(s.of) > sendersKept {
				t.Fatalf("%d are remembered", len(s.of))
			}
		}
	})
}
