package gateway_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"example.com/chatstack/local/gateway"
)

func TestDisconnectTellsHowTheClientClosed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("r", 123)
	tests := map[string]struct {
		end         func(c *rawClient)
		event, echo string
	}{
		"no status is 1005": {
			func(c *rawClient) { c.frame(ws.OpClose, true, "") },
			"1005 Client-side close frame status not set", "none",
		},
		"1000":             {func(c *rawClient) { c.frame(ws.OpClose, true, "\x03\xe8bye") }, "1000 bye", "1000 bye"},
		"1001":             {func(c *rawClient) { c.frame(ws.OpClose, true, "\x03\xe9") }, "1001 ", "1001 "},
		"1014":             {func(c *rawClient) { c.frame(ws.OpClose, true, "\x03\xf6") }, "1014 ", "1014 "},
		"4999":             {func(c *rawClient) { c.frame(ws.OpClose, true, "\x13\x87"+long) }, "4999 " + long, "4999 " + long},
		"vanished is 1006": {func(c *rawClient) { _ = c.Close() }, "1006 ", ""},
		"reset is 1006": {func(c *rawClient) {
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}, "1006 ", ""},
		"vanished within a frame is 1006": {func(c *rawClient) {
			c.bytes([]byte{0x81, 0x85, 0, 0, 0, 0, 'h'})
			_ = c.Close()
		}, "1006 ", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, disconnected := echoes(t)
			client := r.raw("/prod", nil)
			id := r.onlyID()
			test.end(client)
			if test.echo != "" {
				if got := client.readClose(); got != test.echo {
					t.Errorf("the client is answered %q, want %q", got, test.echo)
				}
			}
			e := next(t, disconnected)
			if got := e.closed(); got != test.event {
				t.Errorf("$disconnect sees %q, want %q", got, test.event)
			}
			if e.RequestContext.ConnectionID != id || e.Headers["Host"] == "" {
				t.Errorf("event %s", e.raw)
			}
			if got := failure(r.post(t.Context(), id, "x")); got != "410 GoneException" {
				t.Errorf("a post afterwards: %s", got)
			}
		})
	}
}

func TestServerClosesTheSocketAfterTheHandshake(t *testing.T) {
	t.Parallel()
	r, _, _ := echoes(t)
	client := r.raw("/prod", nil)
	client.frame(ws.OpClose, true, "\x03\xe8")
	client.readClose()
	if _, err := client.reader.ReadByte(); err == nil {
		t.Error("bytes after the close frame")
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the socket stays open")
	}
}

func TestClosingClientIsSentWhatWasQueuedBefore(t *testing.T) {
	t.Parallel()
	r, _, _ := echoes(t)
	client := r.raw("/prod", nil)
	for range 8 { // more than the socket's buffers take is not needed: order is what counts
		if err := r.post(t.Context(), r.onlyID(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	client.frame(ws.OpClose, true, "")
	for i := range 8 {
		if op := client.readFrame().Header.OpCode; op != ws.OpText {
			t.Fatalf("frame %d has opcode %#x", i, op)
		}
	}
	if got := client.readClose(); got != "none" {
		t.Errorf("closed with %q", got)
	}
}

func TestDisconnectFailureIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(crashes)
	r := run(t, functions{"$disconnect": disconnect})
	conn := r.dial()
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Fatal(err)
	}
	if got := next(t, disconnected).closed(); got != "1000 bye" {
		t.Errorf("got %q", got)
	}
}

func TestDeletedAPISendsItsClientsAwayAndWaitsForDisconnect(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(func(context.Context, []byte) (string, string, error) {
		time.Sleep(20 * time.Millisecond) // Delete has to wait for it
		return `{"statusCode":200}`, "", nil
	})
	finished := make(chan struct{}, 2)
	r := run(t, functions{"$disconnect": func(ctx context.Context, payload []byte) (string, string, error) {
		defer func() { finished <- struct{}{} }()
		return disconnect(ctx, payload)
	}})
	clients := []*websocket.Conn{r.dial(), r.dial()}
	closed := make(chan string, len(clients))
	for _, conn := range clients {
		go func() { closed <- closedWith(t, conn) }()
	}
	r.Delete(r.apiID)
	if got := len(finished); got != len(clients) {
		t.Errorf("%d of %d $disconnect functions had finished", got, len(clients))
	}
	for range clients {
		if got := next(t, closed); got != "1001 Going away" {
			t.Errorf("the client sees %q", got)
		}
		if got := next(t, disconnected).closed(); got != "1001 Going away" {
			t.Errorf("$disconnect sees %q", got)
		}
	}
	if got := r.raw("/prod", nil).response.StatusCode; got != 403 {
		t.Errorf("an upgrade afterwards: %d", got)
	}
	r.Delete(r.apiID) // once more is no error
	if r.Connections(r.apiID) != nil {
		t.Error("a deleted API has connections")
	}
}

func TestCloseCancelsFunctionsThatDoNotFinish(t *testing.T) {
	t.Parallel()
	fns := functions{"$disconnect": hangs, "$default": hangs}
	r := start(t, declare(fns), gateway.Options{Invoker: fns})
	conn := r.dial()
	send(t, conn, "x")
	go func() { _, _, _ = conn.Read(context.Background()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.Close(ctx) // returns although the functions would run for ever
	if err := r.Put(declare(fns)); err == nil {
		t.Error("a closed gateway took an API")
	}
}

// What writes to a connection runs only while there is something to write.
func TestIdleConnectionHasOneGoroutine(t *testing.T) {
	const connections = 20
	r := run(t, functions{}) // not parallel: it counts all goroutines there are
	r.raw("/prod", nil)
	before := runtime.NumGoroutine()
	for range connections {
		r.raw("/prod", nil)
	}
	for _, info := range r.Connections(r.apiID) {
		if err := r.post(t.Context(), info.ID, "x"); err != nil {
			t.Fatal(err)
		}
	}
	r.server.Client().CloseIdleConnections()
	eventually(t, "one more goroutine for each connection", func() bool { return runtime.NumGoroutine() <= before+connections })
}

func TestWhatFollowsACloseFrameOfTheServerIsIgnored(t *testing.T) {
	t.Parallel()
	r, messages, disconnected := echoes(t)
	client := r.raw("/prod", nil)
	if response, _ := r.call("DELETE", "/prod/@connections/"+r.onlyID(), ""); response.StatusCode != 204 {
		t.Fatalf("status %d", response.StatusCode)
	}
	client.frame(ws.OpText, true, "too late")
	client.frame(ws.OpPing, true, "too late")
	client.frame(ws.OpBinary, true, "too late")
	client.frame(ws.OpClose, true, "\x03\xe8")
	if frame := client.readFrame(); frame.Header.OpCode != ws.OpClose {
		t.Errorf("a frame of opcode %#x: %q", frame.Header.OpCode, frame.Payload)
	}
	if got := next(t, disconnected).closed(); got != "1000 Connection Closed Normally" {
		t.Errorf("$disconnect sees %q", got)
	}
	if len(messages) != 0 {
		t.Errorf("a message came through: %q", next(t, messages).Body)
	}
}

// Everything at once, for the race detector: a post either reaches its client
// or is told that it is gone.
func TestPostsToClosingClientsAreSentOrGone(t *testing.T) {
	t.Parallel()
	const clients = 20
	r := start(t, declare(functions{}), gateway.Options{Limits: impatient})
	var posting, closing sync.WaitGroup
	for range clients {
		r.raw("/prod", nil)
	}
	handler := r.Handler(r.apiID)
	for i, info := range r.Connections(r.apiID) {
		posting.Go(func() {
			for range 200 {
				request := httptest.NewRequest(http.MethodPost, "/prod/@connections/"+info.ID, strings.NewReader("x"))
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, request); w.Code != 200 && w.Code != 410 && w.Code != 403 {
					t.Errorf("status %d", w.Code)
				}
			}
		})
		closing.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond / 4)
			request := httptest.NewRequest(http.MethodDelete, "/prod/@connections/"+info.ID, nil)
			handler.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	closing.Wait()
	r.Delete(r.apiID)
	posting.Wait()
}
