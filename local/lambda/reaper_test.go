package lambda

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A fakeClock goes when it is told to.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*fakeTimer]bool
}

type fakeTimer struct {
	at time.Time
	f  func()
}

func newFakeClock() *fakeClock {
	return &fakeClock{now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), timers: map[*fakeTimer]bool{}}
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &fakeTimer{c.now.Add(d), f}
	c.timers[timer] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := c.timers[timer]
		delete(c.timers, timer)
		return was
	}
}

// pass lets time go by, and runs what falls due.
func (c *fakeClock) pass(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*fakeTimer
	for timer := range c.timers {
		if !timer.at.After(c.now) {
			due = append(due, timer)
			delete(c.timers, timer)
		}
	}
	c.mu.Unlock()
	for _, timer := range due {
		timer.f()
	}
}

func TestUnusedEnvironmentsEndExceptOne(t *testing.T) {
	clock := newFakeClock()
	f := newFixture(t, Options{Clock: clock, Idle: 10 * time.Minute})
	gate := filepath.Join(t.TempDir(), "gate")
	var running []<-chan result
	for range 3 {
		running = append(running, f.begin("wait for file", "text", gate))
	}
	waitFor(t, "all have started", func() bool { return strings.Count(f.logs.String(), "START") == 3 })
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, r := range running {
		pid, err := strconv.Atoi(string((<-r).Payload))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	clock.pass(9 * time.Minute)
	used := f.pid()
	if n := f.idle(); n != 3 {
		t.Fatalf("%d environments after nine minutes", n)
	}
	clock.pass(time.Minute)
	if n := f.idle(); n != 1 {
		t.Fatalf("%d environments after ten", n)
	}
	clock.pass(24 * time.Hour)
	if pid := f.pid(); pid != used {
		t.Error("the one used last was not kept")
	}
	for _, pid := range pids {
		if pid != used {
			waitFor(t, "the others have ended", func() bool { return syscall.Kill(pid, 0) != nil })
		}
	}
}

func TestLogLinesCarryTheClocksTime(t *testing.T) {
	clock := newFakeClock()
	f := newFixture(t, Options{Clock: clock})
	f.pid()
	if stream := f.logs.all()[0].stream; !strings.HasPrefix(stream, "2024/05/06/[$LATEST]") {
		t.Errorf("stream %s", stream)
	}
	if at := f.logs.all()[0].at; !at.Equal(clock.Now()) {
		t.Errorf("a line of %v", at)
	}
}
