package gateway

import "time"

// A Clock tells the time and calls back when some of it has passed. It lets
// idle and life limits of connections be reached at once, by setting a clock
// of the caller's own forward.
type Clock interface {
	Now() time.Time

	// AfterFunc calls f once, after d. stop prevents a call that has not begun
	// and reports whether it did. As with [time.AfterFunc], f is never called
	// before AfterFunc has returned, nor while a lock is held that Now,
	// AfterFunc or stop need.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the machine's own clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}
