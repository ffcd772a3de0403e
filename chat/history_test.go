package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// say puts a message as Send would, with any content.
func (w *world) say(channelID string, seq int64, content string) {
	w.t.Helper()
	m := Message{ChannelID: channelID, Seq: seq, ID: fmt.Sprint("m", seq), At: w.clock, SenderID: "ann", Name: "ann", Content: content}
	if err := w.store.PutMessage(w.t.Context(), m); err != nil {
		w.t.Fatal(err)
	}
	w.store.seqs[channelID] = max(w.store.seqs[channelID], seq)
}

// A listing is an answer that has messages.
type listing struct {
	Event, ID string
	Messages  []messageEvent
	Missed    []messageEvent
	Seq, From int64
	More      bool
}

// list gives the answer to a frame that asks for messages, and checks its size.
func (w *world) list(t rapid.TB, route, frame string) listing {
	t.Helper()
	answer, err := w.Answer(w.t.Context(), route, "ann", []byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	if len(answer) > MaxFrame {
		t.Fatalf("the answer to %s is %d bytes long", frame, len(answer))
	}
	var l listing
	if err := json.Unmarshal(answer, &l); err != nil || l.Event == "error" {
		t.Fatalf("%s was answered with %s: %v", frame, answer, err)
	}
	return l
}

func seqsOf(messages []messageEvent) (seqs []int64) {
	for _, m := range messages {
		seqs = append(seqs, m.Seq)
	}
	return seqs
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("ann")
	for _, seq := range []int64{1, 2, 4, 5, 9} { // numbers without a message are gaps
		w.say("c", seq, "x")
	}
	for _, tt := range []struct {
		fields string
		want   []int64
		more   bool
	}{
		{``, []int64{9, 5, 4, 2, 1}, false},
		{`,"limit":2`, []int64{9, 5}, true},
		{`,"limit":5`, []int64{9, 5, 4, 2, 1}, false},
		{`,"before":5`, []int64{4, 2, 1}, false},
		{`,"before":5,"limit":2`, []int64{4, 2}, true},
		{`,"before":1`, nil, false},
		{`,"after":0,"limit":3`, []int64{1, 2, 4}, true},
		{`,"after":4`, []int64{5, 9}, false},
		{`,"after":9`, nil, false},
	} {
		l := w.list(t, ActionGetHistory, `{"id":"7","channelId":"c"`+tt.fields+`}`)
		if got := seqsOf(l.Messages); !slices.Equal(got, tt.want) || l.More != tt.more || l.ID != "7" || l.Event != "history" {
			t.Errorf("%s: %v, more %t, want %v, %t", tt.fields, got, l.More, tt.want, tt.more)
		}
	}
	if l := w.list(t, ActionGetHistory, `{"channelId":"nowhere"}`); l.Messages == nil || len(l.Messages) != 0 || l.More {
		t.Errorf("a channel that is not there has %+v", l)
	}
}

// Whatever messages there are and whoever asks, pages of at most 32 KB give all
// messages once and in order.
func TestHistoryPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		channel := strings.Repeat("𠮷", rapid.IntRange(1, MaxChannelID).Draw(rt, "channel"))
		var want []int64
		for seq := range int64(rapid.IntRange(0, 30).Draw(rt, "messages")) {
			if rapid.IntRange(0, 5).Draw(rt, "gap") == 0 {
				continue
			}
			m := Message{ChannelID: channel, Seq: seq + 1, ID: NewID(start), Name: strings.Repeat("𠮷", MaxName), At: start}
			for n := rapid.SampledFrom([]int{1, 100, MaxMessage / 5}).Draw(rt, "bytes"); ; n-- { // the longest that there can be
				m.Content = strings.Repeat(rapid.SampledFrom([]string{"x", "\x01", "é"}).Draw(rt, "of"), n)
				if _, err := encodeMessage(m); err == nil {
					break
				}
			}
			w.store.seqs[channel] = m.Seq
			if err := w.store.PutMessage(t.Context(), m); err != nil {
				rt.Fatal(err)
			}
			want = append(want, m.Seq)
		}
		limit := rapid.IntRange(1, MaxHistory).Draw(rt, "limit")
		id := strings.Repeat(`\u0001`, MaxFrameID)
		for _, direction := range []string{"after", "before"} {
			from := map[string]int64{"after": 0, "before": MaxSeq}[direction]
			var got []int64
			for more := true; more; {
				l := w.list(rt, ActionGetHistory, fmt.Sprintf(`{"id":"%s","channelId":%q,"%s":%d,"limit":%d}`, id, channel, direction, from, limit))
				if len(l.Messages) > limit || l.More && len(l.Messages) == 0 {
					rt.Fatalf("a page of %d messages, limit %d, more %t", len(l.Messages), limit, l.More)
				}
				for _, m := range l.Messages {
					if m.Truncated {
						rt.Fatalf("message %d is not shown", m.Seq)
					}
					got, from = append(got, m.Seq), m.Seq
				}
				more = l.More
			}
			if direction == "before" {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("%s: %v, want %v", direction, got, want)
			}
		}
	})
}

// What no frame has room for is not shown, and not in the way of the others.
func TestHistoryOfWhatIsTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.say("c", 1, "first")
	w.say("c", 2, strings.Repeat("x", 300<<10))
	w.say("c", 3, "last")
	var got []string
	after := int64(0)
	for more := true; more; {
		l := w.list(t, ActionGetHistory, fmt.Sprintf(`{"channelId":"c","after":%d}`, after))
		for _, m := range l.Messages {
			got, after = append(got, fmt.Sprint(m.Seq, m.Content, m.Truncated)), m.Seq
		}
		more = l.More
	}
	equal(t, "history", got, []string{"1firstfalse", "2true", "3lastfalse"})
}
