package lambda

import "time"

// A Clock tells the time that log lines carry and decides when an unused
// environment is stopped. The time in which a function runs is not the clock's:
// timeouts and deadlines are those of this machine, since its processes know no
// other.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f, on a goroutine of its own, once d has passed. It is
	// not called if stop was before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// machineClock is this machine's.
type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
