package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/gateway"
)

// An exchange is a case of the Autobahn test suite for WebSocket servers, by
// whose numbers the cases below are named. Where API Gateway has rules of its
// own (no binary messages, 32 KB a frame) they are those.
type exchange struct {
	sent     string   // bytes
	octets   bool     // the bytes are sent one by one
	messages []string // what $default gets
	pongs    []string // what the client gets
	closed   string   // the close frame that the client gets; empty: the connection stays open
	event    string   // what $disconnect gets, if not what the client gets
}

// f is a masked frame of a client.
func f(op ws.OpCode, fin bool, payload string) string {
	return string(ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload)))))
}

func text(payload string) string    { return f(ws.OpText, true, payload) }
func first(payload string) string   { return f(ws.OpText, false, payload) }
func more(payload string) string    { return f(ws.OpContinuation, false, payload) }
func last(payload string) string    { return f(ws.OpContinuation, true, payload) }
func ping(payload string) string    { return f(ws.OpPing, true, payload) }
func pong(payload string) string    { return f(ws.OpPong, true, payload) }
func closing(payload string) string { return f(ws.OpClose, true, payload) }
func code(c int, reason string) string {
	return closing(string([]byte{byte(c >> 8), byte(c)}) + reason)
}
func xs(n int) string { return strings.Repeat("x", n) }

// reserved is a frame with reserved bits.
func reserved(op ws.OpCode, rsv byte) string {
	frame := ws.MaskFrame(ws.NewFrame(op, true, nil))
	frame.Header.Rsv = rsv
	return string(ws.MustCompileFrame(frame))
}

// try runs the cases, each with a connection of its own.
func try(t *testing.T, cases map[string]exchange) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c exchange) run(t *testing.T) {
	message, messages := recorded(ok)
	disconnect, disconnected := recorded(ok)
	fns := functions{"$default": message, "$disconnect": disconnect}
	// One message at a time, so that they come in order.
	r := start(t, declare(fns), gateway.Options{Invoker: fns, Limits: gateway.Limits{InFlight: 1}})
	client := r.raw("/prod", nil)
	step := len(c.sent)
	if c.octets {
		step = 1
	}
	for rest := []byte(c.sent); len(rest) > 0; rest = rest[min(step, len(rest)):] {
		client.bytes(rest[:min(step, len(rest))])
	}

	var pongs []string
	read := func() string {
		frame := client.readFrame()
		switch frame.Header.OpCode {
		case ws.OpPong:
			pongs = append(pongs, string(frame.Payload))
		case ws.OpClose:
			return closeText(frame)
		default:
			t.Errorf("a frame of opcode %#x: %q", frame.Header.OpCode, frame.Payload)
		}
		return ""
	}
	want := c.closed
	if want == "" { // it is still open, and closes as it should
		for len(pongs) < len(c.pongs) {
			if got := read(); got != "" {
				t.Fatalf("closed with %q", got)
			}
		}
		client.bytes([]byte(code(1000, "bye")))
		want = "1000 bye"
	}
	got := ""
	for got == "" {
		got = read()
	}
	if got != want {
		t.Errorf("the client sees %q, want %q", got, want)
	}
	_, _ = client.Write([]byte(closing("")))
	if c.event != "" {
		want = c.event
	}
	if got := next(t, disconnected).closed(); got != want {
		t.Errorf("$disconnect sees %q, want %q", got, want)
	}
	r.Delete(r.apiID) // waits for all messages
	var bodies []string
	for len(messages) > 0 {
		bodies = append(bodies, next(t, messages).Body)
	}
	if diff := cmp.Diff(c.messages, bodies); diff != "" {
		t.Errorf("messages (-want +got):\n%.500s", diff)
	}
	if diff := cmp.Diff(c.pongs, pongs); diff != "" {
		t.Errorf("pongs (-want +got):\n%.500s", diff)
	}
}

// closeText is a close frame as code and reason; one without a code is "none".
func closeText(frame ws.Frame) string {
	if len(frame.Payload) == 0 {
		return "none"
	}
	code, reason := ws.ParseCloseFrameData(frame.Payload)
	return fmt.Sprintf("%d %s", code, reason)
}
