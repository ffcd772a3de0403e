package tokens

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/issuer"
	"example.com/chatstack/internal/token"
)

// The authorizer of a stage takes what is signed here, as it says.
func TestTokensAreTakenByTheAuthorizer(t *testing.T) {
	t.Parallel()
	made, err := Open(filepath.Join(t.TempDir(), "issuer.json"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(made.Keys())
	}))
	defer server.Close()
	verifier := token.New(issuer.Settings{URL: server.URL, Audience: []string{"chatstack"}, JWKSURL: server.URL + KeysPath}, server.Client(), slog.New(slog.DiscardHandler))
	for _, test := range []struct {
		request Request
		want    chat.Identity
		ttl     time.Duration
	}{
		{Request{User: "ada"}, chat.Identity{User: "ada"}, time.Hour},
		{
			Request{User: "ada", Name: "Ada", Channels: []string{"private:*"}, Moderates: []string{"*"}, TTL: "30m"},
			chat.Identity{User: "ada", Name: "Ada", Channels: []string{"private:*"}, Moderates: []string{"*"}},
			30 * time.Minute,
		},
	} {
		signed, err := made.Sign(server.URL, []string{"chatstack"}, test.request)
		if err != nil {
			t.Fatal(err)
		}
		test.want.ExpiresAt = signed.ExpiresAt
		got, err := verifier.Verify(t.Context(), signed.Token)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if left := time.Until(signed.ExpiresAt); left > test.ttl || left < test.ttl-time.Minute {
			t.Errorf("it is good for %v, want %v", left, test.ttl)
		}
	}
	if text, _ := json.Marshal(made.Keys()); strings.Contains(string(text), `"d":`) {
		t.Error("the private key is published")
	}
}

// The key is kept, for its owner alone; what is no key is not written over.
func TestTheKeyIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "issuer.json")
	first, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	second, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(first.Keys())
	other, _ := json.Marshal(second.Keys())
	if diff := cmp.Diff(string(one), string(other)); diff != "" {
		t.Errorf("another key (-first +second):\n%s", diff)
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("error %v", err)
	}
}

// What cannot be a token is refused in a sentence.
func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Request{
		"user is empty":          {},
		"has a control":          {User: "a\nb"},
		"pattern of channels":    {User: "a", Channels: []string{""}},
		`ttl is "soon"`:          {User: "a", TTL: "soon"},
		`ttl is "-1h"`:           {User: "a", TTL: "-1h"},
		`ttl is "9000h"`:         {User: "a", TTL: "9000h"},
		"a pattern of channels ": {User: "a", Moderates: []string{"a", ""}},
	} {
		if _, err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
}
