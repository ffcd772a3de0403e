package connections

import (
	"sync"
	"time"
)

// slowFor is how long a connection counts as slow after it last had no room.
const slowFor = 10 * time.Second

// slow remembers the connections that had no room for a frame, although it was
// tried for a while. Their clients do not read what they are sent. Until one of
// the next frames reaches them, each is posted once: waiting for room with each
// would hold up whoever waits for the call. The zero value is ready for use.
type slow struct {
	mu    sync.Mutex
	until map[string]time.Time
	swept time.Time
}

func (s *slow) has(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[id])
}

func (s *slow) add(id string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[string]time.Time{}
	}
	if now.Sub(s.swept) > slowFor { // or those that are never posted to again would stay
		for id, until := range s.until {
			if !now.Before(until) {
				delete(s.until, id)
			}
		}
		s.swept = now
	}
	s.until[id] = now.Add(slowFor)
}

func (s *slow) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, id)
}
