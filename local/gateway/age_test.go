package gateway_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

// A pipeListener listens in memory, since real sockets hold up the time of a
// synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.IPAddr{} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory connects a client within a synctest bubble, where time passes when
// nothing else happens, and returns the $disconnect events.
func inMemory(t *testing.T) (*websocket.Conn, <-chan event) {
	t.Helper()
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect, "$default": returns(`{"statusCode":200}`), "echo": returns(`{"statusCode":200,"body":"echo"}`)}
	g := gateway.New(gateway.Options{Invoker: fns})
	api := twoWay(declare(fns))
	if err := g.Put(api); err != nil {
		t.Fatal(err)
	}
	listener := &pipeListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: g.Handler(api.ID)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		g.Close(context.Background())
	})
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(transport.CloseIdleConnections)
	conn, _, err := websocket.Dial(t.Context(), "ws://local/prod", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, disconnected
}

// goneAfter waits for the close frame and returns its code and when it came.
func goneAfter(t *testing.T, conn *websocket.Conn, since time.Time) (websocket.CloseError, time.Duration) {
	t.Helper()
	for {
		if _, _, err := conn.Read(context.Background()); err != nil {
			var status websocket.CloseError
			if !errors.As(err, &status) {
				t.Fatal(err)
			}
			return status, time.Since(since)
		}
	}
}

var goingAway = websocket.CloseError{Code: websocket.StatusGoingAway, Reason: "Going away"}

func TestIdleConnectionClosesAfter10Minutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, disconnected := inMemory(t)
		status, after := goneAfter(t, conn, time.Now())
		if status != goingAway || after != 10*time.Minute {
			t.Errorf("closed with %v after %v", status, after)
		}
		if got := (<-disconnected).closed(); got != "1001 Going away" {
			t.Errorf("$disconnect sees %q", got)
		}
	})
}

func TestIdleCountsMessagesInEitherDirectionButNoPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := inMemory(t)
		begin := time.Now()
		go func() {
			ctx := context.Background()
			time.Sleep(9 * time.Minute)
			_ = conn.Write(ctx, websocket.MessageText, []byte("silence")) // 9: in
			time.Sleep(9 * time.Minute)
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"action":"echo"}`)) // 18: in and out
			time.Sleep(9 * time.Minute)
			_ = conn.Ping(ctx) // 27: counts for nothing
		}()
		status, after := goneAfter(t, conn, begin)
		if status != goingAway || after != 28*time.Minute {
			t.Errorf("closed with %v after %v", status, after)
		}
	})
}

func TestConnectionClosesAfter2HoursHoweverBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, disconnected := inMemory(t)
		begin := time.Now()
		go func() {
			for conn.Write(context.Background(), websocket.MessageText, []byte("x")) == nil {
				time.Sleep(7 * time.Minute)
			}
		}()
		status, after := goneAfter(t, conn, begin)
		if status != goingAway || after != 2*time.Hour {
			t.Errorf("closed with %v after %v", status, after)
		}
		if got := (<-disconnected).closed(); got != "1001 Going away" {
			t.Errorf("$disconnect sees %q", got)
		}
		time.Sleep(10 * time.Minute) // the writer ends
	})
}

// A handClock is set forward by hand.
type handClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*handTimer
}

type handTimer struct {
	at time.Time
	f  func()
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &handTimer{c.now.Add(d), f}
	c.timers = append(c.timers, timer)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		before := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(other *handTimer) bool { return other == timer })
		return len(c.timers) < before
	}
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*handTimer
	c.timers = slices.DeleteFunc(c.timers, func(timer *handTimer) bool {
		if timer.at.After(c.now) {
			return false
		}
		due = append(due, timer)
		return true
	})
	c.mu.Unlock()
	for _, timer := range due {
		timer.f()
	}
}

func TestClockSetForwardClosesConnectionsAtOnce(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: time.Unix(1736441024, 0)}
	connect, connected := recorded(ok)
	disconnect, disconnected := recorded(ok)
	entered, release := make(chan struct{}), make(chan struct{})
	fns := functions{"$connect": connect, "$disconnect": disconnect, "$default": func(context.Context, []byte) (string, string, error) {
		close(entered)
		<-release
		return `{"statusCode":200,"body":"done"}`, "", nil
	}}
	r := start(t, twoWay(declare(fns)), gateway.Options{Invoker: fns, Clock: clock})
	conn := r.dial()
	next(t, connected)
	send(t, conn, "x")
	next(t, entered)

	// Work that is under way does not suffer: the integration's 29 s are real.
	clock.advance(9 * time.Minute)
	close(release)
	if got := receive(t, conn); got != "done" {
		t.Fatalf("got %q", got)
	}
	clock.advance(9 * time.Minute)
	if n := len(r.Connections(r.apiID)); n != 1 {
		t.Fatalf("%d connections 9 minutes after a message", n)
	}
	clock.advance(time.Minute)
	if got := closedWith(t, conn); got != "1001 Going away" {
		t.Errorf("the client sees %q", got)
	}
	var at struct {
		RequestContext struct{ ConnectedAt, RequestTimeEpoch int64 }
	}
	decode(t, next(t, disconnected).raw, &at)
	if got := at.RequestContext.RequestTimeEpoch - at.RequestContext.ConnectedAt; got != (19 * time.Minute).Milliseconds() {
		t.Errorf("$disconnect came %d ms after $connect", got)
	}
	if clock.mu.Lock(); len(clock.timers) != 0 {
		t.Errorf("%d timers are left", len(clock.timers))
	}
	clock.mu.Unlock()
}
