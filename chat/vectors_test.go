package chat

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"example.com/chatstack/internal/markup"
)

var record = flag.Bool("record", false, "write the answers and events of testdata/protocol/answers.json anew, to be reviewed")

// The vectors that the protocol's servers and clients in every language run.
type (
	vectors struct {
		About     string     `json:"about"`
		Scenarios []scenario `json:"scenarios"`
	}
	scenario struct {
		Name        string           `json:"name"`
		Connections []string         `json:"connections"`
		Users       map[string]token `json:"users,omitempty"` // by connection; the others are anonymous
		Steps       []step           `json:"steps"`
	}
	token struct {
		User      string   `json:"user"`
		Name      string   `json:"name"`
		Channels  []string `json:"channels,omitempty"`
		Moderates []string `json:"moderates,omitempty"`
	}
	step struct {
		From   string                       `json:"from"`
		Route  string                       `json:"route"`
		Frame  string                       `json:"frame"`
		Answer json.RawMessage              `json:"answer"`
		Events map[string][]json.RawMessage `json:"events,omitempty"`
	}
)

// Each frame of the recorded scenarios is answered as recorded, and each
// connection gets the events that are recorded.
func TestAnswersAreAsRecorded(t *testing.T) {
	t.Parallel()
	const file = "../testdata/protocol/answers.json"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Scenarios) == 0 {
		t.Fatal("there are no scenarios")
	}
	answered := map[string]bool{}
	for i := range all.Scenarios {
		s := &all.Scenarios[i]
		t.Run(s.Name, func(t *testing.T) {
			w := newWorld(t)
			w.Sanitize = markup.NewSanitizer().Sanitize
			for _, id := range s.Connections {
				of := s.Users[id]
				w.join(id, Identity{User: of.User, Name: of.Name, Channels: of.Channels, Moderates: of.Moderates})
			}
			for _, id := range s.Connections {
				w.poster.take(id)
			}
			for i := range s.Steps {
				st := &s.Steps[i]
				answered[st.Route] = true
				want := slices.Clone([]byte(fmt.Sprintf("%s %s", st.Answer, mustEncode(t, st.Events))))
				st.run(t, w, s.Connections)
				got := []byte(fmt.Sprintf("%s %s", st.Answer, mustEncode(t, st.Events)))
				if !*record && !bytes.Equal(compact(t, got), compact(t, want)) {
					t.Errorf("step %d, %.200s:\n got %.2000s\nwant %.2000s", i, st.Frame, compact(t, got), compact(t, want))
				}
			}
		})
	}
	for _, action := range everyAction() {
		if !answered[action] {
			t.Errorf("no scenario has the action %s", action)
		}
	}
	if *record {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(all); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run puts what the step leads to into it.
func (st *step) run(t *testing.T, w *world, connections []string) {
	t.Helper()
	answer, err := w.Answer(t.Context(), st.Route, st.From, []byte(st.Frame))
	if err != nil {
		t.Fatal(err)
	}
	for changes := w.store.takeChanges(); len(changes) > 0; changes = w.store.takeChanges() {
		for _, c := range changes {
			if left, ok := c.(Left); ok {
				left.At = w.clock // as the table's stream has it
				c = left
			}
			if err := w.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	st.Answer, st.Events = answer, nil
	for _, id := range connections {
		w.poster.mu.Lock()
		for _, frame := range w.poster.frames[id] {
			if st.Events == nil {
				st.Events = map[string][]json.RawMessage{}
			}
			st.Events[id] = append(st.Events[id], json.RawMessage(frame))
		}
		delete(w.poster.frames, id)
		w.poster.mu.Unlock()
	}
}

func mustEncode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compact gives JSON values in one form.
func compact(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(data))
	for decoder.More() {
		var v any
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		b.Write(mustEncode(t, v))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// everyAction lists what clients may ask for of a stage that knows its users.
func everyAction() []string {
	return slices.Concat((&Service{}).actions(), DirectActions(), ModerationActions())
}
