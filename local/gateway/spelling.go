package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
)

// maxHead is how much of a request's head is kept for its spelling, in bytes.
const maxHead = 64 << 10

// KeepSpelling has the requests that a server takes from l tell how the client
// spelled the names of its headers, which net/http does not: the events of
// connections have them so, as on AWS. Without it they are spelled canonically.
// Serve from the listener that is returned. It sets the server's ConnContext.
func KeepSpelling(server *http.Server, l net.Listener) net.Listener {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if spelled, ok := conn.(*spelledConn); ok {
			return context.WithValue(ctx, spellingKey{}, spelled)
		}
		return ctx
	}
	return spellingListener{l}
}

type spellingKey struct{}

type spellingListener struct{ net.Listener }

func (l spellingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spelledConn{Conn: conn}, nil
}

// A spelledConn keeps the head of the first request that is read from it.
// WebSocket clients open a connection for each upgrade.
type spelledConn struct {
	net.Conn

	mu   sync.Mutex
	head []byte
	full bool // nothing more is kept
}

var headEnd = []byte("\r\n\r\n")

func (c *spelledConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.full {
		c.head = append(c.head, p[:n]...)
		if end := bytes.Index(c.head, headEnd); end >= 0 {
			c.head, c.full = bytes.Clone(c.head[:end]), true
		} else if len(c.head) > maxHead {
			c.head, c.full = nil, true
		}
	}
	return n, err
}

// take returns the head, and forgets it.
func (c *spelledConn) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := string(c.head)
	c.head, c.full = nil, true
	return head
}

// unwrap returns the connection below: its requests are over, and only a TCP
// connection itself writes several frames at once.
func unwrap(conn net.Conn) net.Conn {
	if spelled, ok := conn.(*spelledConn); ok {
		return spelled.Conn
	}
	return conn
}

// spelling returns how the client spelled the names of a request's headers, by
// their canonical names; empty where that is not known.
func spelling(r *http.Request) map[string]string {
	conn, ok := r.Context().Value(spellingKey{}).(*spelledConn)
	if !ok {
		return nil
	}
	const keyName = "Sec-Websocket-Key"
	spelled := map[string]string{}
	isThis := false // and not that of an earlier request
	for line := range strings.SplitSeq(conn.take(), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		canonical := http.CanonicalHeaderKey(name)
		spelled[canonical] = name
		isThis = isThis || canonical == keyName && strings.TrimSpace(value) == r.Header.Get(keyName)
	}
	if !isThis {
		return nil
	}
	return spelled
}
