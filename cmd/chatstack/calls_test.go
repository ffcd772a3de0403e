package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/control"
)

// A fakeCloud answers the control API, and notes what it is asked.
type fakeCloud struct {
	mu    sync.Mutex
	asked []string
}

func (f *fakeCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := strings.TrimSpace(r.Method + " " + strings.TrimPrefix(r.URL.Path, "/control/") + " " + strings.TrimSuffix(string(body), "null"))
	if call != "GET status" {
		f.mu.Lock()
		f.asked = append(f.asked, call)
		f.mu.Unlock()
	}
	answers := map[string]any{
		"GET status": control.Status{Overview: cloud.Overview{
			Functions: []cloud.Function{{Name: "chat-message-1"}, {Name: "chat-broadcast-2"}},
			Tables:    []cloud.Table{{Name: "chat-table-3"}},
		}},
		"GET iam": []control.Access{{Function: "chat-message-1"}, {Function: "chat-broadcast-2"}},
		"GET dlq": []cloud.Letter{{ID: "5f3c"}},
	}
	switch answer, known := answers[call]; {
	case known:
		json.NewEncoder(w).Encode(answer)
	case strings.HasSuffix(r.URL.Path, "/clock"):
		io.WriteString(w, `{"advanced":"10m0s"}`)
	case r.Method == http.MethodGet:
		io.WriteString(w, `[]`)
	case strings.Contains(string(body), `"status":404`):
		http.Error(w, "status is 404", http.StatusBadRequest)
	case r.Method == http.MethodPost:
		w.Write(body)
	}
}

func TestCommandsAskTheLocalCloud(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed string
		exit  int
		asks  string // the calls besides GET status, by ;
	}{
		{"status", 0, "GET clock;GET faults"},
		{"clock", 0, "GET clock"},
		{"clock +10m", 0, `POST clock {"advance":"10m0s"}`},
		{"clock reset", 0, "DELETE clock"},
		{"clock soon", exitUsage, ""},
		{"fault", 0, "GET faults"},
		{"fault --json", 0, "GET faults"},
		{"fault list", 0, "GET faults"},
		{"fault clear", 0, "DELETE faults"},
		{"fault clear 2", 0, "DELETE faults/2"},
		{
			"fault add post --status 410 --share 10% --seed 7", 0,
			`POST faults {"id":"","on":"post","status":410,"share":0.1,"seed":7,"asked":0,"struck":0}`,
		},
		{
			"fault add invoke --function broadcast --nth 3 --after 5ms", 0,
			`POST faults {"id":"","on":"invoke","target":"broadcast","share":0,"nth":3,"seed":0,"asked":0,"struck":0,"after":"5ms"}`,
		},
		{
			"fault add table --throttle --table chat", 0,
			`POST faults {"id":"","on":"table","target":"chat","throttle":true,"share":0,"seed":0,"asked":0,"struck":0}`,
		},
		{"fault add batch --function nothing", exitFailure, ""},
		{"fault add table --throttle --table nothing", exitFailure, ""},
		{
			"fault add post --status 404", exitFailure,
			`POST faults {"id":"","on":"post","status":404,"share":0,"seed":0,"asked":0,"struck":0}`,
		},
		{"fault add post --share 200%", exitUsage, ""},
		{"fault add", exitUsage, ""},
		{"iam", 0, "GET iam"},
		{"iam message", 0, "GET iam"},
		{"iam broadcast --suggest", 0, "GET iam"},
		{"iam nothing", exitFailure, "GET iam"},
		{"iam --json --suggest", exitUsage, ""},
		{"dlq", 0, "GET dlq"},
		{"dlq 5f", 0, "GET dlq"},
		{"dlq --records", 0, "GET dlq"},
		{"dlq 6", exitFailure, "GET dlq"},
		{"dlq --json", 0, "GET dlq"},
		{"dlq clear", 0, "DELETE dlq"},
		{"token --user ada", 0, `POST token {"user":"ada","ttl":"1h0m0s"}`},
		{
			"token --user ada --name Ada --channel private:a,b --channel c=read --moderates * --ttl 30m", 0,
			`POST token {"user":"ada","name":"Ada","channels":["private:a,b","c=read"],"moderates":["*"],"ttl":"30m0s"}`,
		},
		{"token", exitUsage, ""},
	} {
		t.Run(c.typed, func(t *testing.T) {
			t.Parallel()
			var fake fakeCloud
			server := httptest.NewServer(&fake)
			defer server.Close()
			args := append(projectOf(t, &control.Address{URL: server.URL, Token: "t"}), strings.Fields(c.typed)...)
			if got := run(context.Background(), args); got != c.exit {
				t.Errorf("exits with %d, want %d", got, c.exit)
			}
			if diff := cmp.Diff(c.asks, strings.Join(fake.asked, ";")); diff != "" {
				t.Errorf("asks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutALocalCloudCommandsFail(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]int{
		"status": exitStopped, "env": exitFailure, "clock": exitFailure, "clock +1m": exitFailure, "fault": exitFailure,
		"fault add batch": exitFailure, "fault clear": exitFailure, "iam": exitFailure, "dlq": exitFailure, "dlq clear": exitFailure,
		"token --user ada": exitFailure,
	} {
		if got := run(context.Background(), append(projectOf(t, nil), strings.Fields(typed)...)); got != want {
			t.Errorf("%s exits with %d, want %d", typed, got, want)
		}
	}
}

// projectOf makes a project whose local cloud, if any, is at address, and returns
// the flags that name it.
func projectOf(t *testing.T, address *control.Address) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: p\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &project{home: filepath.Join(dir, "home")}
	if address != nil {
		if err := address.Write(p.addressFile()); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--program", dir, "--home", p.home}
}
