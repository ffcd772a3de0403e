package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/gateway"
)

// counting is a source of randomness that always gives 0, 1, 2 ….
type counting struct{}

func (counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// The order of an event's fields counts: the JSON is compared as text.
func TestEventsAreThoseOfAWSToTheByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(1736441024, 0)))
		connect, connected := recorded(ok)
		message, messages := recorded(ok)
		disconnect, disconnected := recorded(ok)
		fns := functions{"$connect": connect, "$default": message, "$disconnect": disconnect}
		api := declare(fns)
		api.Stages["prod"] = gateway.Stage{Variables: map[string]string{"color": "blue"}}
		client := startInMemory(t, api, gateway.Options{Invoker: fns, Random: counting{}}).raw()
		client.bytes([]byte("GET /prod?room=a&room=b&token=%C3%BC%26x HTTP/1.1\r\nHost: api.example:8080\r\n" +
			"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nUser-Agent: tests/1 <x>\r\nOrigin: https://example.com\r\n" +
			"Accept-Language: en\r\nAccept-Language: de\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: gopher\r\n" +
			"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
		client.readResponse()
		client.frame(ws.OpText, true, `{"action":"unknown","text":"<b>&amp;ü</b>"}`)
		client.frame(ws.OpClose, true, "\x03\xe9")
		client.readClose()

		for name, events := range map[string]<-chan event{
			"connect": connected, "message": messages, "disconnect": disconnected,
		} {
			golden, err := os.ReadFile("testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(indent(t, string(golden)), indent(t, string(next(t, events).raw))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// indent changes nothing but white space.
func indent(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return strings.TrimSpace(b.String())
}

func TestEventOmitsWhatTheRequestDidNotHave(t *testing.T) {
	t.Parallel()
	connect, connected := recorded(ok)
	r := run(t, functions{"$connect": connect})
	r.raw("/prod", nil)
	var got struct {
		Query   any `json:"queryStringParameters"`
		Multi   any `json:"multiValueQueryStringParameters"`
		Stage   any `json:"stageVariables"`
		Body    any `json:"body"`
		Context struct {
			Identity map[string]string `json:"identity"`
		} `json:"requestContext"`
	}
	raw := next(t, connected).raw
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Query != nil || got.Multi != nil || got.Stage != nil || got.Body != nil {
		t.Errorf("got %s", raw)
	}
	if diff := cmp.Diff(map[string]string{"sourceIp": "127.0.0.1"}, got.Context.Identity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	if bytes.Contains(raw, []byte("null")) {
		t.Errorf("an explicit null in %s", raw)
	}
}

func TestMessageIDSharesItsTailWithTheConnectionID(t *testing.T) {
	t.Parallel()
	message, messages := recorded(ok)
	r := run(t, functions{"$default": message})
	conn := r.dial()
	send(t, conn, "a")
	send(t, conn, "b")
	first, second := next(t, messages).RequestContext, next(t, messages).RequestContext
	if a, b := first.ConnectionID, first.MessageID; a == b || a[12:] != b[12:] {
		t.Errorf("connection %s, message %s share no tail", a, b)
	}
	if first.MessageID == second.MessageID || first.RequestID == second.RequestID {
		t.Errorf("two messages with the same ids: %v, %v", first, second)
	}
}

func TestConnectionIDsLookLikeThoseOfAWS(t *testing.T) {
	t.Parallel()
	connect, connected := recorded(returns(`{"statusCode":403}`))
	r := run(t, functions{"$connect": connect})
	seen := make(map[string]bool)
	var odd bool
	for range 64 {
		r.raw("/prod", nil)
		id := next(t, connected).RequestContext.ConnectionID
		if len(id) != 16 || !strings.HasSuffix(id, "=") || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
		odd = odd || strings.ContainsAny(id, "-_")
	}
	if !odd {
		t.Errorf("none of 64 ids holds - or _: %s", fmt.Sprint(seen))
	}
}
