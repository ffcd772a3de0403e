package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// brief gives what an answer lists, one text each.
func (w *world) brief(route, frame string) (all []string) {
	w.t.Helper()
	answer, err := w.Answer(w.t.Context(), route, "ann", []byte(frame))
	var l struct {
		Messages, Missed []struct {
			Event, Content, EditedAt string
			Seq, TargetSeq           int64
			Deleted                  bool
		}
	}
	if err := errors.Join(err, json.Unmarshal(answer, &l)); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range append(l.Messages, l.Missed...) {
		text := fmt.Sprintf("%s %d %s", m.Event, m.Seq, m.Content)
		if m.TargetSeq != 0 {
			text += fmt.Sprint(" of ", m.TargetSeq)
		}
		if m.EditedAt != "" {
			text += " edited"
		}
		if m.Deleted {
			text += "deleted"
		}
		all = append(all, text)
	}
	return all
}

func TestRevise(t *testing.T) {
	t.Parallel()
	const all = `{"channelId":"General","after":0}`
	edit := func(content string) string {
		return fmt.Sprintf(`{"channelId":"General","seq":1,"content":%q,"id":"e"}`, content)
	}
	const del = `{"channelId":"General","seq":1,"id":"d"}`
	t.Run("edited, announced, acknowledged, marked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.ack("ann", sendFrame)
		w.poster.take("bob")
		if got := w.answer(ActionEditMessage, "ann", edit("<x>hullo")); got != "ack e General 2" {
			t.Errorf("answer %s", got)
		}
		equal(t, "bob", w.poster.take("bob"), []string{"message_edited General 2 ann hullo"})
		w.ack("bob", strings.Replace(sendFrame, "hello", "next", 1))
		want := []string{"channel_message 1 hullo edited", "message_edited 2 hullo of 1", "channel_message 3 next"}
		equal(t, "history", w.brief(ActionGetHistory, all), want)
		equal(t, "missed", w.brief(ActionSubscribeChannel, all), want)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.ack("ann", sendFrame)
		for _, tt := range []struct{ route, frame, want string }{
			{ActionEditMessage, edit("hello"), "ack e General 1"},
			{ActionEditMessage, edit("hullo"), "ack e General 2"},
			{ActionEditMessage, edit("hullo"), "ack e General 2"},
			{ActionDeleteMessage, del, "ack d General 3"},
			{ActionDeleteMessage, del, "ack d General 3"},
			{ActionEditMessage, edit("hullo"), "error e message_not_found"},
		} {
			if got := w.answer(tt.route, "ann", tt.frame); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.route, got, tt.want)
			}
		}
	})
	t.Run("nothing brings back what is deleted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.ack("ann", sendFrame)
		w.answer(ActionEditMessage, "ann", edit("secret"))
		w.poster.take("bob")
		w.answer(ActionDeleteMessage, "ann", del)
		equal(t, "bob", w.poster.take("bob"), []string{"message_deleted General 3"})
		w.ack("ann", sendFrame) // a repetition
		equal(t, "bob, of a repetition", w.poster.take("bob"), nil)
		want := []string{"channel_message 1 deleted", "message_deleted 2  of 1", "message_deleted 3  of 1"}
		equal(t, "history", w.brief(ActionGetHistory, all), want)
		equal(t, "missed", w.brief(ActionSubscribeChannel, all), want)
		if stored := fmt.Sprint(w.store.messages); strings.Contains(stored, "hello") || strings.Contains(stored, "secret") {
			t.Errorf("still stored: %s", stored)
		}
	})
	t.Run("nor does a delivery that was held up", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.poster.answer = func(id string) error {
			if id == "bob" {
				return errFailedPost
			}
			return nil
		}
		w.ack("ann", sendFrame)
		w.answer(ActionEditMessage, "ann", edit("secret"))
		w.answer(ActionDeleteMessage, "ann", del)
		w.poster.answer = func(string) error { return nil }
		w.stream()
		equal(t, "bob", w.poster.take("bob"), []string{"message_deleted General 3"})
		if len(w.store.deliveries) != 0 {
			t.Errorf("left over: %v", w.store.deliveries)
		}
	})
	t.Run("by nobody else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.ack("ann", sendFrame)
		w.store.request(PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: "x"})
		w.stream()
		for route, frame := range map[string]string{ActionEditMessage: edit("mine"), ActionDeleteMessage: del} {
			if got := w.answer(route, "bob", frame); !strings.HasSuffix(got, " not_author") {
				t.Errorf("%s of ann's by bob: %s", route, got)
			}
			frame = strings.Replace(frame, `"seq":1`, `"seq":2`, 1)
			if got := w.answer(route, "", frame); !strings.HasSuffix(got, " not_author") {
				t.Errorf("%s of a service's by nobody: %s", route, got)
			}
		}
		equal(t, "history", w.brief(ActionGetHistory, all), []string{"channel_message 1 hello", "channel_message 2 x"})
	})
	t.Run("only of messages", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.ack("ann", sendFrame)
		w.answer(ActionEditMessage, "ann", edit("hullo"))
		for _, seq := range []string{"2", "3", "9007199254740991"} { // a revision, none, none
			for _, route := range []string{ActionEditMessage, ActionDeleteMessage} {
				frame := fmt.Sprintf(`{"channelId":"General","content":"x","seq":%s}`, seq)
				if got := w.answer(route, "ann", frame); got != "error message_not_found" {
					t.Errorf("%s of %s: %s", route, seq, got)
				}
			}
		}
		if w.store.seqs["General"] != 2 {
			t.Errorf("%d numbers taken", w.store.seqs["General"])
		}
	})
	t.Run("a revision whose message has expired shows nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("ann")
		w.ack("ann", sendFrame)
		w.answer(ActionEditMessage, "ann", edit("hullo"))
		delete(w.store.messages["General"], 1)
		equal(t, "history", w.brief(ActionGetHistory, all), []string{"message_deleted 2  of 1"})
	})
}

// Whatever order two edits are stored in, the message ends as those see it who
// apply the events in their order.
func TestConcurrentEditsEndAlike(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		w := newWorld(t)
		w.quiet("ann", "bob")
		w.ack("ann", sendFrame)
		w.poster.take("bob")
		edit := func(content string) func() {
			return func() {
				if _, err := w.Edit(t.Context(), "ann", "General", 1, content); err != nil {
					t.Error(err)
				}
			}
		}
		during(w, n, edit("one"), edit("two"))
		frames := w.poster.take("bob")
		slices.Sort(frames)
		last := frames[len(frames)-1]
		if m := w.store.messages["General"][1]; len(frames) != 2 || last != fmt.Sprintf("message_edited General %d ann %s", m.EditSeq, m.Content) {
			t.Errorf("at %d: stored %s at %d, seen %q", n, m.Content, m.EditSeq, frames)
		}
	}
}
