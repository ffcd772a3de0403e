package tests

import (
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// TestConnectionsEndWithTheirTokens writes into the table when the tokens of
// connections expire, and lets the schedule's minute pass.
func TestConnectionsEndWithTheirTokens(t *testing.T) {
	t.Parallel()
	p := newProject(t, "programs/expiring")
	p.up()
	if status := p.run("status"); !strings.Contains(status, "rate(1 minute), ENABLED") || !strings.Contains(status, "schedule\n") {
		t.Errorf("status shows no schedule:\n%s", status)
	}
	endpoint := p.outputs()["endpoint"]
	client, name := p.table()
	table := chattable.New(client, *name)
	stays, soon, overdue := connect(t, endpoint), connect(t, endpoint), connect(t, endpoint)
	expires := func(c *chatter, in time.Duration) time.Time {
		t.Helper()
		at := time.Now().Add(in).Truncate(time.Second)
		if err := table.PutExpiry(t.Context(), chat.Expiry{ConnectionID: c.id, At: at}); err != nil {
			t.Fatal(err)
		}
		return at
	}
	at := expires(soon, 8*time.Second)
	expires(overdue, -3*time.Minute)
	expires(stays, time.Hour)
	p.run("clock", "+1m")

	for _, c := range []*chatter{overdue, soon} {
		c.expect(event{"event": "token_expired"})
		if c == soon && time.Now().Before(at) {
			t.Errorf("told %v before the token expires", time.Until(at))
		}
		if code := c.closed(); code != websocket.StatusNormalClosure {
			t.Errorf("closed with %d, want %d", code, websocket.StatusNormalClosure)
		}
		stays.expect(event{"event": "subscriber_unsub", "subscriberId": c.id, "reason": "expired"})
		if left := p.query("CONNECTION|"+c.id, "META"); len(left) != 0 {
			t.Errorf("left over: %v", left)
		}
	}
	p.run("clock", "+1m")
	stays.never(event{"event": "token_expired"})
}
