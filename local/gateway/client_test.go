package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// A rawClient speaks RFC 6455 byte by byte.
type rawClient struct {
	net.Conn
	t        testing.TB
	reader   *bufio.Reader
	response *http.Response
}

// raw sends an upgrade request and reads the response to it.
func (r *rig) raw(path string, headers map[string]string) *rawClient {
	r.t.Helper()
	c := r.request(path, headers)
	c.readResponse()
	return c
}

// request sends an upgrade request. An empty value leaves a usual header out.
func (r *rig) request(path string, headers map[string]string) *rawClient {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.server.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	all := map[string]string{
		"Host": conn.RemoteAddr().String(), "Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	maps.Copy(all, headers)
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\n", path)
	for name, value := range all {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		r.t.Fatal(err)
	}
	return &rawClient{Conn: conn, t: r.t, reader: bufio.NewReader(conn)}
}

func (c *rawClient) readResponse() {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	c.response = response
}

// frame sends a frame, masked.
func (c *rawClient) frame(op ws.OpCode, fin bool, payload string) {
	c.t.Helper()
	c.bytes(ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload)))))
}

func (c *rawClient) bytes(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawClient) readFrame() ws.Frame {
	c.t.Helper()
	frame, err := ws.ReadFrame(c.reader)
	if err != nil {
		c.t.Fatal(err)
	}
	return frame
}

// readClose reads up to the close frame, as code and reason; a frame without a
// code is "none".
func (c *rawClient) readClose() string {
	c.t.Helper()
	for {
		frame := c.readFrame()
		if frame.Header.OpCode != ws.OpClose {
			continue
		}
		return closeText(frame)
	}
}
