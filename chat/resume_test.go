package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestResume(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		stored []int64
		seq    int64 // the channel's last number
		after  int64
		want   []int64
		from   int64
		more   bool
	}{
		{"what came since", []int64{1, 2, 3, 4}, 4, 2, []int64{3, 4}, 0, false},
		{"everything", []int64{1, 2}, 2, 0, []int64{1, 2}, 0, false},
		{"nothing", []int64{1, 2}, 2, 2, nil, 0, false},
		{"nothing in a new channel", nil, 0, 0, nil, 0, false},
		{"a gap among them", []int64{1, 2, 4, 7}, 7, 2, []int64{4, 7}, 0, false},
		{"a gap at the end", []int64{1, 2}, 3, 1, []int64{2}, 0, false},
		{"nothing but a gap", []int64{1, 2}, 4, 2, nil, 0, false},
		{"some have expired", []int64{8, 9}, 9, 3, []int64{8, 9}, 8, false},
		{"all have expired", nil, 9, 3, nil, 10, false},
		{"the channel has begun anew", []int64{1, 2}, 2, 40, []int64{1, 2}, 1, false},
		{"more than one answer holds", upTo(150), 150, 20, upTo(150)[20:120], 0, true},
		{"as many as can be missed", upTo(MaxMissed), MaxMissed, 0, upTo(100), 0, true},
		{"too many", upTo(MaxMissed + 5), MaxMissed + 5, 3, upTo(MaxMissed + 5)[5:105], 6, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.quiet("ann")
			for _, seq := range tt.stored {
				w.say("c", seq, "x")
			}
			w.store.seqs["c"] = tt.seq
			l := w.list(t, ActionSubscribeChannel, fmt.Sprintf(`{"channelId":"c","after":%d}`, tt.after))
			if got := seqsOf(l.Missed); !slices.Equal(got, tt.want) || l.From != tt.from || l.More != tt.more || l.Seq != tt.seq {
				t.Errorf("missed %v, from %d, more %t, seq %d, want %v, %d, %t", got, l.From, l.More, l.Seq, tt.want, tt.from, tt.more)
			}
			if l.Missed == nil {
				t.Error("missed is null")
			}
		})
	}
}

// upTo gives 1, 2, 3 … n.
func upTo(n int64) (all []int64) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// A reader is a client that keeps what it has, resumes and drops what comes
// twice, as docs/protocol.md says.
type reader struct {
	have  map[int64]string
	order []string // as shown, the first time
}

func (r *reader) take(m messageEvent) {
	if _, ok := r.have[m.Seq]; !ok {
		r.have[m.Seq] = m.MessageID
		r.order = append(r.order, m.MessageID)
	}
}

// upTo is the number up to which nothing is missing.
func (r *reader) upTo() (seq int64) {
	for r.have[seq+1] != "" {
		seq++
	}
	return seq
}

// live takes what was posted.
func (r *reader) live(t rapid.TB, w *world, id string) {
	w.poster.mu.Lock()
	defer w.poster.mu.Unlock()
	for _, frame := range w.poster.frames[id] {
		var m messageEvent
		if err := json.Unmarshal([]byte(frame), &m); err != nil {
			t.Fatal(err)
		}
		if m.Event == "channel_message" {
			r.take(m)
		}
	}
	delete(w.poster.frames, id)
}

// back connects again, under a new id, and fetches what was missed.
func (r *reader) back(t rapid.TB, w *world, id string) {
	if err := w.Connect(w.t.Context(), Connection{ID: id, ConnectedAt: w.clock}); err != nil {
		t.Fatal(err)
	}
	answer, err := w.Answer(w.t.Context(), ActionSubscribeChannel, id, fmt.Appendf(nil, `{"channelId":"c","after":%d}`, r.upTo()))
	var l listing
	if err := errors.Join(err, json.Unmarshal(answer, &l)); err != nil || l.Event != "subscribed" {
		t.Fatalf("%s, %v", answer, err)
	}
	messages, more := l.Missed, l.More
	for {
		for _, m := range messages {
			r.take(m)
		}
		if !more {
			break
		}
		page := w.list(t, ActionGetHistory, fmt.Sprintf(`{"channelId":"c","after":%d}`, messages[len(messages)-1].Seq))
		messages, more = page.Messages, page.More
	}
	r.live(t, w, id)
}

// Wherever a message and a return meet, the message comes at least one way.
func TestResumeDuringSend(t *testing.T) {
	t.Parallel()
	for n := range 10 {
		for _, sendFirst := range []bool{false, true} {
			w := newWorld(t)
			w.quiet("bob")
			r := &reader{have: map[int64]string{}}
			send := func() {
				if _, err := w.Send(t.Context(), "bob", "c", "b", "x"); err != nil {
					t.Error(err)
				}
			}
			back := func() { r.back(t, w, "ann") }
			send()
			if sendFirst {
				during(w, n, send, back)
			} else {
				during(w, n, back, send)
			}
			r.live(t, w, "ann")
			if r.upTo() != 2 {
				t.Errorf("at %d, sending first %t: has %v", n, sendFirst, r.have)
			}
		}
	}
}

// However often a client drops and returns, while messages are sent, sent
// again and lost between their number and their place: it has every message
// that was acknowledged, each once.
func TestWhoeverReturnsMissesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.quiet("bob")
		r := &reader{have: map[int64]string{}}
		acked := map[int64]string{}
		id, gaps := "", map[int64]bool{}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"send", "send", "long", "again", "crash", "drop", "return"}), 1, 60).Draw(rt, "steps")
		frame := func(i int, text string) string {
			return fmt.Sprintf(`{"channelId":"c","name":"b","content":"%s","id":"%d"}`, text, i)
		}
		last := frame(-1, "first")
		for i, step := range append(steps, "return") {
			switch step {
			case "send", "long", "again":
				if step == "send" {
					last = frame(i, "x")
				} else if step == "long" {
					last = frame(i, strings.Repeat("x", MaxContent))
				}
				var ack ackEvent
				answer, err := w.Answer(t.Context(), ActionSendMessage, "bob", []byte(last))
				if err := errors.Join(err, json.Unmarshal(answer, &ack)); err != nil || ack.Event != "ack" {
					rt.Fatalf("%s, %v", answer, err)
				}
				acked[ack.Seq] = ack.MessageID
			case "crash":
				w.store.fail = func(method string) error {
					if method == "PutMessage" {
						return errors.New("killed")
					}
					return nil
				}
				if _, err := w.Send(t.Context(), "bob", "c", "b", "lost"); err == nil {
					rt.Fatal("no error")
				}
				w.store.fail = func(string) error { return nil }
				gaps[w.store.seqs["c"]] = true
			case "drop":
				if id != "" {
					r.live(rt, w, id)
					if err := w.Disconnect(t.Context(), id); err != nil {
						rt.Fatal(err)
					}
					id = ""
				}
			case "return":
				if id == "" {
					id = fmt.Sprint("ann ", i)
					r.back(rt, w, id)
				}
			}
			if id != "" {
				r.live(rt, w, id)
			}
			w.store.takeChanges()
		}
		if !maps.Equal(r.have, acked) || len(r.order) != len(acked) {
			rt.Fatalf("has %v, acknowledged were %v, gaps %v", r.have, acked, gaps)
		}
	})
}
