package gateway_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

// A memoryListener listens in memory, since real sockets hold up the time of a
// synctest bubble.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

// A memoryConn says that it is local.
type memoryConn struct{ net.Conn }

func (memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000} }

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { close(l.closed); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.IPAddr{} }

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- memoryConn{theirs}:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A memoryRig is a rig within a synctest bubble, where time passes when nothing
// else happens.
type memoryRig struct {
	*gateway.Gateway
	t        *testing.T
	api      gateway.API
	listener *memoryListener
	client   *http.Client
}

func startInMemory(t *testing.T, api gateway.API, options gateway.Options) *memoryRig {
	t.Helper()
	g := gateway.New(options)
	if err := g.Put(api); err != nil {
		t.Fatal(err)
	}
	listener := &memoryListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: g.Handler(api.ID)}
	go func() { _ = server.Serve(listener) }()
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		g.Close(context.Background())
	})
	return &memoryRig{g, t, api, listener, &http.Client{Transport: transport}}
}

func (r *memoryRig) dial() *websocket.Conn {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), "ws://local/prod", &websocket.DialOptions{HTTPClient: r.client})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// raw connects a client that speaks RFC 6455 byte by byte, and reads nothing.
func (r *memoryRig) raw() *rawClient {
	r.t.Helper()
	conn, err := r.listener.dial(r.t.Context(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return &rawClient{Conn: conn, t: r.t, reader: bufio.NewReader(conn)}
}

// do sends a request to the handler alone.
func (r *memoryRig) do(request *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.Handler(r.api.ID).ServeHTTP(w, request)
	return w
}
