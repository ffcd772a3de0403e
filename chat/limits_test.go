package chat

import (
	"fmt"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	newWorld := func(t *testing.T) *world {
		w := newWorld(t)
		w.Limits = Limits{Content: 10, Name: 5, ChannelID: 8, Subscriptions: 3}
		w.quiet("ann")
		return w
	}
	send := func(channel, name, content string) string {
		return fmt.Sprintf(`{"channelId":%q,"name":%q,"content":%q}`, channel, name, content)
	}
	const atLimit, over = "ééééé", "ééééé!" // ten bytes, eleven
	for _, tt := range []struct{ route, frame, want, says string }{
		{ActionSendMessage, send("General", "ann", atLimit), "ack General 1", ""},
		{ActionSendMessage, send("General", "ann", over), "error content_too_long", "11 bytes of UTF-8 long: send at most 10"},
		{ActionEditMessage, `{"channelId":"General","seq":1,"content":"` + over + `"}`, "error content_too_long", "at most 10"},
		{ActionSendMessage, send("General", "ääääää", "x"), "error invalid_name", "at most 5"},
		{ActionSendMessage, send("General", "!", "x"), "error invalid_name", "1 to 5 letters"},
		{ActionTyping, send("General", "aaaaaa", "x"), "error invalid_name", "at most 5"},
		{ActionSendMessage, send("äääääääää", "ann", "x"), "error invalid_channel", "longer than 8"},
		{ActionSubscribeChannel, send("äääääääää", "", ""), "error invalid_channel", "longer than 8"},
		{ActionSubscribeChannel, send("ääääääää", "", ""), "subscribed ääääääää 0", ""},
		{ActionGetHistory, send("äääääääää", "", ""), "history äääääääää", ""}, // of before the limit
	} {
		w := newWorld(t)
		answer, err := w.Answer(t.Context(), tt.route, "ann", []byte(tt.frame))
		if got := shorten(string(answer)); err != nil || got != tt.want {
			t.Errorf("%s %s: %s, %v, want %s", tt.route, tt.frame, got, err, tt.want)
		}
		if !strings.Contains(string(answer), tt.says) {
			t.Errorf("%s does not say %q", answer, tt.says)
		}
	}
	t.Run("subscriptions", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t) // in General
		for _, tt := range []struct{ channel, want string }{
			{"a", "subscribed a 0"},
			{"b", "subscribed b 0"},
			{"c", "error too_many_subscriptions"},
			{"a", "subscribed a 0"}, // it is in it
		} {
			if got := w.answer(ActionSubscribeChannel, "ann", send(tt.channel, "", "")); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.channel, got, tt.want)
			}
		}
		w.answer(ActionUnsubscribeChannel, "ann", send("a", "", ""))
		if got := w.answer(ActionSubscribeChannel, "ann", send("c", "", "")); got != "subscribed c 0" {
			t.Errorf("after leaving one: %s", got)
		}
	})
	t.Run("services have those of messages", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.request(PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: over})
		w.stream()
		if got := w.store.rejected["General|k"]; !strings.Contains(got, "at most 10") {
			t.Errorf("rejected with %q", got)
		}
	})
	t.Run("the highest fit into a frame", func(t *testing.T) {
		t.Parallel()
		m := Message{
			ChannelID: strings.Repeat("𠮷", MaxChannelID), Name: strings.Repeat("𠮷", MostName), Seq: MaxSeq,
			ID: NewID(start), SenderID: strings.Repeat("x", 128), Content: strings.Repeat("x", MostContent),
		}
		if _, err := encodeMessage(m); err != nil {
			t.Error(err)
		}
	})
}
