package conformance

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// object is a message, or an order to a probe.
type object = map[string]any

// A connection is a client of one of the subject's APIs.
type connection struct {
	*websocket.Conn
	c        *check
	s        *subject
	key      string // that its $connect is noted under
	response *http.Response
	id       string
}

// dialOptions are what a client says when it connects.
type dialOptions struct {
	query        url.Values
	headers      http.Header
	subprotocols []string
}

// orders makes a query string of pairs.
func orders(pairs ...string) dialOptions {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return dialOptions{query: query}
}

// address is an API's endpoint with the options' query string.
func (s *subject) address(c *check, api string, o dialOptions) string {
	c.Helper()
	address := s.output(c, api+"Endpoint")
	if len(o.query) > 0 {
		address += "?" + o.query.Encode()
	}
	return address
}

// try connects a client to an API. The response is the upgrade's, also if it is
// refused.
func (s *subject) try(c *check, api string, o dialOptions) (*connection, *http.Response, error) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	headers := http.Header{"X-Case": {rand.Text()}}
	for name, values := range o.headers {
		headers[name] = values
	}
	conn, response, err := websocket.Dial(ctx, s.address(c, api, o), &websocket.DialOptions{
		HTTPHeader: headers, Subprotocols: o.subprotocols,
	})
	if err != nil {
		return nil, response, err
	}
	conn.SetReadLimit(1 << 20)
	c.Cleanup(func() { conn.CloseNow() })
	return &connection{Conn: conn, c: c, s: s, key: headers.Get("X-Case"), response: response}, response, nil
}

// dial connects a client that is let in.
func (s *subject) dial(c *check, api string, o dialOptions) *connection {
	c.Helper()
	conn, _, err := s.try(c, api, o)
	if err != nil {
		c.Fatalf("connect to %s: %v", api, err)
	}
	return conn
}

// refused connects a client that is not let in and returns the status of it.
func (s *subject) refused(c *check, api string, o dialOptions) int {
	c.Helper()
	conn, response, err := s.try(c, api, o)
	switch {
	case err == nil:
		conn.CloseNow()
		return http.StatusSwitchingProtocols
	case response == nil:
		c.Fatalf("connect to %s: %v", api, err)
	}
	return response.StatusCode
}

// connectionID is the connection's id, by what its $connect noted.
func (conn *connection) connectionID() string {
	conn.c.Helper()
	if conn.id == "" {
		conn.id = conn.connected().context().ConnectionID
	}
	return conn.id
}

// connected is the event of the connection's $connect.
func (conn *connection) connected() event {
	conn.c.Helper()
	return conn.s.event(conn.c, conn.key, "CONNECT")
}

// send sends a message as JSON.
func (conn *connection) send(message object) {
	conn.c.Helper()
	data, err := json.Marshal(message)
	if err != nil {
		conn.c.Fatal(err)
	}
	conn.sendText(string(data))
}

func (conn *connection) sendText(message string) {
	conn.c.Helper()
	ctx, cancel := context.WithTimeout(conn.c.Context(), patience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		conn.c.Fatalf("send: %v", err)
	}
}

// receive returns the next frame.
func (conn *connection) receive() string {
	conn.c.Helper()
	ctx, cancel := context.WithTimeout(conn.c.Context(), patience)
	defer cancel()
	kind, data, err := conn.Read(ctx)
	if err != nil {
		conn.c.Fatalf("receive: %v", err)
	}
	if kind != websocket.MessageText {
		conn.c.Errorf("a frame of type %v, want text", kind)
	}
	return string(data)
}

// An answer is what a probe tells of itself.
type answer struct {
	ConnectionID, RouteKey, FunctionARN string
	PID, Served, Active                 int
	Remaining, Began, At                int64
	Result                              json.RawMessage
	Environment                         []string
}

// ask sends a message and returns the probe's answer to it.
func (conn *connection) ask(message object) answer {
	conn.c.Helper()
	conn.send(message)
	return conn.answer()
}

func (conn *connection) answer() answer {
	conn.c.Helper()
	frame := conn.receive()
	var a answer
	if err := json.Unmarshal([]byte(frame), &a); err != nil || a.PID == 0 {
		conn.c.Fatalf("received %.300s, want a probe's answer", frame)
	}
	return a
}

// two is a message to the route of two ways, with more fields in pairs.
func two(pairs ...any) object { return to("two", pairs...) }

func to(route string, pairs ...any) object {
	message := object{"action": route}
	for i := 0; i < len(pairs); i += 2 {
		message[pairs[i].(string)] = pairs[i+1]
	}
	return message
}

// closed reads until the connection is closed and returns code and reason.
func (conn *connection) closed() (websocket.StatusCode, string) {
	conn.c.Helper()
	ctx, cancel := context.WithTimeout(conn.c.Context(), patience)
	defer cancel()
	for {
		_, _, err := conn.Read(ctx)
		var closing websocket.CloseError
		switch {
		case errors.As(err, &closing):
			return closing.Code, closing.Reason
		case err != nil:
			conn.c.Fatalf("wait for the connection's end: %v", err)
		}
	}
}

// A wire is a connection on which a case writes its frames itself.
type wire struct {
	net.Conn
	c   *check
	key string
	in  *bufio.Reader // what came with the upgrade, then the rest
}

func (s *subject) wire(c *check, api string, headers ...string) *wire {
	c.Helper()
	key := rand.Text()
	header := ws.HandshakeHeaderHTTP{"X-Case": {key}}
	for i := 0; i < len(headers); i += 2 {
		header[headers[i]] = []string{headers[i+1]}
	}
	dialer := ws.Dialer{
		Timeout: patience,
		Header:  header,
	}
	conn, in, _, err := dialer.Dial(c.Context(), s.address(c, api, dialOptions{}))
	if err != nil {
		c.Fatalf("connect to %s: %v", api, err)
	}
	c.Cleanup(func() { conn.Close() })
	if in == nil {
		in = bufio.NewReader(conn)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		c.Fatal(err)
	}
	return &wire{Conn: conn, c: c, key: key, in: in}
}

// frame writes one frame, masked as a client must.
func (w *wire) frame(op ws.OpCode, fin bool, payload []byte) {
	w.c.Helper()
	f := ws.MaskFrame(ws.NewFrame(op, fin, payload))
	if err := ws.WriteFrame(w.Conn, f); err != nil {
		w.c.Logf("write a frame: %v", err) // the service may have closed already
	}
}

// end reads until a close frame and returns its code and reason; 1006 if the
// connection ends without one.
func (w *wire) end() (ws.StatusCode, string) {
	w.c.Helper()
	for {
		header, err := ws.ReadHeader(w.in)
		if err != nil {
			return 1006, ""
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(w.in, payload); err != nil {
			return 1006, ""
		}
		if header.OpCode == ws.OpClose {
			if len(payload) == 0 {
				return ws.StatusNoStatusRcvd, ""
			}
			return ws.ParseCloseFrameData(payload)
		}
	}
}

// text reads the next message of text, whatever frames it comes in.
func (w *wire) text() string {
	w.c.Helper()
	message, err := wsutil.ReadServerText(struct {
		io.Reader
		io.Writer
	}{w.in, w.Conn})
	if err != nil {
		w.c.Fatalf("receive: %v", err)
	}
	return string(message)
}

// web turns an endpoint of WebSockets into one of HTTP.
func web(endpoint string) string { return "http" + strings.TrimPrefix(endpoint, "ws") }
