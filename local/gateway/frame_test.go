package gateway_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// A piece is a frame of a test's client.
type piece struct {
	op      ws.OpCode
	fin     bool
	payload string
}

func whole(text string) piece { return piece{ws.OpText, true, text} }

// echo returns what arrives as a message.
func echoes(t *testing.T) (*rig, <-chan event, <-chan event) {
	t.Helper()
	message, messages := recorded(ok)
	disconnect, disconnected := recorded(ok)
	return run(t, functions{"$default": message, "$disconnect": disconnect}), messages, disconnected
}

func TestFramesThatMakeAMessage(t *testing.T) {
	t.Parallel()
	const kb = 1 << 10
	tests := map[string]struct {
		pieces []piece
		want   string
	}{
		"one frame":           {[]piece{whole("hello")}, "hello"},
		"an empty one":        {[]piece{whole("")}, ""},
		"frame of 32 KB":      {[]piece{whole(strings.Repeat("x", 32*kb))}, strings.Repeat("x", 32*kb)},
		"fragments":           {[]piece{{ws.OpText, false, "he"}, {ws.OpContinuation, false, ""}, {ws.OpContinuation, true, "llo"}}, "hello"},
		"UTF-8 across":        {[]piece{{ws.OpText, false, "\xe2\x82"}, {ws.OpContinuation, true, "\xac"}}, "€"},
		"ping between":        {[]piece{{ws.OpText, false, "he"}, {ws.OpPing, true, "p"}, {ws.OpContinuation, true, "llo"}}, "hello"},
		"pong unasked":        {[]piece{{ws.OpPong, true, "?"}, whole("hello")}, "hello"},
		"message of 128 KB":   {fragments(32*kb, 32*kb, 32*kb, 32*kb), strings.Repeat("x", 128*kb)},
		"all code points":     {[]piece{whole("\u0000\u07ff\uffff\U0010ffff")}, "\u0000\u07ff\uffff\U0010ffff"},
		"continuation of nil": {[]piece{{ws.OpText, false, ""}, {ws.OpContinuation, true, "x"}}, "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, messages, _ := echoes(t)
			client := r.raw("/prod", nil)
			for _, p := range test.pieces {
				client.frame(p.op, p.fin, p.payload)
			}
			if got := next(t, messages).Body; got != test.want {
				t.Errorf("got %.40q of %d bytes, want %d", got, len(got), len(test.want))
			}
		})
	}
}

// fragments makes a message of x in frames of these sizes.
func fragments(sizes ...int) []piece {
	var pieces []piece
	for i, size := range sizes {
		op := ws.OpContinuation
		if i == 0 {
			op = ws.OpText
		}
		pieces = append(pieces, piece{op, i == len(sizes)-1, strings.Repeat("x", size)})
	}
	return pieces
}

func TestFramesThatCloseTheConnection(t *testing.T) {
	t.Parallel()
	const kb = 1 << 10
	tests := map[string]struct {
		pieces []piece
		want   string
	}{
		"binary is 1003":                {[]piece{{ws.OpBinary, true, "x"}}, "1003 "},
		"binary fragment is 1003":       {[]piece{{ws.OpBinary, false, "x"}}, "1003 "},
		"frame above 32 KB is 1009":     {[]piece{whole(strings.Repeat("x", 32*kb+1))}, "1009 "},
		"fragment above 32 KB is 1009":  {fragments(1, 32*kb+1), "1009 "},
		"message above 128 KB is 1009":  {fragments(32*kb, 32*kb, 32*kb, 32*kb, 1), "1009 "},
		"invalid UTF-8 is 1007":         {[]piece{whole("\xff")}, "1007 "},
		"UTF-8 cut off is 1007":         {[]piece{{ws.OpText, false, "\xe2\x82"}, {ws.OpContinuation, true, ""}}, "1007 "},
		"surrogate is 1007":             {[]piece{whole("\xed\xa0\x80")}, "1007 "},
		"reserved opcode is 1002":       {[]piece{{0x3, true, ""}}, "1002 "},
		"reserved control is 1002":      {[]piece{{0xb, true, ""}}, "1002 "},
		"fragmented ping is 1002":       {[]piece{{ws.OpPing, false, ""}}, "1002 "},
		"ping of 126 bytes is 1002":     {[]piece{{ws.OpPing, true, strings.Repeat("x", 126)}}, "1002 "},
		"continuation of none is 1002":  {[]piece{{ws.OpContinuation, true, "x"}}, "1002 "},
		"text within a message is 1002": {[]piece{{ws.OpText, false, "x"}, whole("y")}, "1002 "},
		"half a close code is 1002":     {[]piece{{ws.OpClose, true, "\x03"}}, "1002 "},
		"close with 1005 is 1002":       {[]piece{{ws.OpClose, true, "\x03\xed"}}, "1002 "},
		"close with 2999 is 1002":       {[]piece{{ws.OpClose, true, "\x0b\xb7"}}, "1002 "},
		"close with bad UTF-8 is 1007":  {[]piece{{ws.OpClose, true, "\x03\xe8\xff"}}, "1007 "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, messages, disconnected := echoes(t)
			client := r.raw("/prod", nil)
			for _, p := range test.pieces {
				client.frame(p.op, p.fin, p.payload)
			}
			if got := client.readClose(); got != test.want {
				t.Errorf("the client sees %q, want %q", got, test.want)
			}
			client.frame(ws.OpClose, true, "")
			if got := next(t, disconnected).closed(); got != test.want {
				t.Errorf("$disconnect sees %q, want %q", got, test.want)
			}
			if len(messages) != 0 {
				t.Errorf("a message came through: %.40q", next(t, messages).Body)
			}
		})
	}
}

func TestBytesThatAreNoFrames(t *testing.T) {
	t.Parallel()
	tests := map[string][]byte{
		"unmasked is 1002":       ws.MustCompileFrame(ws.NewTextFrame([]byte("x"))),
		"reserved bit 1 is 1002": {0xc1, 0x80, 0, 0, 0, 0},
		"reserved bit 3 is 1002": {0x91, 0x80, 0, 0, 0, 0},
		"length of 2^63 is 1002": {0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	}
	for name, sent := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, disconnected := echoes(t)
			client := r.raw("/prod", nil)
			client.bytes(sent)
			if got, want := client.readClose(), "1002 "; got != want {
				t.Errorf("the client sees %q, want %q", got, want)
			}
			_ = client.Close()
			if got, want := next(t, disconnected).closed(), "1002 "; got != want {
				t.Errorf("$disconnect sees %q, want %q", got, want)
			}
		})
	}
}

func TestHugeFrameIsRefusedByItsHeader(t *testing.T) {
	t.Parallel()
	r, _, _ := echoes(t)
	client := r.raw("/prod", nil)
	client.bytes([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	if got := client.readClose(); got != "1009 " {
		t.Errorf("got %q", got)
	}
}

func TestPingIsAnsweredByPong(t *testing.T) {
	t.Parallel()
	r, _, _ := echoes(t)
	client := r.raw("/prod", nil)
	for _, payload := range []string{"", "hello", strings.Repeat("p", 125)} {
		client.frame(ws.OpPing, true, payload)
		if frame := client.readFrame(); frame.Header.OpCode != ws.OpPong || string(frame.Payload) != payload {
			t.Errorf("ping %q was answered by opcode %#x %q", payload, frame.Header.OpCode, frame.Payload)
		}
	}
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

// Whatever a client sends, the gateway reads it to a message or ends the
// connection, and $disconnect tells a code that the protocol allows.
func FuzzFrames(f *testing.F) {
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("hello")))))
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, "bye")))))
	f.Add([]byte{0x01, 0x80, 0, 0, 0, 0, 0x80, 0x81, 1, 2, 3, 4, 5})
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect, "$default": ok}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := run(t, fns)
		client := r.raw("/prod", nil)
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
