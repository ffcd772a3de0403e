package chat

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCheckChannelID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"General", "a", "Secret", "room 101", "a.b_c:d@e/f#g-h", "Käsebrötchen", "日本語", "हिन्दी", "שלום", "٣",
		strings.Repeat("é", MaxChannelID),
	} {
		if err := CheckChannelID(id); err != nil {
			t.Errorf("CheckChannelID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{
		"", " ", " a", "a ", "a|b", "|", "a\nb", "a\tb", "a\u00a0b", "a\x00", "\xff", "a\u200bb", "<b>", "a&b", `"`, "👋", "a\u202eb",
		strings.Repeat("é", MaxChannelID+1),
	} {
		if got := ErrorCode(CheckChannelID(id)); got != CodeInvalidChannel {
			t.Errorf("CheckChannelID(%q) has code %q", id, got)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"johndoe", "johndoe"},
		{"  John \t Doe\n", "John Doe"},
		{"Jean-Luc 2", "Jean-Luc 2"},
		{"<b>Bob</b>", "bBobb"},
		{"o'Neil_#1!", "oNeil1"},
		{"José Müller", "José Müller"},
		{"Zoe\u0308", "Zoe\u0308"},
		{"मीना", "मीना"},
		{"日本 太郎", "日本 太郎"},
		{"عمر ٣", "عمر ٣"},
		{"a\u00a0b", "a b"},
		{"👋 Ann 👋", "Ann"},
		{"a\u202eb", "ab"},
		{strings.Repeat("é", MaxName) + "!!!", strings.Repeat("é", MaxName)},
	} {
		got, err := CleanName(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("CleanName(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
		if again, err := CleanName(got); err != nil || again != got {
			t.Errorf("CleanName(%q) = %q, %v, want itself", got, again, err)
		}
	}
	for _, in := range []string{"", " ", "!!!", "👋", strings.Repeat("a", MaxName+1)} {
		if got, err := CleanName(in); ErrorCode(err) != CodeInvalidName {
			t.Errorf("CleanName(%q) = %q, %v", in, got, err)
		}
	}
}

func TestFrameLimit(t *testing.T) {
	t.Parallel()
	size := func(n int) Message {
		return Message{ChannelID: "c", Name: "n", ID: "i", Content: strings.Repeat("x", n)}
	}
	empty, err := encodeMessage(size(0))
	if err != nil {
		t.Fatal(err)
	}
	room := MaxMessage - len(empty)
	if frame, err := encodeMessage(size(room)); err != nil || len(frame) != MaxMessage {
		t.Errorf("a frame of %d bytes: %v", len(frame), err)
	}
	if _, err := encodeMessage(size(room + 1)); ErrorCode(err) != CodeFrameTooLarge {
		t.Errorf("a frame one byte too long: %v", err)
	}
}

// Also at the very limit, what is refused takes no sequence number, and what
// takes one is stored.
func TestRefusedMessagesTakeNoSequenceNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const before = int64(1) << 62 // a number as long as they come
	w.store.seqs["c"] = before
	stored, refused := int64(0), 0
	for n := MaxMessage - 200; n < MaxMessage; n++ {
		w.Sanitize = func(string) string { return strings.Repeat("x", n) }
		_, err := w.Send(t.Context(), "alice", "c", "n", "x")
		switch ErrorCode(err) {
		case "":
			stored++
		case CodeFrameTooLarge:
			refused++
		default:
			t.Fatalf("%d bytes: %v", n, err)
		}
		if got := w.store.seqs["c"] - before; got != stored {
			t.Fatalf("%d bytes: %d numbers taken for %d messages", n, got, stored)
		}
	}
	if stored == 0 || refused == 0 {
		t.Errorf("%d stored, %d refused: the limit is not where it is looked for", stored, refused)
	}
}

func TestMarkupIsNotEscapedInFrames(t *testing.T) {
	t.Parallel()
	frame, err := encodeMessage(Message{Content: "<b>1</b> &amp; 2"})
	if err != nil || !strings.Contains(string(frame), `"content":"<b>1</b> &amp; 2"`) {
		t.Errorf("frame %s, %v", frame, err)
	}
}

func TestNewID(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 1000 {
		ids = append(ids, NewID(start.Add(time.Duration(i)*time.Millisecond)))
	}
	if !slices.IsSorted(ids) {
		t.Error("ids do not sort by their time")
	}
	if got := len(slices.Compact(slices.Clone(ids))); got != len(ids) {
		t.Errorf("%d of %d ids differ", got, len(ids))
	}
	if id := ids[0]; len(id) != 36 || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%s is no UUID of version 7", id)
	}
	if one, two := NewID(start), NewID(start); one == two {
		t.Errorf("two ids of one millisecond are both %s", one)
	}
}
