package tests

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// An event is a frame of the server.
type event map[string]any

func (e event) is(fields event) bool {
	for name, want := range fields {
		if e[name] != want {
			return false
		}
	}
	return true
}

// A chatter is a WebSocket client that is not ours.
type chatter struct {
	t      testing.TB
	conn   *websocket.Conn
	id     string
	events chan event    // closed when the connection ends
	turn   chan struct{} // holds a token, without which nothing is read
	ended  error         // why, once events is closed
	seen   []event       // what expect has passed over, for its message
}

// connect opens a connection and learns its id.
func connect(t testing.TB, endpoint string) *chatter {
	t.Helper()
	c := dial(t, endpoint)
	c.send(event{"action": "whoami", "id": "who"})
	you := c.expect(event{"event": "you", "id": "who"})
	c.id, _ = you["connectionId"].(string)
	if c.id == "" {
		t.Fatalf("whoami gives no connectionId: %v", you)
	}
	return c
}

// dial opens a connection.
func dial(t testing.TB, endpoint string) *chatter {
	t.Helper()
	return dialWith(t, endpoint, nil)
}

// dialWith opens a connection as options say.
func dialWith(t testing.TB, endpoint string, options *websocket.DialOptions) *chatter {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint, options)
	if err != nil {
		t.Fatalf("connect to %s: %v", endpoint, err)
	}
	c := &chatter{t: t, conn: conn, events: make(chan event, 1024), turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.events)
		for {
			<-c.turn
			c.turn <- struct{}{}
			_, data, err := conn.Read(context.Background())
			if err != nil {
				c.ended = err
				return
			}
			for _, line := range strings.Split(string(data), "\n") {
				var e event
				if json.Unmarshal([]byte(line), &e) == nil {
					c.events <- e
				}
			}
		}
	}()
	t.Cleanup(func() { conn.CloseNow(); <-done })
	return c
}

// send sends a frame: an object as JSON, a string as it is.
func (c *chatter) send(frame any) {
	c.t.Helper()
	text, raw := frame.(string)
	if !raw {
		data, err := json.Marshal(frame)
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(data)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %s: %v", text, err)
	}
}

// expect waits for an event with these fields, passing over others.
func (c *chatter) expect(fields event) event {
	c.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case e, open := <-c.events:
			if !open {
				c.t.Fatalf("%v was expected, and the connection ended; before came %v", fields, c.seen)
			}
			if e.is(fields) {
				return e
			}
			c.seen = append(c.seen, e)
		case <-timeout:
			c.t.Fatalf("%v did not come; before came %v", fields, c.seen)
		}
	}
}

// never checks that no event with these fields comes before the answer to a
// ping that is sent now.
func (c *chatter) never(fields event) {
	c.t.Helper()
	c.send(event{"action": "ping", "id": "quiet"})
	for e := range c.events {
		if e.is(event{"event": "pong", "id": "quiet"}) {
			return
		}
		if e.is(fields) {
			c.t.Fatalf("%v came, which should not", e)
		}
	}
	c.t.Fatal("the connection ended")
}

// pause stops reading after the next frame, until resume.
func (c *chatter) pause() { <-c.turn }

func (c *chatter) resume() { c.turn <- struct{}{} }

// vanish drops the connection without a word.
func (c *chatter) vanish() { c.conn.CloseNow() }
