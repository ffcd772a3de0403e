package handler

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A page of an origin that is not allowed is refused before anything is stored;
// who is no page in a browser names no origin.
func TestOriginsThatMayConnect(t *testing.T) {
	t.Parallel()
	allowed := []string{"https://chat.example", "http://localhost:8080"}
	for name, test := range map[string]struct {
		allowed []string
		origin  any
		status  float64
	}{
		"any, where none is named": {nil, "https://evil.example", 200},
		"none, as it is no page":   {allowed, nil, 200},
		"one of them":              {allowed, "https://chat.example", 200},
		"in other case":            {allowed, "https://Chat.Example", 200},
		"with its port":            {allowed, "http://localhost:8080", 200},
		"another port":             {allowed, "http://localhost:8081", 403},
		"another scheme":           {allowed, "http://chat.example", 403},
		"one that begins like it":  {allowed, "https://chat.example.evil.example", 403},
		"one that ends like it":    {allowed, "https://evilchat.example", 403},
		"a page without one":       {allowed, "null", 403},
		"an empty one":             {allowed, "", 403},
		"two":                      {allowed, "https://chat.example, https://evil.example", 403},
	} {
		f := newFixture()
		var event map[string]any
		if err := json.Unmarshal(read(t, "connect.json"), &event); err != nil {
			t.Fatal(err)
		}
		headers := event["headers"].(map[string]any)
		delete(headers, "Origin")
		if test.origin != nil {
			headers["oRIGIN"] = test.origin
		}
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log, AllowedOrigins: test.allowed}.Handle, text)
		var response map[string]any
		if err != nil || json.Unmarshal([]byte(out), &response) != nil || response["statusCode"] != test.status {
			t.Errorf("%s: %s, %v, want %v", name, out, err, test.status)
		}
		if test.status == 403 {
			if diff := cmp.Diff([]string(nil), f.store.calls); diff != "" {
				t.Errorf("%s: calls (-want +got):\n%s", name, diff)
			}
		}
	}
}
