package eventsource

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff says how long to wait before another try: twice as long each time up
// to a limit, and by chance up to half less, so that shards do not retry in step.
type backoff struct {
	first, limit time.Duration
	wait         time.Duration
}

// pollLimit and deliveryLimit are the longest waits. They are short: whoever waits
// here sits in front of the machine and has just mended what was wrong.
const (
	firstWait     = 100 * time.Millisecond
	pollLimit     = 5 * time.Second
	deliveryLimit = 10 * time.Second
)

func newBackoff(limit time.Duration) *backoff {
	return &backoff{first: firstWait, limit: limit}
}

func (b *backoff) reset() { b.wait = 0 }

func (b *backoff) next() time.Duration {
	b.wait = min(max(2*b.wait, b.first), b.limit)
	return b.wait - rand.N(b.wait/2+1)
}

// sleep waits by the machine's time, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
