package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/coder/websocket"
)

// A Conn carries the frames of one connection.
type Conn interface {
	// Read waits for the next frame. It is called by one goroutine at a time.
	Read(ctx context.Context) ([]byte, error)
	// Write sends a frame. It is called by one goroutine at a time.
	Write(ctx context.Context, frame []byte) error
	// Close ends the connection, and Read and Write with it. It is called once.
	Close() error
}

// A DialFunc opens a connection to a stage's endpoint, offering subprotocols.
type DialFunc func(ctx context.Context, endpoint string, subprotocols []string) (Conn, error)

// maxFrame bounds what is read: API Gateway's messages are at most 128 KB.
const maxFrame = 128 << 10

// DialWebSocket is the DialFunc of a stage.
func DialWebSocket(ctx context.Context, endpoint string, subprotocols []string) (Conn, error) {
	conn, response, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{Subprotocols: subprotocols})
	if err != nil {
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return nil, &RefusedError{StatusCode: response.StatusCode}
		}
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	return webSocket{conn}, nil
}

// A RefusedError reports that the stage did not accept the connection.
type RefusedError struct {
	// StatusCode is that of the HTTP response: 401 without a valid token, 403
	// where it is not enough, 429 and 500 upwards where it may be tried again.
	StatusCode int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the stage refuses the connection with %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

type webSocket struct{ conn *websocket.Conn }

func (w webSocket) Read(ctx context.Context) ([]byte, error) {
	_, frame, err := w.conn.Read(ctx)
	return frame, err
}

func (w webSocket) Write(ctx context.Context, frame []byte) error {
	return w.conn.Write(ctx, websocket.MessageText, frame)
}

// Close takes leave, and waits up to ten seconds for a peer that does not answer.
func (w webSocket) Close() error { return w.conn.Close(websocket.StatusNormalClosure, "") }
