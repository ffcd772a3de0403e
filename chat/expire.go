package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// expiryAhead is how far ahead of its call EndExpired ends connections: to
	// the next call a minute later, and what that one may be late by.
	expiryAhead = 70 * time.Second
	// expirySlack is how much later than its own time an expiry may be stored,
	// by a $connect that took long and with the leeway of whoever checked the
	// token.
	expirySlack = 5 * time.Minute
	// longestConnection is longer than any connection lasts: API Gateway ends it
	// after 2 h (quota "Connection duration for WebSocket API").
	longestConnection = 2*time.Hour + 10*time.Minute
	// expiryWorkers bounds how many connections are ended at a time.
	expiryWorkers = 64
	// tellFor bounds the time for telling those concerned that a token has
	// expired, and endFor that for ending its connection altogether.
	tellFor, endFor = 4 * time.Second, 10 * time.Second
)

// An Expiry says when the token expires that a connection was opened with. The
// connection does not outlive it.
type Expiry struct {
	ConnectionID string
	At           time.Time
}

// checkExpiry returns an [Error] with CodeTokenExpired once the token has
// expired: between that and the end of its connection no frame is served.
func (i Identity) checkExpiry(now time.Time) error {
	if i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt) {
		return nil
	}
	return fail(CodeTokenExpired, "the token of this connection has expired: connect again with a new one")
}

// putExpiry lets a connection end when its token expires, zero for never. One
// that API Gateway ends sooner needs no expiry.
func (s *Service) putExpiry(ctx context.Context, connectionID string, expiresAt time.Time) error {
	if !s.endsByExpiry(expiresAt) {
		return nil
	}
	return s.Store.PutExpiry(ctx, Expiry{ConnectionID: connectionID, At: expiresAt})
}

// DropExpiry is for a connection that has ended before its token. Without it,
// EndExpired would end the connection once more.
func (s *Service) DropExpiry(ctx context.Context, c Caller) error {
	if !s.endsByExpiry(c.ExpiresAt) {
		return nil
	}
	if err := s.Store.DeleteExpiry(ctx, Expiry{ConnectionID: c.ConnectionID, At: c.ExpiresAt}); err != nil {
		return fmt.Errorf("drop expiry of %s: %w", c.ConnectionID, err)
	}
	return nil
}

func (s *Service) endsByExpiry(expiresAt time.Time) bool {
	return !expiresAt.IsZero() && expiresAt.Sub(s.now()) < longestConnection
}

// EndExpired ends the connections whose tokens have expired or will within the
// next minute, each at its time, for which it waits. It tells the client, closes
// the connection and deletes it with its subscriptions. To be called once a
// minute; calls may overlap, and what one did not get to, the next one does:
// each goes back to where the last one of this process that did everything
// began, the first one as far as a connection can last.
//
// One connection's failure keeps no other's end; the error says how many failed.
func (s *Service) EndExpired(ctx context.Context) error {
	began := s.now()
	since := began.Add(-longestConnection)
	if last := s.expired.Load(); last != 0 {
		since = time.Unix(last, 0)
	}
	until := began.Add(expiryAhead)
	if deadline, ok := ctx.Deadline(); ok {
		if last := began.Add(time.Until(deadline) - endFor); last.Before(until) {
			until = last
		}
	}
	due, err := s.listExpiries(ctx, since.Add(-expirySlack), until)
	ended, failed, why := s.endAll(ctx, due)
	if len(due) > 0 {
		s.log().InfoContext(ctx, "tokens expired", "connections", len(due), "ended", ended)
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d connections not ended, such as %w", failed, len(due), why))
	}
	if err != nil {
		return fmt.Errorf("end expired connections: %w", err)
	}
	s.expired.Store(began.Unix())
	return nil
}

// listExpiries gives the expiries from since to until, the first one first.
func (s *Service) listExpiries(ctx context.Context, since, until time.Time) ([]Expiry, error) {
	var due []Expiry
	var problem error
	for minute := since.Truncate(time.Minute); !minute.After(until); minute = minute.Add(time.Minute) {
		for e, err := range s.Store.ListExpiries(ctx, minute) {
			if err != nil {
				problem = fmt.Errorf("those of %s: %w", formatTime(minute), err)
				break
			}
			if !e.At.After(until) {
				due = append(due, e)
			}
		}
	}
	slices.SortFunc(due, func(a, b Expiry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ConnectionID, b.ConnectionID)) })
	return due, problem
}

// endAll ends connections, each at its time. It counts those that are ended and
// those that failed, with the reason of one.
func (s *Service) endAll(ctx context.Context, due []Expiry) (ended, failed int, why error) {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		slot = make(chan struct{}, expiryWorkers)
	)
	for i, e := range due {
		if err := s.waitUntil(ctx, e.At); err != nil {
			mu.Lock()
			failed, why = failed+len(due)-i, err
			mu.Unlock()
			break
		}
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			over, err := s.end(ctx, e)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failed, why = failed+1, fmt.Errorf("%s: %w", e.ConnectionID, err)
			case over:
				ended++
			}
		})
	}
	wg.Wait()
	return ended, failed, why
}

// waitUntil waits for a time, or returns the error of ctx.
func (s *Service) waitUntil(ctx context.Context, at time.Time) error {
	left := at.Sub(s.now())
	if left <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(left):
		return nil
	}
}

// end ends one connection, and reports whether it is over. One whose $connect
// may not have finished, or it could open after all, is left to the next call.
func (s *Service) end(ctx context.Context, e Expiry) (over bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, endFor)
	defer cancel()
	if s.tellExpired(ctx, e) {
		if young, err := s.isYoung(ctx, e.ConnectionID); err != nil || young {
			return false, err
		}
	}
	if err := s.Poster.Close(ctx, e.ConnectionID); err != nil {
		return false, err
	}
	if err := s.Disconnect(ctx, e.ConnectionID); err != nil {
		return false, err
	}
	return true, s.Store.DeleteExpiry(ctx, e)
}

// tellExpired tells a client that its token has expired, and its channels that it
// leaves by that, as far as there is time: what is left is ended without a
// reason. It reports whether the connection was found gone.
func (s *Service) tellExpired(ctx context.Context, e Expiry) (gone bool) {
	ctx, cancel := context.WithTimeout(ctx, tellFor)
	defer cancel()
	frame := encode(expiredEvent{Event: "token_expired", At: formatTime(e.At)})
	outcome := s.Poster.Post(ctx, slices.Values([]string{e.ConnectionID}), frame)
	if len(outcome.Gone) > 0 {
		return true
	}
	_ = s.endSubscriptions(ctx, e.ConnectionID, ReasonExpired) // Disconnect says what is wrong
	return false
}
