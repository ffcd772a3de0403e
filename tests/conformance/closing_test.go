package conformance

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

// disconnected waits for the $disconnect event of the connection whose $connect
// was noted under key.
func (s *subject) disconnected(c *check, key string) requestContext {
	c.Helper()
	return s.event(c, s.event(c, key, "CONNECT").context().ConnectionID, "DISCONNECT").context()
}

// closing holds code and reason of a $disconnect event.
func closing(c *check, got requestContext, code int, reason string) {
	c.Helper()
	if got.DisconnectStatusCode != code || got.DisconnectReason == nil || *got.DisconnectReason != reason {
		given := "none"
		if got.DisconnectReason != nil {
			given = *got.DisconnectReason
		}
		c.Errorf("closed with %d %q, want %d %q", got.DisconnectStatusCode, given, code, reason)
	}
}

// closingClaims are of how connections end (A10).
func closingClaims() []claim {
	return []claim{
		{
			rows: "A10.silent", how: captured,
			says: "A client that closes without a status gives 1005 and Client-side close frame status not set, and sees 1005",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				w.frame(ws.OpClose, true, nil)
				if code, _ := w.end(); code != ws.StatusNoStatusRcvd {
					c.Errorf("client sees %d, want 1005", code)
				}
				closing(c, s.disconnected(c, w.key), 1005, "Client-side close frame status not set")
			},
		},
		{
			rows: "A10.code", how: captured,
			says: "A client that closes with a code gives its code and reason, and sees the code echoed",
			run: func(c *check, s *subject) {
				for _, closed := range []struct {
					code   ws.StatusCode
					reason string
				}{{1000, "done"}, {1001, ""}, {4123, "own reason"}} {
					w := s.wire(c, "main")
					w.frame(ws.OpClose, true, ws.NewCloseFrameBody(closed.code, closed.reason))
					if code, _ := w.end(); code != closed.code {
						c.Errorf("client sees %d, want %d", code, closed.code)
					}
					closing(c, s.disconnected(c, w.key), int(closed.code), closed.reason)
				}
			},
		},
		{
			rows: "A10.idle A11.idle C1.idle", how: captured, check: []string{"limits"}, when: alone, long: true,
			says: "A connection that is idle for ten minutes is closed with 1001, Going away",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.ask(two())
				s.pass(c, 9*time.Minute)
				stillOpen(conn)
				s.pass(c, 10*time.Minute+5*time.Second)
				if code, _ := conn.closed(); code != websocket.StatusGoingAway {
					c.Errorf("client sees %d, want 1001", code)
				}
				closing(c, s.disconnected(c, conn.key), 1001, "Going away")
			},
		},
		{
			rows: "A11.idle B4.activity", how: inferred, when: alone, long: true,
			says: "Traffic in either direction keeps a connection: a frame that is posted counts",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				id := conn.connectionID()
				for range 2 {
					s.pass(c, 6*time.Minute)
					s.post(c, id, "keep")
					conn.receive()
				}
				stillOpen(conn)
			},
		},
		{
			rows: "A10.life C1.duration", how: remembered, check: []string{"limits"}, when: alone, long: true,
			says: "A connection that is two hours old is closed with 1001, Going away, however busy it is",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for range 12 { // 114 minutes
					conn.ask(two("quiet", true))
					s.pass(c, 9*time.Minute+30*time.Second)
				}
				conn.ask(two("quiet", true))
				s.pass(c, 6*time.Minute+5*time.Second)
				if code, _ := conn.closed(); code != websocket.StatusGoingAway {
					c.Errorf("client sees %d, want 1001", code)
				}
				closing(c, s.disconnected(c, conn.key), 1001, "Going away")
			},
		},
		{
			rows: "A10.delete", how: remembered,
			says: "A connection that is deleted is closed with 1000 for the client",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				if got := s.call(c, http.MethodDelete, conn.connectionID(), ""); got.err != nil {
					c.Fatalf("delete: %v", got.err)
				}
				if code, _ := conn.closed(); code != websocket.StatusNormalClosure {
					c.Errorf("client sees %d, want 1000", code)
				}
			},
		},
		{
			rows: "A10.deleted", how: documented,
			says: "A connection that is deleted runs $disconnect",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				if got := s.call(c, http.MethodDelete, conn.connectionID(), ""); got.err != nil {
					c.Fatalf("delete: %v", got.err)
				}
				s.disconnected(c, conn.key)
			},
		},
		{
			rows: "A10.vanish", how: remembered, long: true,
			says: "A client that vanishes without a close frame gives 1006",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				s.event(c, w.key, "CONNECT")
				if tcp, ok := w.Conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				w.Close()
				if s.cloud == nil {
					s.pass(c, 11*time.Minute) // it may be noticed only when it is idle for too long
				}
				if code := s.disconnected(c, w.key).DisconnectStatusCode; code != 1006 {
					c.Errorf("disconnectStatusCode is %d, want 1006", code)
				}
			},
		},
		{
			rows: "A10.maintenance A10.late", how: inferred,
			says:    "The service may close a connection at any time, and $disconnect may come late",
			without: "nothing provokes it; clients reconnect, and state is kept by connection id (chat)",
		},
	}
}

// idleClaims are A11, but for the limits themselves.
func idleClaims() []claim {
	return []claim{
		{
			rows: "A11.pings", how: captured, when: alone, long: true,
			says: "The service sends no pings, and what a client sends as one is answered",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				w.frame(ws.OpPing, true, []byte("are you there"))
				header, err := ws.ReadHeader(w.in)
				if err != nil || header.OpCode != ws.OpPong {
					c.Fatalf("answered with %v (%v), want a pong", header, err)
				}
				if _, err := w.in.Discard(int(header.Length)); err != nil {
					c.Fatal(err)
				}
				s.pass(c, 9*time.Minute)
				if err := w.SetDeadline(time.Now().Add(patience)); err != nil {
					c.Fatal(err)
				}
				w.frame(ws.OpText, true, []byte(`{"action":"two","body":"the next"}`))
				if header, err = ws.ReadHeader(w.in); err != nil || header.OpCode != ws.OpText {
					c.Errorf("the next frame is %v (%v), want the answer", header, err)
				}
			},
		},
		{
			rows: "A11.control", how: remembered, when: alone, long: true,
			says: "Pings of a client do not keep a connection from being idle (not verified: the safe reading)",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				s.event(c, w.key, "CONNECT")
				s.pass(c, 6*time.Minute)
				w.frame(ws.OpPing, true, nil)
				s.pass(c, 6*time.Minute)
				if err := w.SetDeadline(time.Now().Add(patience)); err != nil {
					c.Fatal(err)
				}
				if code, _ := w.end(); code != ws.StatusGoingAway {
					c.Errorf("client sees %d, want 1001", code)
				}
			},
		},
		{
			rows: "A11.reserved", how: documented,
			says: "/ping and /sping are reserved: they answer 200 without a stage",
			run: func(c *check, s *subject) {
				endpoint := web(s.output(c, "mainEndpoint"))
				base := endpoint[:strings.LastIndex(endpoint, "/")]
				for _, path := range []string{"/ping", "/sping"} {
					if got := get(c, base+path); got != http.StatusOK {
						c.Errorf("%s: status is %d, want 200", path, got)
					}
				}
			},
		},
	}
}
