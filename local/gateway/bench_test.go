package gateway_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"example.com/chatstack/local/gateway"
)

// What a connection costs in memory while nothing happens on it, beside two
// bare WebSocket servers that hold as many connections in the same process. The
// clients' half of each connection is measured apart and taken off.
func BenchmarkIdle(b *testing.B) {
	const connections = 1000
	invoker := functions{"$connect": ok}
	g := gateway.New(gateway.Options{Invoker: invoker, Limits: gateway.Limits{Connects: 1e6}})
	defer g.Close(context.Background())
	api := declare(invoker)
	if err := g.Put(api); err != nil {
		b.Fatal(err)
	}
	var ours, gobwas, coder float64
	for b.Loop() {
		clients := clientCost(b, connections)
		ours = idleCost(b, g.Handler(api.ID), connections) - clients
		gobwas = idleCost(b, http.HandlerFunc(serveGobwas), connections) - clients
		coder = idleCost(b, http.HandlerFunc(serveCoder), connections) - clients
	}
	b.ReportMetric(ours, "B/conn")
	b.ReportMetric(gobwas, "gobwas-B/conn")
	b.ReportMetric(coder, "coder-B/conn")
	b.ReportMetric(ours/gobwas, "×gobwas")
	b.ReportMetric(ours/coder, "×coder")
	b.ReportMetric(0, "ns/op")
}

// serveGobwas reads frames and does nothing with them.
func serveGobwas(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	go func() {
		defer func() { _ = conn.Close() }()
		for {
			h, err := ws.ReadHeader(conn)
			if err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, conn, h.Length); err != nil {
				return
			}
		}
	}()
}

// serveCoder reads messages and does nothing with them.
func serveCoder(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	for {
		if _, _, err := conn.Read(context.Background()); err != nil {
			return
		}
	}
}

// idleCost is what n open connections cost both ends, in bytes each.
func idleCost(b *testing.B, handler http.Handler, n int) float64 {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	address := server.Listener.Addr().String()
	connect(b, address).Close() // what the first one alone costs
	return growth(n, func() io.Closer {
		return connect(b, address)
	})
}

// clientCost is what n connections cost the clients.
func clientCost(b *testing.B, n int) float64 {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // and accepts nobody
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return growth(n, func() io.Closer {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		return conn
	})
}

// growth is by how much memory grows with each of n things that stay open.
func growth(n int, open func() io.Closer) float64 {
	before := inUse()
	all := make([]io.Closer, n)
	for i := range all {
		all[i] = open()
	}
	after := inUse()
	for _, one := range all {
		_ = one.Close()
	}
	return (after - before) / float64(n)
}

// inUse is the memory of heap and stacks, once what has ended is gone.
func inUse() float64 {
	var m runtime.MemStats
	for range 3 {
		time.Sleep(50 * time.Millisecond) // goroutines that are ending end
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// connect opens a WebSocket connection with nothing but a socket.
func connect(b *testing.B, address string) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.WriteString(conn, upgrade); err != nil {
		b.Fatal(err)
	}
	var response [1024]byte
	for n := 0; !bytes.HasSuffix(response[:n], []byte("\r\n\r\n")); {
		read, err := conn.Read(response[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += read
	}
	return conn
}

// A post to one connection, over HTTP as functions make it.
func BenchmarkPost(b *testing.B) {
	r := start(b, declare(functions{}), gateway.Options{Limits: gateway.Limits{Requests: 1e9, Burst: 1e9}})
	client := r.raw("/prod", nil)
	go func() {
		discard := make([]byte, 64<<10)
		for {
			if _, err := client.Read(discard); err != nil {
				return
			}
		}
	}()
	path := "/prod/@connections/" + r.onlyID()
	for b.Loop() {
		r.call("POST", path, "hello")
	}
}
