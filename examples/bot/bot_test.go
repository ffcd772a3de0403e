package main

import (
	"strings"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

func TestWhatIsAnswered(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"!roll 1d2":      "<b>a&amp;b</b> rolls 1d2: <b>",
		" !roll  d6 ":    "<b>a&amp;b</b> rolls 1d6: <b>",
		"!roll 3D8":      "<b>a&amp;b</b> rolls 3d8: ",
		"!roll 0d6":      "<b>a&amp;b</b> rolls 0d6: I have 20 dice, of 2 to 1000 sides",
		"!roll 999d9999": "<b>a&amp;b</b> rolls 999d9999: I have 20 dice, of 2 to 1000 sides",
		"roll 1d6":       "",
		"!roll 1d":       "",
		"!roll 1d6 now":  "",
		"":               "",
	} {
		got, ok := answer(chat.Message{ID: "m", SenderID: "c", Name: "a&b", Content: content})
		if ok != (want != "") || ok && !strings.HasPrefix(got, want) {
			t.Errorf("%q is answered with %q, %v, want %q", content, got, ok, want)
		}
	}
	asks := chat.Message{ID: "m", SenderID: "c", Name: "anna", Content: "!roll 1d6"}
	for what, change := range map[string]func(*chat.Message){
		"a service's": func(m *chat.Message) { m.SenderID = "" },
		"a revision":  func(m *chat.Message) { m.Target = 1 },
		"a deleted":   func(m *chat.Message) { m.DeletedAt = time.Now() },
	} {
		m := asks
		change(&m)
		if got, ok := answer(m); ok {
			t.Errorf("%s is answered with %q", what, got)
		}
	}
}

// The same message throws the same dice, another one others.
func TestDiceFallAsTheMessageHasIt(t *testing.T) {
	t.Parallel()
	first, _ := roll("!roll 20d1000", "m")
	again, _ := roll("!roll 20d1000", "m")
	other, _ := roll("!roll 20d1000", "n")
	if first != again || first == other {
		t.Errorf("rolled %q, %q and %q", first, again, other)
	}
	for range 3 {
		for _, id := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
			if one, _ := roll("!roll d2", id); one != "1d2: <b>1</b>" && one != "1d2: <b>2</b>" {
				t.Errorf("a coin shows %q", one)
			}
		}
	}
}
