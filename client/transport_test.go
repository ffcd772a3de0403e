package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// serveWebSocket gives the endpoint of a server of one connection.
func serveWebSocket(t *testing.T, serve func(conn *websocket.Conn, r *http.Request)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chatstack.v1"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		serve(conn, r)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	t.Run("frames go both ways, and the token is offered and never echoed", func(t *testing.T) {
		t.Parallel()
		offered, closed := make(chan []string, 1), make(chan websocket.StatusCode, 1)
		endpoint := serveWebSocket(t, func(conn *websocket.Conn, r *http.Request) {
			offered <- r.Header.Values("Sec-WebSocket-Protocol")
			conn.SetReadLimit(-1)
			if conn.Subprotocol() != "chatstack.v1" {
				t.Errorf("the subprotocol is %q", conn.Subprotocol())
			}
			for {
				kind, frame, err := conn.Read(r.Context())
				if err != nil {
					closed <- websocket.CloseStatus(err)
					return
				}
				conn.Write(r.Context(), kind, frame)
			}
		})
		conn, err := DialWebSocket(t.Context(), endpoint, []string{"chatstack.v1", "bearer.secret"})
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("x", 100<<10) // several events in a frame
		if err := conn.Write(t.Context(), []byte(long)); err != nil {
			t.Fatal(err)
		}
		if frame, err := conn.Read(t.Context()); err != nil || string(frame) != long {
			t.Errorf("%d bytes came back, %v", len(frame), err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"chatstack.v1,bearer.secret"}, <-offered); diff != "" {
			t.Errorf("what was offered (-want +got):\n%s", diff)
		}
		if status := <-closed; status != websocket.StatusNormalClosure {
			t.Errorf("the client closed with %d", status)
		}
	})
	t.Run("a refusal says its status and not the token", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
		defer server.Close()
		_, err := DialWebSocket(t.Context(), strings.Replace(server.URL, "http", "ws", 1), []string{"chatstack.v1", "bearer.secret"})
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok || refused.StatusCode != http.StatusForbidden || strings.Contains(err.Error(), "secret") {
			t.Errorf("the error is %v", err)
		}
	})
}
