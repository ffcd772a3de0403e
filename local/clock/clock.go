// Package clock lets time pass for the local cloud, so that two hours can be
// waited for in a second.
//
// A [Clock] does not change what time it is. Functions are processes of their
// own and live in the machine's time, and so do the times in events, in stream
// records and in signatures. What a Clock changes is how old things are: every
// age that the local cloud looks at, and every wait of its own, is a matter of
// [Clock.Since], [Clock.AfterFunc] and [Clock.Sleep], and [Clock.Advance] makes
// all that is there older at once. What comes after it is new.
//
// How long work takes is not a matter of this clock: an invocation's timeout or
// a closing handshake must not fail because someone lets an hour pass.
package clock

import (
	"context"
	"sync"
	"time"
)

// A Clock is the machine's clock and the time that was let pass besides. The
// zero value is ready; its methods may be called from many goroutines at once.
type Clock struct {
	mu      sync.Mutex
	advance []advance
	timers  map[*timer]struct{}
}

// An advance is time that was let pass at a moment.
type advance struct {
	at time.Time
	by time.Duration
}

// A timer calls f when after has passed since start.
type timer struct {
	start time.Time
	after time.Duration
	f     func()
	wake  *time.Timer
}

// Now returns the machine's time. It is what to stamp things with.
func (c *Clock) Now() time.Time { return time.Now() }

// Since returns how old something is that the machine's clock stamped with t:
// the time that went by, and the time that was let pass meanwhile.
func (c *Clock) Since(t time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since(t)
}

func (c *Clock) since(t time.Time) time.Duration {
	age := time.Since(t)
	for _, a := range c.advance {
		if !a.at.Before(t) {
			age += a.by
		}
	}
	return age
}

// Advance lets d pass, more than 0: all that is there is older by it at once,
// and what waits for it is called, each in a goroutine of its own.
func (c *Clock) Advance(d time.Duration) { c.advanceAt(time.Now(), d) }

// AdvanceOnSecond waits until the machine's second ends and lets d pass then. Of
// what is stamped with whole seconds, as stream records are, each is so clearly
// before that or after it.
func (c *Clock) AdvanceOnSecond(ctx context.Context, d time.Duration) error {
	next := time.Now().Truncate(time.Second).Add(time.Second)
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.advanceAt(next.Add(-1), d)
	return nil
}

func (c *Clock) advanceAt(at time.Time, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance = append(c.advance, advance{at, d})
	c.rearm()
}

// Reset takes back all that was let pass. What has happened by it has happened;
// what has not waits for the machine's time again.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance = nil
	c.rearm()
}

// Advanced returns the time that was let pass, in all, since the last Reset.
func (c *Clock) Advanced() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum time.Duration
	for _, a := range c.advance {
		sum += a.by
	}
	return sum
}

// AfterFunc calls f once, in a goroutine of its own, when d has passed. stop
// prevents a call that has not begun, and reports whether it did.
func (c *Clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{start: time.Now(), after: d, f: f} // behind what was let pass before
	if c.timers == nil {
		c.timers = map[*timer]struct{}{}
	}
	c.timers[t] = struct{}{}
	t.wake = time.AfterFunc(max(d, 0), func() { c.fire(t) })
	return func() bool { return c.cancel(t) }
}

// Sleep waits until d has passed, or returns the error of ctx.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	passed := make(chan struct{})
	stop := c.AfterFunc(d, func() { close(passed) })
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
		stop()
		return ctx.Err()
	}
}

// fire runs a timer, unless it was stopped or has longer to wait after a Reset.
func (c *Clock) fire(t *timer) {
	c.mu.Lock()
	_, waiting := c.timers[t]
	due := t.after <= c.since(t.start)
	if waiting && due {
		delete(c.timers, t)
	}
	c.mu.Unlock()
	if waiting && due {
		t.f()
	}
}

func (c *Clock) cancel(t *timer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, waiting := c.timers[t]
	delete(c.timers, t)
	t.wake.Stop()
	return waiting
}

// rearm lets each timer wait for what it has left. c.mu is held.
func (c *Clock) rearm() {
	for t := range c.timers {
		t.wake.Reset(max(t.after-c.since(t.start), 0))
	}
}
