package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/fault"
)

// request makes a call as any language would, and returns the status and the body.
func request(t *testing.T, a Address, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.URL+"/control/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.Token)
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	kind := "text/plain; charset=utf-8"
	if resp.StatusCode < 300 && len(text) > 0 {
		kind = "application/json"
	}
	if got := resp.Header.Get("Content-Type"); len(text) > 0 && got != kind {
		t.Errorf("%s %s answers in %s, want %s", method, path, got, kind)
	}
	return resp.StatusCode, string(text)
}

func TestAnswersAsTheyAreDocumented(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "clock", "", 200, `{"advanced":"0s"}`},
		{"POST", "clock", `{"advance":"10m"}`, 200, `{"advanced":"10m0s"}`},
		{"POST", "clock", `{"advance":"2h"}`, 200, `{"advanced":"2h10m0s"}`},
		{"GET", "clock", "", 200, `{"advanced":"2h10m0s"}`},
		{"DELETE", "clock", "", 200, `{"advanced":"0s"}`},

		{"GET", "faults", "", 200, `[]`},
		{"POST", "faults", `{"on":"post","status":410,"share":0.1,"latency":"50ms","seed":7}`, 201, `{"id":"1","on":"post","status":410,"share":0.1,"seed":7,"asked":0,"struck":0,"latency":"50ms"}`},
		{"POST", "faults", `{"on":"batch","id":"b","seed":8}`, 201, `{"id":"b","on":"batch","share":1,"seed":8,"asked":0,"struck":0}`},
		{"DELETE", "faults/1", "", 204, ``},
		{"GET", "faults", "", 200, `[{"id":"b","on":"batch","share":1,"seed":8,"asked":0,"struck":0}]`},
		{"DELETE", "faults", "", 204, ``},
		{"GET", "faults", "", 200, `[]`},

		{"GET", "iam", "", 200, `[]`},
		{"GET", "dlq", "", 200, `[]`},
		{"DELETE", "dlq", "", 204, ``},
	} {
		status, answer := request(t, address, c.method, c.path, c.body)
		if status != c.status || strings.TrimSpace(answer) != c.answer {
			t.Errorf("%s %s %s: %d %s\nwant %d %s", c.method, c.path, c.body, status, answer, c.status, c.answer)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "clock", ``, 400, "the request has no body: a JSON object is expected"},
		{"POST", "clock", `{}`, 400, `advance is missing: {"advance": "10m"} lets ten minutes pass`},
		{"POST", "clock", `{"advance":"ten minutes"}`, 400, `advance is "ten minutes": a duration is a number and its unit, as 10m or 1h30m`},
		{"POST", "clock", `{"advance":"-10m"}`, 400, `advance is "-10m": time passes forwards only; a reset takes back what was let pass`},
		{"POST", "clock", `{"advance":"0s"}`, 400, `advance is "0s": time passes forwards only; a reset takes back what was let pass`},
		{"POST", "clock", `{"advance":"100000h"}`, 400, `advance is "100000h": at most 87600h can be let pass in all, and 0s were`},
		{"POST", "clock", `{"advance":600}`, 400, "advance cannot be a number"},
		{"POST", "clock", `{"advance":"10m","by":1}`, 400, `there is no field "by"`},
		{"POST", "clock", `{"advance":"10m"} {}`, 400, "there is something behind the JSON object"},
		{"POST", "clock", `["10m"]`, 400, "a JSON object is expected, not one of type array"},
		{"POST", "clock", `{"advance":`, 400, "the body is not JSON: unexpected EOF"},
		{"POST", "clock", `advance=10m`, 400, "the body is not JSON: invalid character 'a' looking for beginning of value"},
		{"POST", "faults", `{"on":"post","stauts":410}`, 400, `a rule has no field "stauts": it has id, on, target, action, status, throttle, latency, after, share, nth, times and seed`},
		{"POST", "faults", `{"on":"post","status":404}`, 400, "status is 404: a post can be answered with 410, 429 or 500"},
		{"POST", "faults", `{"on":"post"`, 400, "the body is not JSON: unexpected EOF"},
		{"POST", "faults", strings.Repeat(" ", maxBody+1), 400, "http: request body too large"},
		{"DELETE", "faults/7", ``, 404, "there is no fault rule 7: none is in force"},
		{"GET", "faults/7", ``, 405, "Method Not Allowed"},
		{"PUT", "clock", `{}`, 405, "Method Not Allowed"},
		{"GET", "time", ``, 404, "404 page not found"},
	} {
		status, said := request(t, address, c.method, c.path, c.body)
		if status != c.status || strings.TrimSpace(said) != c.says {
			t.Errorf("%s %s %.60s: %d %s\nwant %d %s", c.method, c.path, c.body, status, said, c.status, c.says)
		}
	}
	if rules := server.Cloud.Faults().List(); len(rules) > 0 {
		t.Errorf("in force: %v", rules)
	}
	if advanced := server.Cloud.Advanced(); advanced != 0 {
		t.Errorf("%v were let pass", advanced)
	}
}

func TestTimeIsLetPassByTheClient(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	for _, want := range []time.Duration{90 * time.Second, 180 * time.Second} {
		if got, err := address.Advance(t.Context(), 90*time.Second); err != nil || got != want {
			t.Errorf("let pass in all: %v, %v; want %v", got, err, want)
		}
	}
	if err := address.ResetClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := address.Advanced(t.Context()); err != nil || got != 0 {
		t.Errorf("after a reset: %v, %v", got, err)
	}
}

func TestFaultsAreThoseOfTheCloud(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	added, err := address.AddFault(t.Context(), fault.Rule{On: fault.Post, Status: 410, Latency: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if got := server.Cloud.Faults().Post(context.Background(), "abc="); got != 410 {
		t.Errorf("a post is answered with %d, want 410", got)
	}
	added.Asked, added.Struck = 1, 1
	rules, err := address.Faults(t.Context())
	if diff := cmp.Diff([]fault.Rule{added}, rules); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = address.AddFault(t.Context(), added)
	if want := "there is a rule 1 already: remove it first, or leave the id out"; err == nil || err.Error() != want {
		t.Errorf("the same again: %v, want %s", err, want)
	}
	for _, id := range []string{"", "b"} {
		if _, err := address.AddFault(t.Context(), fault.Rule{ID: id, On: fault.Batch}); err != nil {
			t.Error(err)
		}
	}
	if err := address.RemoveFault(t.Context(), added.ID); err != nil {
		t.Error(err)
	}
	if err := address.RemoveFault(t.Context(), added.ID); err == nil || err.Error() != "there is no fault rule 1: in force are 2, b" {
		t.Errorf("removed a second time: %v", err)
	}
	if err := address.ClearFaults(t.Context()); err != nil {
		t.Error(err)
	}
	if rules, err := address.Faults(t.Context()); err != nil || len(rules) > 0 {
		t.Errorf("after Clear: %v, %v", rules, err)
	}
}

func TestDeadLettersOfAQuietCloudAreNone(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	put(t, server, queue, "q", map[string]any{"name": "q"})
	if letters, err := address.DeadLetters(t.Context()); err != nil || len(letters) > 0 {
		t.Errorf("%v, %v", letters, err)
	}
	if err := address.ClearDeadLetters(t.Context()); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"advance":"10m"}`, `{"advance":1}`, `{`, ``, `null`, `[]`, `{"on":"post"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var asked advance
		if err := decode(body, &asked); err != nil {
			if strings.HasPrefix(err.Error(), "json: ") || err.Error() == "" {
				t.Errorf("%q is refused with %q", body, err)
			}
			return
		}
		if d, err := asked.by(0); err == nil && (d <= 0 || d > cloud.MaxAdvanced) {
			t.Errorf("%q lets %v pass", body, d)
		}
		var rule fault.Rule
		if err := decode(body, &rule); err != nil {
			return
		}
		if _, err := json.Marshal(rule); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	})
}
