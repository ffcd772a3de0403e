package connections

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"example.com/chatstack/chat"
)

// A call is one call of Post.
type call struct {
	*Poster
	frame []byte

	mu      sync.Mutex
	outcome chat.Outcome
	busy    []string  // those of outcome.Busy
	reached time.Time // when somebody was, last
}

// settle notes what became of the frame for a connection.
func (c *call) settle(id string, result result, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch result {
	case delivered:
		c.outcome.Delivered++
		c.reached = time.Now()
	case gone:
		c.outcome.Gone = append(c.outcome.Gone, id)
	case ignored:
		c.outcome.Slow++
		c.outcome.Err = err
		c.slow.add(id, time.Now())
	default:
		c.outcome.Undelivered = append(c.outcome.Undelivered, id)
		c.outcome.Err = err
		if result == busy {
			c.outcome.Busy++
			c.busy = append(c.busy, id)
		}
	}
}

// isID reports whether an id can be one of API Gateway's. With a slash it would
// make another path.
func isID(id string) bool { return !strings.Contains(id, "/") }

// post posts to one connection until it is settled, the attempts or the
// patience are used up, or ctx leaves no room for another attempt.
func (c *call) post(ctx context.Context, id string) (result, error) {
	if !isID(id) {
		return gone, nil
	}
	began := time.Now()
	backoff := c.opts.Backoff
	for attempt := 1; ; attempt++ {
		result, err := c.attempt(ctx, id, c.frame)
		if result != busy && result != retry {
			c.slow.remove(id)
			return result, err
		}
		if result == busy && c.slow.has(id, time.Now()) {
			return ignored, err
		}
		pause := rand.N(backoff)
		backoff *= 2
		if attempt == c.opts.Attempts || c.isOut(pause, began, result) {
			return result, err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
			return failed, err
		}
		select {
		case <-ctx.Done():
			return failed, err
		case <-time.After(pause):
		}
	}
}

// isOut reports whether the patience is at its end after another pause. There
// is no end to it if the API answers nobody and does not say that it is busy.
func (c *call) isOut(pause time.Duration, began time.Time, result result) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reached.IsZero() && result != busy {
		return false
	}
	if c.reached.After(began) {
		began = c.reached
	}
	return time.Since(began)+pause > c.opts.Patience
}

// remember notes which connections are slow. They must be few, or it is rather
// the account's rate that is used up.
func (c *call) remember() {
	if len(c.busy) > chat.FewConnections {
		return
	}
	for _, id := range c.busy {
		c.slow.add(id, time.Now())
	}
}
