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
	// become reachable: $connect takes milliseconds, a cold start a second.
	youngFor = 3 * time.Second
	// youngPause is the first pause between two posts to a young connection; it
	// doubles.
	youngPause = 50 * time.Millisecond
	// goneWorkers bounds how many connections are removed at a time.
	goneWorkers = 16
)

// settleGone deals with the connections that a post found gone. Those that are
// young are posted to again for a while: for them, gone can mean that $connect
// has not finished. The others are removed.
//
// A connection that stays gone while young is given up and left alone: it may
// open yet, and if it does not, the first post after its youth removes it. It
// does not count as undelivered, for nobody can be missing the frame who was
// never connected.
func (s *Service) settleGone(ctx context.Context, d Delivery, gone []string) Outcome {
	var total Outcome
	if len(gone) == 0 {
		return total
	}
	ctx, cancel := context.WithTimeout(ctx, youngFor)
	defer cancel()
	for pause := youngPause; ; pause *= 2 {
		young := s.removeGone(ctx, d.ChannelID, gone)
		if len(young) == 0 {
			return total
		}
		select {
		case <-ctx.Done():
			s.log().WarnContext(ctx, "connections not open yet, given up", "channelId", d.ChannelID, "connections", len(young))
			return total
		case <-time.After(pause):
		}
		again := s.Poster.Post(ctx, slices.Values(young), d.Frame)
		total.Delivered += again.Delivered
		total.Undelivered = append(total.Undelivered, again.Undelivered...)
		total.Err = errors.Join(total.Err, again.Err)
		gone = again.Gone
	}
}

// removeGone removes the connections that are not young and gives the others.
// What it cannot remove now, the next post will find again.
func (s *Service) removeGone(ctx context.Context, channelID string, gone []string) (young []string) {
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		slot   = make(chan struct{}, goneWorkers)
		failed int
		why    error
	)
	for _, id := range gone {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			isYoung, err := s.removeUnlessYoung(ctx, channelID, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed, why = failed+1, err
			}
			if isYoung {
				young = append(young, id)
			}
		})
	}
	wg.Wait()
	if failed > 0 {
		s.log().WarnContext(ctx, "gone connections not removed", "channelId", channelID, "connections", failed, "error", why)
	}
	return young
}

func (s *Service) removeUnlessYoung(ctx context.Context, channelID, connectionID string) (young bool, err error) {
	c, err := s.Store.GetConnection(ctx, connectionID)
	switch {
	case errors.Is(err, ErrGone): // a subscription without a connection
	case err != nil:
		return false, err
	case s.now().Sub(c.ConnectedAt) < Grace:
		return true, nil
	}
	if err := s.Store.DeleteConnection(ctx, connectionID); err != nil {
		return false, err
	}
	// The channel at hand is known for certain, the others by the index.
	if err := s.Store.DeleteSubscription(ctx, channelID, connectionID); err != nil {
		return false, err
	}
	return false, s.EndConnection(ctx, connectionID)
}
