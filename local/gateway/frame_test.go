package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/gobwas/ws"

	"example.com/chatstack/local/gateway"
)

// echoes records what arrives as a message, and how the connection ends.
func echoes(t *testing.T) (*rig, <-chan event, <-chan event) {
	t.Helper()
	message, messages := recorded(ok)
	disconnect, disconnected := recorded(ok)
	return run(t, functions{"$default": message, "$disconnect": disconnect}), messages, disconnected
}

func TestFramesOfTheServerAreNotMasked(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	client := r.raw("/prod", nil)
	client.frame(ws.OpText, true, "x")
	if frame := client.readFrame(); frame.Header.Masked || frame.Header.Rsv != 0 || frame.Header.OpCode != ws.OpText {
		t.Errorf("header %+v", frame.Header)
	}
}

// A client may not do so, but one that is sure of itself does.
func TestFramesSentAheadOfTheResponseAreNotLost(t *testing.T) {
	t.Parallel()
	running, goOn := make(chan struct{}), make(chan struct{})
	message, messages := recorded(ok)
	r := run(t, functions{"$default": message, "$connect": func(context.Context, []byte) (string, string, error) {
		close(running)
		<-goOn
		return `{"statusCode":200}`, "", nil
	}})
	client := r.request("/prod", nil)
	next(t, running)
	client.frame(ws.OpText, false, "ear")
	close(goOn)
	client.readResponse()
	client.frame(ws.OpContinuation, true, "ly")
	if got := next(t, messages).Body; got != "early" {
		t.Errorf("got %q", got)
	}
}

// Whatever a client sends, the gateway reads it to a message or ends the
// connection, and $disconnect tells a code that the protocol allows.
func FuzzFrames(f *testing.F) {
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("hello")))))
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, "bye")))))
	f.Add([]byte{0x01, 0x80, 0, 0, 0, 0, 0x80, 0x81, 1, 2, 3, 4, 5})
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect, "$default": ok}
	r := start(f, declare(fns), gateway.Options{Invoker: fns, Limits: gateway.Limits{Connects: 1e6}})
	f.Fuzz(func(t *testing.T, sent []byte) {
		client := (&rig{r.Gateway, t, r.apiID, r.server}).raw("/prod", nil)
		_, _ = client.Write(sent)
		_ = client.Close()
		status := next(t, disconnected).RequestContext
		code := status.DisconnectStatusCode
		switch {
		case code >= 1000 && code <= 1014 && code != 1004, code >= 3000 && code <= 4999:
		default:
			t.Errorf("close code %d for %s", code, fmt.Sprintf("%x", sent))
		}
	})
}
