package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const sendFrame = `{"action":"sendMessage","id":"7","channelId":"General","name":"ann","content":"hello"}`

// acks sends a frame until it is acknowledged, and gives the ack whole.
func (w *world) ack(connectionID, frame string) string {
	w.t.Helper()
	answer, err := w.Answer(w.t.Context(), ActionSendMessage, connectionID, []byte(frame))
	if err != nil || !strings.Contains(string(answer), `"event":"ack"`) {
		w.t.Fatalf("answer %s, %v", answer, err)
	}
	return string(answer)
}

func TestSendIsIdempotent(t *testing.T) {
	t.Parallel()
	t.Run("the same again has the same ack, one message and no number", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		first := w.ack("ann", sendFrame)
		w.clock = w.clock.Add(SentFor / 2)
		if again := w.ack("ann", sendFrame); again != first {
			t.Errorf("acks %s and %s", first, again)
		}
		if n, seq := len(w.store.messages["General"]), w.store.seqs["General"]; n != 1 || seq != 1 {
			t.Errorf("%d messages, %d numbers", n, seq)
		}
		frames := w.poster.take("bob")
		if frames = slices.Compact(frames); len(frames) != 1 || frames[0] != "channel_message General 1 ann hello" {
			t.Errorf("bob got %q", frames)
		}
	})
	t.Run("two copies race", func(t *testing.T) {
		t.Parallel()
		for n := range 8 {
			w := newWorld(t)
			w.quiet("ann", "bob")
			var acks []string
			send := func() { acks = append(acks, w.ack("ann", sendFrame)) }
			during(w, n, send, send)
			if acks[0] != acks[1] || len(w.store.messages["General"]) != 1 {
				t.Errorf("at %d: acks %s, %d messages", n, acks, len(w.store.messages["General"]))
			}
			if seq := w.store.seqs["General"]; seq > 2 {
				t.Errorf("at %d: %d numbers taken", n, seq)
			}
		}
	})
	t.Run("the first attempt crashed", func(t *testing.T) {
		t.Parallel()
		for _, at := range []string{"GetRules", "GetSent", "NextSeq", "PutSent", "PutMessage", "ListSubscribers"} {
			w := newWorld(t)
			w.quiet("ann", "bob")
			w.store.fail = func(method string) error {
				if method == at || method == "PutDelivery" {
					return errors.New("killed")
				}
				return nil
			}
			if answer, err := w.Answer(t.Context(), ActionSendMessage, "ann", []byte(sendFrame)); err == nil {
				t.Fatalf("%s fails, and the answer is %s", at, answer)
			}
			w.store.fail = func(string) error { return nil }
			if first, second := w.ack("ann", sendFrame), w.ack("ann", sendFrame); first != second {
				t.Errorf("crash at %s: acks %s and %s", at, first, second)
			}
			if n := len(w.store.messages["General"]); n != 1 {
				t.Errorf("crash at %s: %d messages", at, n)
			}
			if frames := w.poster.take("bob"); len(slices.Compact(frames)) != 1 {
				t.Errorf("crash at %s: bob got %q", at, frames)
			}
		}
	})
	t.Run("another message under the id is refused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.ack("ann", sendFrame)
		for _, other := range []string{
			strings.Replace(sendFrame, "hello", "hullo", 1), strings.Replace(sendFrame, `"ann"`, `"anna"`, 1),
			strings.Replace(sendFrame, "General", "Other", 1),
		} {
			if got := w.answer(ActionSendMessage, "ann", other); got != "error 7 id_reused" {
				t.Errorf("%s: %s", other, got)
			}
		}
		if w.store.seqs["General"] != 1 || w.store.seqs["Other"] != 0 {
			t.Errorf("numbers taken: %v", w.store.seqs)
		}
	})
	t.Run("ids are the sender's own", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.ack("ann", sendFrame)
		w.ack("bob", sendFrame)
		if n := len(w.store.messages["General"]); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestCallsOfASend holds what a message costs that needs no new tokens, a read and
// two writes, and what an id adds: one of each.
func TestCallsOfASend(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string][]string{
		strings.Replace(sendFrame, `"id":"7",`, "", 1): {"GetRules", "NextSeq", "PutMessage", "ListSubscribers"},
		sendFrame: {"GetRules", "GetSent", "NextSeq", "PutSent", "PutMessage", "ListSubscribers"},
	} {
		w := newWorld(t)
		w.quiet("ann")
		w.ack("ann", strings.Replace(sendFrame, `"7"`, `"6"`, 1)) // which takes tokens for a few
		var calls []string
		w.store.fail = func(method string) error {
			calls = append(calls, method)
			return nil
		}
		w.ack("ann", frame)
		equal(t, frame, calls, want)
	}
}

func TestPublishIsIdempotent(t *testing.T) {
	t.Parallel()
	request := PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: "green", MessageID: "build-17"}
	t.Run("the same message id is one message", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		for i := range 3 { // the key is free again, or another
			r := request
			r.Key = fmt.Sprint("k", i/2)
			w.store.request(r)
			w.stream()
		}
		equal(t, "ann", w.poster.take("ann"), []string{"channel_message General 1 bot green"})
		if len(w.store.requests) != 0 || w.store.seqs["General"] != 1 || len(w.store.rejected) != 0 {
			t.Errorf("left over: %v %v, numbers %v", w.store.requests, w.store.rejected, w.store.seqs)
		}
	})
	t.Run("with other content it is rejected", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.store.request(request)
		w.stream()
		r := request
		r.Content = "red"
		w.store.request(r)
		w.stream()
		if got := w.store.rejected["General|k"]; !strings.Contains(got, `"build-17" was used`) {
			t.Errorf("rejected with %q", got)
		}
	})
	t.Run("without one, two requests are two messages", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		r := request
		r.MessageID = ""
		for range 2 {
			w.store.request(r)
			w.stream()
		}
		if n := len(w.store.messages["General"]); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}
