package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/token"
)

// A fakeVerifier takes the token "good".
type fakeVerifier struct {
	identity chat.Identity
	err      error
}

func (f fakeVerifier) Verify(_ context.Context, text string) (chat.Identity, error) {
	if f.err == nil && text != "good" {
		return chat.Identity{}, fmt.Errorf("%w sub", token.BadClaim)
	}
	return f.identity, f.err
}

// authorize runs the authorizer on API Gateway's event with these headers, and
// gives what Lambda would have of it, and the log.
func authorize(t *testing.T, v Verifier, headers, multi map[string]any) (out, logs string, err error) {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(read(t, "authorizer.json"), &event); err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		event["headers"].(map[string]any)[name] = value
	}
	event["multiValueHeaders"] = multi
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	out, err = invoke(t, Authorizer{Verifier: v, Log: slog.New(slog.NewJSONHandler(&log, nil))}.Handle, text)
	return out, log.String(), err
}

var ada = chat.Identity{User: "ada", Name: "Ada", Channels: []string{"private:*"}, ExpiresAt: time.Unix(1800000000, 0)}

// Who has a token may connect to the stage, and the chat is told who that is.
func TestAuthorizerLetsIn(t *testing.T) {
	t.Parallel()
	const want = `{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/$connect"]}]},` +
		`"context":{"channels":"[\"private:*\"]","expiresAt":"1800000000","name":"Ada","user":"ada"}}`
	for name, test := range map[string]struct{ headers, multi map[string]any }{
		"as browsers offer it": {headers: map[string]any{"Sec-WebSocket-Protocol": "chatstack.v1, bearer.good"}},
		"first, without space": {headers: map[string]any{"Sec-WebSocket-Protocol": "bearer.good,chatstack.v1"}},
		"in lower case":        {headers: map[string]any{"sec-websocket-protocol": "bearer.good"}},
		"in two headers": {
			headers: map[string]any{"Sec-WebSocket-Protocol": "bearer.good"},
			multi:   map[string]any{"SEC-WEBSOCKET-PROTOCOL": []string{"chatstack.v1", "bearer.good"}},
		},
	} {
		out, logs, err := authorize(t, fakeVerifier{identity: ada}, test.headers, test.multi)
		if err != nil || out != want {
			t.Errorf("%s: %s, %v, want %s", name, out, err, want)
		}
		if logs != "" {
			t.Errorf("%s: logged %s", name, logs)
		}
	}
}

// Who has none gets API Gateway's one word for it, and the log a reason and
// nothing of the token.
func TestAuthorizerRefuses(t *testing.T) {
	t.Parallel()
	large := ada
	for range 1000 {
		large.Channels = append(large.Channels, "private:1234567")
	}
	for name, test := range map[string]struct {
		offer  string
		v      fakeVerifier
		reason string
		err    string
	}{
		"no header":         {"", fakeVerifier{}, "no_token", "Unauthorized"},
		"no token":          {"chatstack.v1, Bearer.good, bearer", fakeVerifier{}, "no_token", "Unauthorized"},
		"two tokens":        {"bearer.good, bearer.secret", fakeVerifier{}, "several_tokens", "Unauthorized"},
		"a bad token":       {"bearer.secret", fakeVerifier{}, "claim", "Unauthorized"},
		"an empty token":    {"bearer.", fakeVerifier{}, "claim", "Unauthorized"},
		"too much in it":    {"bearer.good", fakeVerifier{identity: large}, "too_large", "Unauthorized"},
		"no keys to be had": {"bearer.secret", fakeVerifier{err: errors.New("https://login.example answers 503")}, "https://login.example answers 503", "the issuer's keys cannot be had"},
	} {
		out, logs, err := authorize(t, test.v, map[string]any{"Sec-WebSocket-Protocol": test.offer}, nil)
		if err == nil || err.Error() != test.err || strings.Contains(out, "Allow") {
			t.Errorf("%s: %s, %v, want the error %s", name, out, err, test.err)
		}
		if !strings.Contains(logs, `"`+test.reason+`"`) || strings.Contains(logs, "secret") || strings.Contains(logs, "ada") {
			t.Errorf("%s: logged %s, want %s", name, logs, test.reason)
		}
		if isError := strings.Contains(logs, `"level":"ERROR"`); isError != (test.v.err != nil) {
			t.Errorf("%s: logged %s", name, logs)
		}
	}
}
