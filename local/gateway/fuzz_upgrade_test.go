package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"example.com/chatstack/local/gateway"
)

// Whatever is asked for, the answer is one that API Gateway gives, a connection
// is opened only if $connect was run, and the events are JSON.
func FuzzUpgrade(f *testing.F) {
	f.Add(upgrade)
	f.Add(strings.Replace(upgrade, "/prod", "/prod?a=%zz&b=1&b=;&%00=x", 1))
	f.Add(strings.Replace(upgrade, "Host: x", "Host: x\r\nX-Odd: \xff\xfe<>&\r\nx-odd: y\r\nCookie: a=b", 1))
	f.Add("GET /prod HTTP/1.1\r\nHost: x\r\n\r\n")
	f.Add("POST /prod/%40connections/AAAAAAAAAAAAAAA%3D HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
	f.Add("GET /ping HTTP/1.0\r\n\r\n")
	f.Add("GET /%2e%2e//prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

	asked := make(chan []byte, 10)
	fns := functions{"$connect": func(_ context.Context, event []byte) (string, string, error) {
		asked <- event
		return `{"statusCode":200}`, "", nil
	}}
	g := gateway.New(gateway.Options{Invoker: fns, Limits: gateway.Limits{Connects: 1e6}})
	if err := g.Put(declare(fns)); err != nil {
		f.Fatal(err)
	}
	panicked := make(chan string, 10)
	handler := g.Handler("a1b2c3d4e5")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil { // net/http would swallow it
				panicked <- string(debug.Stack())
			}
		}()
		handler.ServeHTTP(w, r)
	}))
	server.Config.ReadTimeout = 100 * time.Millisecond // for what is no whole request
	server.Start()
	f.Cleanup(func() {
		g.Close(context.Background())
		server.Close()
	})

	f.Fuzz(func(t *testing.T, request string) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, request+"\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		select {
		case stack := <-panicked:
			t.Fatal(stack)
		default:
		}
		if err != nil {
			return // the HTTP server had nothing to answer
		}
		_ = response.Body.Close()
		switch response.StatusCode {
		case 101:
			if event := next(t, asked); !json.Valid(event) {
				t.Errorf("an event that is no JSON: %s", event)
			}
		case 200, 204, 400, 403, 408, 410, 413, 414, 417, 426, 429, 431, 501, 505:
			if len(asked) > 0 {
				t.Errorf("status %d although $connect said 200: %s", response.StatusCode, <-asked)
			}
		default:
			t.Errorf("status %d", response.StatusCode)
		}
	})
}
