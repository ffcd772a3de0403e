package chat

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Service is the chat. Its methods may be called by several goroutines at
// once; its fields are set before the first call and then left alone. Methods
// use only the fields that they need: one that never sends needs no Poster.
type Service struct {
	Store  Store
	Poster Poster

	// Sanitize turns a message's content into HTML that is safe to show. Every
	// "<" in its result begins a tag. Needed by Send and Publish.
	Sanitize func(string) string

	// Limits are what clients may do.
	Limits Limits

	// DefaultChannels are the channels that every connection joins.
	DefaultChannels []string

	// RequireUser refuses connections of nobody.
	RequireUser bool

	// FurtherActions are those of routes that are not the chat's own. They are
	// named to a client that asks for an action which is none.
	FurtherActions []string

	// SendBudget bounds the time that Send gives to deliveries before it hands
	// what is left to the table's stream, so that the sender's answer does not
	// wait for slow receivers; 0 means 5 s.
	SendBudget time.Duration

	// Reserve is the time kept before a call's deadline to hand over what is
	// undelivered and to answer; 0 means 2 s. A third of the time left is the
	// most that is kept.
	Reserve time.Duration

	// Now gives the time; nil means time.Now.
	Now func() time.Time

	// NewID gives the ids of messages; nil means NewID of the time.
	NewID func() string

	// Log gets what happens, never contents; nil means nowhere.
	Log *slog.Logger

	typed   typists
	senders senders
	expired atomic.Int64 // when the last EndExpired that did everything began
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Service) newID() string {
	if s.NewID == nil {
		return NewID(s.now())
	}
	return s.NewID()
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// sendBudget bounds the deliveries of what a client waits for.
func (s *Service) sendBudget() time.Duration {
	if s.SendBudget == 0 {
		return 5 * time.Second
	}
	return s.SendBudget
}

// budget gives a context that ends after limit, if there is one, and early
// enough before ctx's own deadline to hand over what is left then.
func (s *Service) budget(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		reserve := s.Reserve
		if reserve == 0 {
			reserve = 2 * time.Second
		}
		left -= min(reserve, left/3)
		if limit == 0 || left < limit {
			limit = left
		}
	}
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
