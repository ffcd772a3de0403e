package gateway_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/local/clock"
	"example.com/chatstack/local/gateway"
)

// aging connects a client within a synctest bubble and returns the $disconnect
// events.
func aging(t *testing.T) (*websocket.Conn, *clock.Clock, <-chan event) {
	t.Helper()
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect, "$default": ok, "echo": returns(`{"statusCode":200,"body":"echo"}`)}
	var clock clock.Clock
	r := startInMemory(t, twoWay(declare(fns)), gateway.Options{Invoker: fns, Clock: &clock})
	return r.dial(), &clock, disconnected
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
		conn, _, disconnected := aging(t)
		status, after := goneAfter(t, conn, time.Now())
		if status != goingAway || after != 10*time.Minute {
			t.Errorf("closed with %v after %v", status, after)
		}
		if got := (<-disconnected).closed(); got != "1001 Going away" {
			t.Errorf("$disconnect sees %q", got)
		}
	})
}

// The deadline of a connection's last write has long passed when it has been idle.
func TestEveryIdleConnectionIsToldWhyItCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startInMemory(t, declare(nil), gateway.Options{})
		conns := make([]*websocket.Conn, 200)
		for i := range conns {
			conns[i] = r.dial()
		}
		for _, conn := range conns {
			if status, _ := goneAfter(t, conn, time.Now()); status != goingAway {
				t.Errorf("closed with %v", status)
			}
		}
	})
}

func TestIdleCountsMessagesInEitherDirectionButNoPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, _ := aging(t)
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
		conn, _, disconnected := aging(t)
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

func TestTimeLetPassClosesConnectionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, clock, disconnected := aging(t)
		begin := time.Now()
		clock.Advance(9 * time.Minute)
		if err := conn.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		clock.Advance(10*time.Minute - time.Second)
		synctest.Wait()
		if len(disconnected) != 0 {
			t.Fatal("closed within 10 minutes of a message")
		}
		clock.Advance(time.Second)
		status, after := goneAfter(t, conn, begin)
		if status != goingAway || after != 0 {
			t.Errorf("closed with %v after %v of the machine's time", status, after)
		}
		if got := (<-disconnected).closed(); got != "1001 Going away" {
			t.Errorf("$disconnect sees %q", got)
		}
	})
}

// What a function may take is real time: it does not suffer from time that is
// let pass.
func TestTimeLetPassFailsNoWorkUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		fns := functions{"$default": func(context.Context, []byte) (string, string, error) {
			close(entered)
			<-release
			return `{"statusCode":200,"body":"done"}`, "", nil
		}}
		var clock clock.Clock
		conn := startInMemory(t, twoWay(declare(fns)), gateway.Options{Invoker: fns, Clock: &clock}).dial()
		send(t, conn, "x")
		<-entered
		clock.Advance(9 * time.Minute)
		synctest.Wait()
		close(release)
		if got := receive(t, conn); got != "done" {
			t.Errorf("got %q", got)
		}
	})
}

func TestClosedConnectionLeavesNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, clock, disconnected := aging(t)
		_ = conn.Close(websocket.StatusNormalClosure, "")
		if got := (<-disconnected).closed(); got != "1000 " {
			t.Errorf("$disconnect sees %q", got)
		}
		clock.Advance(2 * time.Hour)
		synctest.Wait()
		if len(disconnected) != 0 {
			t.Error("a second $disconnect at the end of its age")
		}
	})
}
