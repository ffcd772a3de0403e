package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
)

// upgradeWith opens a connection with exactly these header lines, after requests
// that came before on the same socket, and returns the $connect event's headers.
func upgradeWith(t *testing.T, before string, lines ...string) map[string]string {
	t.Helper()
	events := make(chan []byte, 1)
	r := run(t, functions{"$connect": func(_ context.Context, payload []byte) (string, string, error) {
		events <- payload
		return `{"statusCode": 200}`, "", nil
	}})
	address := strings.TrimPrefix(r.server.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	if before != "" {
		if _, err := conn.Write([]byte(before)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := answers.Discard(int(response.ContentLength)); err != nil {
			t.Fatal(err)
		}
	}
	request := append([]string{
		"GET /prod HTTP/1.1", "host: " + address, "connection: Upgrade", "upgrade: websocket",
		"sec-websocket-version: 13", "Sec-WebSocket-KEY: dGhlIHNhbXBsZSBub25jZQ==",
	}, lines...)
	if _, err := conn.Write([]byte(strings.Join(request, "\r\n") + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(answers, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", response, err)
	}
	var event struct{ Headers map[string]string }
	if err := json.Unmarshal(<-events, &event); err != nil {
		t.Fatal(err)
	}
	return event.Headers
}

func TestEventsSpellHeaderNamesAsTheClientDoes(t *testing.T) {
	t.Parallel()
	headers := upgradeWith(t, "", "x-custom: a", "X-OTHER: b", "x-forwarded-for: 192.0.2.1")
	for name, want := range map[string]string{
		"x-custom": "a", "X-OTHER": "b", "sec-websocket-version": "13", "Sec-WebSocket-KEY": "dGhlIHNhbXBsZSBub25jZQ==",
		"X-Forwarded-For": "192.0.2.1, 127.0.0.1",
	} {
		if headers[name] != want {
			t.Errorf("%s is %q, want %q, in %v", name, headers[name], want, headers)
		}
	}
	for _, name := range []string{"X-Custom", "X-Other", "Sec-WebSocket-Key", "x-forwarded-for"} {
		if _, there := headers[name]; there {
			t.Errorf("%s is there, which the client did not write", name)
		}
	}
}

func TestAnEarlierRequestDoesNotSpellForTheUpgrade(t *testing.T) {
	t.Parallel()
	headers := upgradeWith(t, "GET /ping HTTP/1.1\r\nhost: x\r\nx-CUSTOM: before\r\n\r\n", "x-custom: a")
	if headers["X-Custom"] != "a" {
		t.Errorf("headers %v, want canonical names where the client's are not known", headers)
	}
}

func TestALongHeadIsNotKept(t *testing.T) {
	t.Parallel()
	headers := upgradeWith(t, "", "x-custom: "+strings.Repeat("a", 70<<10))
	if len(headers["X-Custom"]) != 70<<10 {
		t.Errorf("headers %d, want the long one under its canonical name", len(headers))
	}
}
