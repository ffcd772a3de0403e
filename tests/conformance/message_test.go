package conformance

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

// serviceFrame holds a frame of the service itself to its bytes.
func serviceFrame(c *check, frame, message string) {
	c.Helper()
	want := regexp.MustCompile(`^\{"message": "` + message + `", "connectionId":"[A-Za-z0-9_-]+=", "requestId":"[A-Za-z0-9_-]+="\}$`)
	if !want.MatchString(frame) {
		c.Errorf("frame is %.300q, want %s", frame, want)
	}
}

// stillOpen says that a connection serves another message.
func stillOpen(conn *connection) {
	conn.c.Helper()
	conn.ask(two())
}

// frameClaims are of the frames that the service itself sends (A5).
func frameClaims() []claim {
	return []claim{
		{
			rows: "A5.forbidden", how: captured, check: []string{"frames"},
			says: "A message that no route takes is answered with Forbidden, byte for byte, and the connection stays open",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "bare", dialOptions{})
				id := conn.ask(two()).ConnectionID
				conn.send(object{"action": "no-such-route"})
				frame := conn.receive()
				serviceFrame(c, frame, "Forbidden")
				if got := jsonOf(c, frame)["connectionId"]; got != id {
					c.Errorf("connectionId is %v, want %s", got, id)
				}
				stillOpen(conn)
			},
		},
		{
			rows: "A5.error A5.one-way", how: captured, check: []string{"frames"},
			says: "A message route's function that fails, panics or exits is answered with Internal server error, even without a route response, and the connection stays open",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, route := range []string{"fragile", "fragile-one"} {
					for _, order := range []string{"error", "panic", "exit"} {
						conn.send(to(route, "do", order, "status", 1))
						serviceFrame(c, conn.receive(), "Internal server error")
					}
				}
				stillOpen(conn)
			},
		},
		{
			rows: "A5.error", how: captured, check: []string{"frames"},
			says: "A function that hits its own timeout is answered with Internal server error, and the connection stays open",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("brief", "ms", 5000))
				serviceFrame(c, conn.receive(), "Internal server error")
				stillOpen(conn)
			},
		},
		{
			rows: "A5.late A5.one-way", how: captured, check: []string{"frames"},
			says: "A function that exceeds the integration's timeout is answered with Endpoint request timed out, even without a route response, and the connection stays open",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("slow", "ms", 2000))
				serviceFrame(c, conn.receive(), "Endpoint request timed out")
				stillOpen(conn)
			},
		},
		{
			rows: "A5.model", how: documented,
			says:    "A message that fails its model is answered with Bad request body",
			without: "models cannot be declared with the components, and the local cloud refuses them by name",
		},
		{
			rows: "A5.throttle", how: remembered,
			says: "A message beyond the stage's throttle reaches no function: a frame with message, connectionId and requestId answers it (its text is not known)",
			run: func(c *check, s *subject) {
				const messages = 10
				conn := s.dial(c, "throttled", dialOptions{})
				for range messages {
					conn.send(two("quiet", true))
				}
				throttled := 0
				for range messages {
					frame := jsonOf(c, conn.receive())
					if _, served := frame["pid"]; served {
						continue
					}
					throttled++
					if frame["message"] == nil || frame["connectionId"] == nil || frame["requestId"] == nil {
						c.Errorf("frame is %v", frame)
					}
				}
				if throttled == 0 || throttled > messages-2 {
					c.Errorf("%d of %d messages are throttled, with 2 at once and 1 a second", throttled, messages)
				}
			},
		},
		{
			rows: "A5.status", how: captured,
			says: "On a route without a route response, the function's status has no visible effect",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, status := range []int{200, 201, 301, 401, 501} {
					conn.send(to("one", "status", status, "case", fmt.Sprint(conn.key, status)))
					s.event(c, fmt.Sprint(conn.key, status), "MESSAGE")
				}
				stillOpen(conn) // the next frame is the answer to this
			},
		},
		{
			rows: "A5.null", how: remembered,
			says: "A message route's function that answers null, or no proxy response, is answered with Internal server error",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, order := range []string{"null", "malformed", "text"} {
					conn.send(two("do", order))
					serviceFrame(c, conn.receive(), "Internal server error")
				}
				stillOpen(conn)
			},
		},
	}
}

// responseClaims are of route responses (A6).
func responseClaims() []claim {
	return []claim{
		{
			rows: "A6.two-way", how: documented,
			says: "A route is one-way unless it has a route response: the body of its function goes nowhere",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("one", "body", "one", "case", conn.key+"-one"))
				s.event(c, conn.key+"-one", "MESSAGE")
				conn.send(two("body", "two"))
				if frame := conn.receive(); frame != "two" {
					c.Errorf("frame is %q, want two", frame)
				}
			},
		},
		{
			rows: "A6.body", how: captured,
			says: "With a route response the function's body is sent as a text frame, whatever its status",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, status := range []int{200, 404, 500} {
					conn.send(two("body", "héllo <&>", "status", status))
					if frame := conn.receive(); frame != "héllo <&>" {
						c.Errorf("status %d: frame is %q, want the body", status, frame)
					}
				}
			},
		},
		{
			rows: "A6.connect", how: inferred,
			says: "The body that $connect answers is not sent as a frame",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", orders("body", "welcome"))
				conn.send(two("body", "first"))
				if frame := conn.receive(); frame != "first" {
					c.Errorf("the first frame is %q, want that of the first message", frame)
				}
			},
		},
		{
			rows: "A6.order", how: documented, check: []string{"concurrent"},
			says: "Messages of one connection are handled at once, and answers need not come in their order",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(two("ms", 3000, "body", "first"))
				conn.send(two("body", "second"))
				if frame := conn.receive(); frame != "second" {
					c.Errorf("the first answer is %q, want that of the second message", frame)
				}
				if frame := conn.receive(); frame != "first" {
					c.Errorf("the second answer is %q, want that of the first message", frame)
				}
			},
		},
		{
			rows: "A6.timeout C1.timeout", how: documented,
			says: "An integration's timeout may be shorter than 29 s",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				began := time.Now()
				conn.send(to("slow", "ms", 3000))
				conn.receive()
				if took := time.Since(began); took < 900*time.Millisecond || took > 2900*time.Millisecond {
					c.Errorf("answered after %v, want about 1s", took)
				}
			},
		},
		{
			rows: "A6.runs-on", how: remembered,
			says: "A function that was not waited for runs on to its end",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("slow", "ms", 1500, "do", "post", "name", "POST", "body", "still here"))
				serviceFrame(c, conn.receive(), "Endpoint request timed out")
				if frame := conn.receive(); frame != "still here" {
					c.Errorf("frame is %q, want that of the function", frame)
				}
			},
		},
	}
}

// inboundClaims are of what clients send (A9), and of the limits of it.
func inboundClaims() []claim {
	const frameLimit, messageLimit = 32 << 10, 128 << 10
	closes := func(code ws.StatusCode, send func(w *wire)) func(c *check, s *subject) {
		return func(c *check, s *subject) {
			w := s.wire(c, "main")
			send(w)
			if got, _ := w.end(); got != code {
				c.Errorf("closed with %d, want %d", got, code)
			}
		}
	}
	// The body of a message that is padded to a length.
	padded := func(length int) []byte {
		const head, tail = `{"action":"two","quiet":true,"body":"arrived","pad":"`, `"}`
		return []byte(head + strings.Repeat("x", length-len(head)-len(tail)) + tail)
	}
	return []claim{
		{
			rows: "A9.binary A10.binary", how: documented, check: []string{"limits"},
			says: "A binary frame closes the connection with 1003",
			run:  closes(1003, func(w *wire) { w.frame(ws.OpBinary, true, []byte("binary")) }),
		},
		{
			rows: "A10.binary", how: inferred,
			says: "The $disconnect event of a connection closed for a binary frame has 1003",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				w.frame(ws.OpBinary, true, []byte("binary"))
				w.end()
				disconnectCode(c, s, w.key, 1003)
			},
		},
		{
			rows: "A9.size C1.frame", how: documented, check: []string{"limits"},
			says: "A frame of 32 KB arrives, and one of a byte more closes the connection with 1009",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				w.frame(ws.OpText, true, padded(frameLimit))
				if frame := w.text(); frame != "arrived" {
					c.Errorf("frame is %.300q, want arrived", frame)
				}
				w.frame(ws.OpText, true, padded(frameLimit+1))
				if got, _ := w.end(); got != 1009 {
					c.Errorf("closed with %d, want 1009", got)
				}
				disconnectCode(c, s, w.key, 1009)
			},
		},
		{
			rows: "A9.size A10.too-large C1.message", how: documented, check: []string{"limits"},
			says: "A message of 128 KB in frames of 32 KB arrives, and one of a byte more closes the connection with 1009",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main")
				send := func(message []byte) {
					for op := ws.OpText; ; op = ws.OpContinuation {
						n := min(len(message), frameLimit)
						w.frame(op, n == len(message), message[:n])
						if message = message[n:]; len(message) == 0 {
							return
						}
					}
				}
				send(padded(messageLimit))
				if frame := w.text(); frame != "arrived" {
					c.Errorf("frame is %.300q, want arrived", frame)
				}
				send(padded(messageLimit + 1))
				if got, _ := w.end(); got != 1009 {
					c.Errorf("closed with %d, want 1009", got)
				}
			},
		},
		{
			rows: "A9.outbound", how: documented,
			says: "What is posted to a connection arrives as a text frame",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				s.post(c, conn.connectionID(), "posted")
				if frame := conn.receive(); frame != "posted" { // receive looks at the type
					c.Errorf("frame is %q, want posted", frame)
				}
			},
		},
		{
			rows: "A9.deflate", how: remembered,
			says: "permessage-deflate is not agreed on",
			run: func(c *check, s *subject) {
				conn, response, err := websocket.Dial(c.Context(), s.output(c, "bareEndpoint"),
					&websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
				if err != nil {
					c.Fatal(err)
				}
				defer conn.CloseNow()
				if got := response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
					c.Errorf("Sec-WebSocket-Extensions is %q, want none", got)
				}
			},
		},
	}
}

// disconnectCode holds the $disconnect event of the connection whose $connect was
// noted under key to a code.
func disconnectCode(c *check, s *subject, key string, code int) {
	c.Helper()
	id := s.event(c, key, "CONNECT").context().ConnectionID
	if got := s.event(c, id, "DISCONNECT").context().DisconnectStatusCode; got != code {
		c.Errorf("disconnectStatusCode is %d, want %d", got, code)
	}
}
