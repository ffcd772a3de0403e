package chat

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Bucket is a token bucket: it holds Size tokens and gets one Every so often
// until it is full.
type Bucket struct {
	Every time.Duration
	Size  int
}

// NoRateLimit lets everybody send as much as they like, as
// Limits.MessagesPerSecond.
const NoRateLimit = -1

const (
	// leaseFor is how long a process may use the tokens that it has taken in
	// advance.
	leaseFor = 30 * time.Second
	// sendersKept is how many senders a process remembers before it forgets
	// those that are idle.
	sendersKept = 10_000
)

// lease is how many tokens a process takes at once for a sender who has been
// slow: a quarter of a burst.
func (l Limits) lease() int { return max(1, l.MessageBurst/4) }

// admit returns an [Error] with CodeRateLimited if a sender is too fast.
//
// The frames of one sender go to as many processes as it sends at once, so
// that no process can count them alone: every message takes a token from the
// sender's bucket in the Store. From a full bucket a process takes a few in
// advance, so that one write does for several messages of who is slow. What
// other processes then lack is added to the bucket's size.
func (s *Service) admit(ctx context.Context, sender string) error {
	limits := s.limits()
	if limits.MessagesPerSecond < 0 {
		return nil
	}
	spent, wait := s.senders.spend(sender, s.now())
	if spent {
		return nil
	}
	if wait <= 0 {
		lease := limits.lease()
		bucket := Bucket{Every: time.Second / time.Duration(limits.MessagesPerSecond), Size: limits.MessageBurst + lease - 1}
		taken, later, err := s.Store.TakeTokens(ctx, sender, bucket, lease)
		if err != nil {
			return fmt.Errorf("take tokens of %s: %w", sender, err)
		}
		s.senders.keep(sender, taken-1, later, s.now())
		if taken > 0 {
			return nil
		}
		wait = later
	}
	wait = max(wait, time.Millisecond)
	mistake := fail(CodeRateLimited, "you send too fast: %d messages a second are allowed, and %d at once; wait %d ms",
		limits.MessagesPerSecond, limits.MessageBurst, wait.Milliseconds())
	mistake.RetryAfter = wait
	return mistake
}

// senders is what a process knows of how fast others send. The zero value is
// ready.
type senders struct {
	mu sync.Mutex
	of map[string]pace
}

// A pace is of one sender: tokens that are taken already, or, if there are
// none, that there will be none before the time.
type pace struct {
	tokens int
	until  time.Time
}

// spend uses a token that is there, or says how long there is none.
func (s *senders) spend(sender string, now time.Time) (ok bool, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.of[sender]
	switch {
	case !known || !now.Before(p.until):
		return false, 0
	case p.tokens < 0:
		return false, p.until.Sub(now)
	case p.tokens == 0:
		return false, 0
	}
	p.tokens--
	s.of[sender] = p
	return true, 0
}

// keep remembers tokens, or with -1 how long there are none.
func (s *senders) keep(sender string, tokens int, wait time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) >= sendersKept || s.of == nil {
		kept := map[string]pace{}
		for sender, p := range s.of {
			if now.Before(p.until) && len(kept) < sendersKept/2 {
				kept[sender] = p
			}
		}
		s.of = kept
	}
	if tokens >= 0 {
		wait = leaseFor
	}
	s.of[sender] = pace{tokens: tokens, until: now.Add(wait)}
}
