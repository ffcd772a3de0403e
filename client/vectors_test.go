package client

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readVectors reads a file of testdata/protocol, which clients in every language
// run.
func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../testdata/protocol/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// kind names what the client takes an event or answer for.
func kind(w wire) string {
	if w.answers() {
		return "answer"
	}
	switch w.public(false).(type) {
	case Message:
		return "message"
	case Direct:
		return "direct"
	case Kicked, Banned, Unbanned, Muted, Unmuted, SlowMode, TokenExpired:
		return w.Event
	case Revision:
		return "revision"
	case Joined:
		return "joined"
	case Left:
		return "left"
	case Typing:
		return "typing"
	}
	return "foreign"
}

// fieldsOf gives the fields that were understood, of those that are asked for.
func fieldsOf(t *testing.T, w wire, asked map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for name := range asked {
		got[name] = all[name]
	}
	for name, at := range map[string]time.Time{"at": w.At, "editedAt": w.EditedAt} {
		if _, ok := asked[name]; ok {
			got[name] = at.Format("2006-01-02T15:04:05.000Z")
		}
	}
	return got
}

func TestFramesAreUnderstoodAsRecorded(t *testing.T) {
	t.Parallel()
	var file struct {
		Frames []struct {
			Name, Frame string
			Items       []struct {
				As     string
				Fields map[string]any
			}
		}
	}
	readVectors(t, "frames.json", &file)
	if len(file.Frames) == 0 {
		t.Fatal("there are no frames")
	}
	for _, f := range file.Frames {
		t.Run(f.Name, func(t *testing.T) {
			got := decode([]byte(f.Frame))
			if len(got) != len(f.Items) {
				t.Fatalf("%d items, want %d", len(got), len(f.Items))
			}
			for i, want := range f.Items {
				if as := kind(got[i]); as != want.As {
					t.Errorf("item %d is taken for %s, want %s", i, as, want.As)
				}
				if diff := cmp.Diff(want.Fields, fieldsOf(t, got[i], want.Fields)); want.Fields != nil && diff != "" {
					t.Errorf("item %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// Whatever the chat says in the recorded scenarios, the client understands.
func TestRecordedAnswersAreUnderstood(t *testing.T) {
	t.Parallel()
	var file struct {
		Scenarios []struct {
			Name  string
			Steps []struct {
				Frame  string
				Answer json.RawMessage
				Events map[string][]json.RawMessage
			}
		}
	}
	readVectors(t, "answers.json", &file)
	understood := func(frame []byte, answer bool) error {
		all := decode(frame)
		if len(all) != 1 || all[0].answers() != answer || kind(all[0]) == "foreign" {
			return fmt.Errorf("%s is not understood", frame)
		}
		for i, item := range all[0].items {
			if !item.sequenced() {
				return fmt.Errorf("item %d of %s has no place in the channel", i, frame)
			}
		}
		if (all[0].Event == "error") != (all[0].err() != nil) {
			return fmt.Errorf("%s: the error is %v", frame, all[0].err())
		}
		return nil
	}
	steps := 0
	for _, s := range file.Scenarios {
		for _, st := range s.Steps {
			steps++
			if err := understood(st.Answer, true); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			for _, events := range st.Events {
				for _, event := range events {
					if err := understood(event, false); err != nil {
						t.Errorf("%s: %v", s.Name, err)
					}
				}
			}
		}
	}
	if steps == 0 {
		t.Fatal("there are no steps")
	}
}

func TestOrdersAreAsRecorded(t *testing.T) {
	t.Parallel()
	var file struct {
		Orders []struct {
			Name       string
			After      *int64
			Subscribed map[string]any
			Frames     []string
			Given      []int64
		}
	}
	readVectors(t, "orders.json", &file)
	if len(file.Orders) == 0 {
		t.Fatal("there are no orders")
	}
	for _, o := range file.Orders {
		t.Run(o.Name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
				s.mu.Lock()
				s.serve = func(to *stageConn, f clientFrame) bool {
					if f.Action == "subscribeChannel" {
						o.Subscribed["id"] = f.ID
						s.post(to, o.Subscribed)
					}
					return true
				}
				s.mu.Unlock()
				err := error(nil)
				if o.After == nil {
					err = c.Subscribe(t.Context(), "General")
				} else {
					err = c.SubscribeAfter(t.Context(), "General", *o.After)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, frame := range o.Frames {
					s.one().push(frame)
				}
				time.Sleep(100 * time.Millisecond)
				var given []int64
				for synctest.Wait(); ; synctest.Wait() {
					select {
					case e := <-c.Events():
						switch e := e.(type) {
						case Message:
							if e.ChannelID == "General" {
								given = append(given, e.Seq)
							}
						case Revision:
							given = append(given, e.Seq)
						}
						continue
					default:
					}
					break
				}
				if diff := cmp.Diff(o.Given, given); diff != "" {
					t.Errorf("numbers given (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whatever comes, each part of a frame is an event, an answer or foreign.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "{}", "[]", "null", "oops\n{}", `{"event":"ack"}`, `{"event":"history","messages":[{},1,null]}`, message(1) + "\n" + message(2)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, w := range decode(frame) {
			if e := w.public(false); e == nil {
				t.Errorf("%q gives nothing", frame)
			}
			if w.sequenced() && kind(w) == "foreign" {
				t.Errorf("%q is foreign and has a place", frame)
			}
		}
	})
}
