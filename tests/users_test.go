package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/chat"
	"example.com/chatstack/client"
)

// TestUsers is what the Go client and the page do where the stage knows its users.
func TestUsers(t *testing.T) {
	t.Parallel()
	p := newProject(t, knowingUsers(t))
	p.up()
	endpoint := p.outputs()["endpoint"]

	t.Run("a message and an edit outlive their connection", func(t *testing.T) { outlive(t, p, endpoint) })
	t.Run("a user's connections are one member", func(t *testing.T) { oneMember(t, p, endpoint) })
	t.Run("a connection is replaced before its token expires", func(t *testing.T) { renewal(t, p, endpoint) })
	t.Run("two users talk to each other", func(t *testing.T) { talk(t, p, endpoint) })
	t.Run("moderators are heard", func(t *testing.T) { moderation(t, p, endpoint) })
	t.Run("the page shows users and what moderators do", func(t *testing.T) { usersOnThePage(t, p) })
}

// A user is a Go client whose connections can be cut.
type user struct {
	*client.Client
	mu     sync.Mutex
	conn   *cable
	events []client.Event
	dials  int
}

// connectUser connects a user with a token of its own for each connection.
func connectUser(t *testing.T, p *project, endpoint, name string, flags ...string) *user {
	t.Helper()
	u := &user{}
	var err error
	u.Client, err = client.Dial(t.Context(), endpoint, &client.Options{
		MinBackoff: 50 * time.Millisecond, Retry: time.Second, GapWait: 2 * time.Second,
		Token: func(context.Context) (string, error) {
			token, err := p.try(append([]string{"token", "--user", name, "--name", strings.ToUpper(name)}, flags...)...)
			return strings.TrimSpace(token), err
		},
		Dial: func(ctx context.Context, endpoint string, subprotocols []string) (client.Conn, error) {
			conn, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{Subprotocols: subprotocols})
			if err != nil {
				return nil, err
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			u.conn = &cable{Conn: conn}
			u.dials++
			return u.conn, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range u.Events() {
			u.mu.Lock()
			u.events = append(u.events, e)
			u.mu.Unlock()
		}
	})
	t.Cleanup(func() { u.Close(); watching.Wait() })
	return u
}

// sees waits for an event of a kind that is right.
func sees[E client.Event](t *testing.T, u *user, right func(E) bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("a %T that is right", *new(E)), func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, e := range u.events {
			if e, ok := e.(E); ok && right(e) {
				return true
			}
		}
		return false
	})
}

func outlive(t *testing.T, p *project, endpoint string) {
	ann := connectUser(t, p, endpoint, "ann")
	first, err := ann.Send(t.Context(), "outlive", "first")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	const messages = 20
	for i := range messages {
		if i%4 == 0 {
			ann.mu.Lock()
			conn := ann.conn
			ann.mu.Unlock()
			time.AfterFunc(time.Duration(i)*time.Millisecond, func() { conn.CloseNow() })
		}
		if _, err := ann.Send(t.Context(), "outlive", fmt.Sprint("message ", i)); err != nil {
			t.Fatal(err)
		}
	}
	// Without identity each cut can cost 30 s.
	t.Logf("%d messages over %d connections took %v", messages, ann.dials, time.Since(began))
	if ann.dials < 3 {
		t.Errorf("there were %d connections, so that this test has shown nothing", ann.dials)
	}
	if stored := p.stored("outlive"); len(stored) != messages+1 {
		t.Errorf("%d messages are stored, want %d", len(stored), messages+1)
	}
	if _, err := ann.Edit(t.Context(), "outlive", first.Seq, "changed"); err != nil {
		t.Errorf("an edit on another connection: %v", err)
	}
}

func oneMember(t *testing.T, p *project, endpoint string) {
	ann, again, ben := connectUser(t, p, endpoint, "ann"), connectUser(t, p, endpoint, "ann"), connectUser(t, p, endpoint, "ben")
	for _, u := range []*user{ann, again, ben} {
		if err := u.Subscribe(t.Context(), "members"); err != nil {
			t.Fatal(err)
		}
	}
	sees(t, ben, func(e client.Joined) bool {
		return e.ChannelID == "members" && e.User == "ben" && e.Name == "BEN" && e.Count == 2
	})
	eventually(t, "ann has two connections", func() bool {
		members, count, err := ben.Members(t.Context(), "members")
		if err != nil || count != 2 {
			return false
		}
		connections := map[string]int{}
		for m, err := range members {
			if err != nil {
				t.Fatal(err)
			}
			connections[m.User] = len(m.Connections)
		}
		return len(connections) == 2 && connections["ann"] == 2 && connections["ben"] == 1
	})
	ann.Close()
	sees(t, ben, func(e client.Left) bool { return e.ChannelID == "members" && e.User == "ann" && e.Count == 2 })
}

func renewal(t *testing.T, p *project, endpoint string) {
	cat := connectUser(t, p, endpoint, "cat", "--ttl", "12s")
	eventually(t, "it has connected three times", func() bool {
		cat.mu.Lock()
		defer cat.mu.Unlock()
		return cat.dials >= 3
	})
	cat.mu.Lock()
	defer cat.mu.Unlock()
	for _, e := range cat.events {
		if e, ok := e.(client.StateChange); ok && e.Err != nil {
			t.Errorf("it was offline: %v", e.Err)
		}
	}
}

func talk(t *testing.T, p *project, endpoint string) {
	ctx := t.Context()
	eve, fay, again := connectUser(t, p, endpoint, "eve"), connectUser(t, p, endpoint, "fay"), connectUser(t, p, endpoint, "fay")
	first, err := eve.SendDirect(ctx, "fay", "hello")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []*user{eve, fay, again} {
		sees(t, u, func(e client.Direct) bool {
			return e.User == "eve" && e.To == "fay" && e.Name == "EVE" && e.Content == "hello" && e.Seq == first.Seq
		})
	}
	changed, err := eve.EditDirect(ctx, "fay", first.Seq, "hello again")
	if err != nil {
		t.Fatal(err)
	}
	sees(t, again, func(e client.Revision) bool { return e.TargetSeq == first.Seq && e.Content == "hello again" })

	// What comes while it is away comes once it is back.
	fay.mu.Lock()
	fay.conn.CloseNow()
	fay.mu.Unlock()
	if _, err := eve.SendDirect(ctx, "fay", "are you there?"); err != nil {
		t.Fatal(err)
	}
	sees(t, fay, func(e client.Direct) bool { return e.Content == "are you there?" && e.Seq == changed.Seq+1 })

	page, err := fay.DirectHistoryAfter(ctx, "eve", 0, 10)
	if err != nil || len(page.Messages) != 3 {
		t.Errorf("the history is %+v, %v", page, err)
	}
	conversations, err := fay.Conversations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	with := map[string]int64{}
	for c, err := range conversations {
		if err != nil {
			t.Fatal(err)
		}
		with[c.User] = c.Seq
	}
	if len(with) != 1 || with["eve"] != changed.Seq+1 {
		t.Errorf("fay talks with %v", with)
	}
}

func moderation(t *testing.T, p *project, endpoint string) {
	ctx := t.Context()
	mod, dan := connectUser(t, p, endpoint, "mod", "--moderates", "*"), connectUser(t, p, endpoint, "dan")
	if err := dan.Subscribe(ctx, "club"); err != nil {
		t.Fatal(err)
	}
	if err := dan.Kick(ctx, "mod", client.Sanction{ChannelID: "club"}); chat.ErrorCode(err) != "not_moderator" {
		t.Errorf("one who is no moderator kicks: %v", err)
	}

	if err := mod.Mute(ctx, "dan", client.Sanction{ChannelID: "club", For: time.Hour, Reason: "loud"}); err != nil {
		t.Fatal(err)
	}
	sees(t, dan, func(e client.Muted) bool {
		return e.ChannelID == "club" && e.Reason == "loud" && e.Until.After(time.Now())
	})
	if _, err := dan.Send(ctx, "club", "mute"); chat.ErrorCode(err) != chat.CodeMuted {
		t.Errorf("one who is muted sends: %v", err)
	}
	if err := mod.Unmute(ctx, "dan", "club"); err != nil {
		t.Fatal(err)
	}
	sees(t, dan, func(e client.Unmuted) bool { return e.ChannelID == "club" })

	if err := mod.SetSlowMode(ctx, "club", 2*time.Second); err != nil {
		t.Fatal(err)
	}
	sees(t, dan, func(e client.SlowMode) bool { return e.ChannelID == "club" && e.Every == 2*time.Second })
	var times []time.Time
	for i := range 2 {
		if _, err := dan.Send(ctx, "club", fmt.Sprint("slow ", i)); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Now())
	}
	if between := times[1].Sub(times[0]); between < time.Second {
		t.Errorf("in slow mode two messages are %v apart", between)
	}

	if err := mod.Kick(ctx, "dan", client.Sanction{ChannelID: "club", Reason: "rude"}); err != nil {
		t.Fatal(err)
	}
	sees(t, dan, func(e client.Kicked) bool { return e.ChannelID == "club" && e.Reason == "rude" })
	sees(t, dan, func(e client.Left) bool { return e.ChannelID == "club" && e.User == "dan" && e.Reason == "kicked" })

	if err := mod.Ban(ctx, "dan", client.Sanction{For: time.Hour, Reason: "spam"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the banned client has ended", func() bool { return dan.Err() != nil })
	_, banned := errors.AsType[*client.BannedError](dan.Err())
	refused, _ := errors.AsType[*client.RefusedError](dan.Err())
	if !banned && (refused == nil || refused.StatusCode != 403) {
		t.Errorf("it has ended with %v", dan.Err())
	}
	if _, err := client.Dial(ctx, endpoint, &client.Options{Token: func(context.Context) (string, error) {
		return strings.TrimSpace(p.run("token", "--user", "dan")), nil
	}}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("one who is banned connects: %v", err)
	}
}
