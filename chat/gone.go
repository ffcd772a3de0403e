package chat

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// youngFor bounds the time that one delivery waits for young connections to
	// become reachable: $connect takes milliseconds, a cold start a second. What
	// takes longer is handed on, so that it holds up nobody.
	youngFor = time.Second
	// youngPause is the first pause between two posts to a young connection; it
	// doubles.
	youngPause = 50 * time.Millisecond
	// goneWorkers bounds how many connections are dealt with at a time.
	goneWorkers = 16
)

// settled says what became of connections that a post found gone.
type settled struct {
	delivered int      // opened meanwhile and reached
	open      []string // may open yet, or could not be looked at
	err       error    // why they could not
}

// settleGone deals with the connections that a post found gone. Those that are
// young are posted to again for a while: for them, gone can mean that $connect
// has not finished. The others are removed. Whatever is still to be settled
// then is handed on, and again until it is no longer young: then it is removed.
// With a sender waiting, the young are handed on at once.
func (s *Service) settleGone(ctx context.Context, d Delivery, gone []string, senderWaits bool) settled {
	var total settled
	if len(gone) == 0 {
		return total
	}
	ctx, cancel := context.WithTimeout(ctx, youngFor)
	defer cancel()
	for pause := youngPause; ; pause *= 2 {
		young, unknown, err := s.removeGone(ctx, d, gone)
		total.open = append(total.open, unknown...)
		total.err = errors.Join(total.err, err)
		if len(young) == 0 || senderWaits {
			total.open = append(total.open, young...)
			return total
		}
		select {
		case <-ctx.Done():
			total.open = append(total.open, young...)
			return total
		case <-time.After(pause):
		}
		var walk walk
		again := s.Poster.Post(ctx, walk.over(named(young)), d.Frame)
		total.delivered += again.Delivered
		total.open = slices.Concat(total.open, again.Undelivered, young[walk.taken:])
		total.err = errors.Join(total.err, again.Err)
		gone = again.Gone
	}
}

// removeGone removes the connections that are not young. It gives those that
// are, and those of which it could not find out, with a reason. What it cannot
// remove, the next post will find again.
func (s *Service) removeGone(ctx context.Context, d Delivery, gone []string) (young, unknown []string, err error) {
	var (
		mu     sync.Mutex
		failed int
		why    error
	)
	_ = forEach(gone, func(id string) error { // what fails is counted here
		isYoung, lookErr := s.isYoung(ctx, id)
		var removeErr error
		if !isYoung && lookErr == nil {
			removeErr = s.remove(ctx, d, id)
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case lookErr != nil:
			unknown, err = append(unknown, id), lookErr
		case isYoung:
			young = append(young, id)
		case removeErr != nil:
			failed, why = failed+1, removeErr
		}
		return nil
	})
	if failed > 0 {
		s.log().WarnContext(ctx, "gone connections not removed", "channelId", d.ChannelID, "connections", failed, "error", why)
	}
	return young, unknown, err
}

// isYoung reports whether a connection exists that is so young that it may not
// be open yet.
func (s *Service) isYoung(ctx context.Context, connectionID string) (bool, error) {
	c, err := s.Store.GetConnection(ctx, connectionID)
	if errors.Is(err, ErrGone) { // a subscription without a connection
		return false, nil
	}
	return err == nil && s.now().Sub(c.ConnectedAt) < Grace, err
}

// remove ends a connection that does not exist any more.
func (s *Service) remove(ctx context.Context, d Delivery, connectionID string) error {
	if err := s.Store.DeleteConnection(ctx, connectionID); err != nil {
		return err
	}
	// What the connection was found by is known for certain, its channels by the
	// index.
	for _, user := range d.Users {
		if err := s.Store.DeleteDevice(ctx, user, connectionID); err != nil {
			return err
		}
	}
	if len(d.Users) == 0 {
		if err := s.Store.DeleteSubscription(ctx, d.ChannelID, connectionID); err != nil {
			return err
		}
	}
	return s.EndConnection(ctx, connectionID)
}

// forEach does something to connections, several at a time. One's failure keeps
// no other from it.
func forEach(ids []string, do func(id string) error) error {
	var wg sync.WaitGroup
	slot := make(chan struct{}, goneWorkers)
	failures := make([]error, len(ids))
	for i, id := range ids {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			failures[i] = do(id)
		})
	}
	wg.Wait()
	return errors.Join(failures...)
}
