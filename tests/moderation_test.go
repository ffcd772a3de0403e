package tests

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A banned user is out and stays out, on every connection; of a channel alone, the
// connections stay. How long it takes is printed.
func TestABannedUserIsOutAndStaysOut(t *testing.T) {
	t.Parallel()
	p := newProject(t, knowingUsers(t))
	p.up()
	endpoint := p.outputs()["endpoint"]
	token := func(user string, flags ...string) string {
		return "bearer." + strings.TrimSpace(p.run(append([]string{"token", "--user", user}, flags...)...))
	}
	ofAnna, ofBert := token("anna", "--moderates", "*"), token("bert")
	as := func(token string) *chatter {
		return dialWith(t, endpoint, &websocket.DialOptions{Subprotocols: []string{"chatstack.v1", token}})
	}
	anna, berts := as(ofAnna), []*chatter{as(ofBert), as(ofBert)}
	for _, c := range append(berts, anna) {
		c.join("den")
	}
	ask := func(frame event) time.Time {
		t.Helper()
		frame["id"] = "mod"
		anna.send(frame)
		anna.expect(event{"event": "ack", "id": "mod"})
		return time.Now()
	}

	began := ask(event{"action": "banUser", "user": "bert", "channelId": "den", "reason": "spam"})
	for _, c := range berts {
		c.expect(event{"event": "banned", "channelId": "den", "reason": "spam"})
		anna.expect(event{"event": "subscriber_unsub", "channelId": "den", "user": "bert", "reason": "banned"})
		c.send(event{"action": "sendMessage", "channelId": "den", "content": "x", "id": "no"})
		c.expect(event{"event": "error", "code": "banned", "id": "no"})
	}
	t.Logf("out of the channel after %v", time.Since(began))

	began = ask(event{"action": "banUser", "user": "bert", "seconds": 60})
	for _, c := range berts {
		c.expect(event{"event": "banned"})
		c.closed()
	}
	t.Logf("out of everything after %v", time.Since(began))
	header := http.Header{"Sec-WebSocket-Protocol": {"chatstack.v1, " + ofBert}}
	if status := refusal(t, endpoint, header); status != http.StatusForbidden {
		t.Errorf("another connection: %d, want 403", status)
	}
	ask(event{"action": "unbanUser", "user": "bert"})
	back := as(ofBert)
	back.send(event{"action": "subscribeChannel", "channelId": "den", "id": "den"})
	back.expect(event{"event": "error", "code": "banned", "id": "den"})
}
