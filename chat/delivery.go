package chat

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// MaxDeliveryTo is the most connections that one stored delivery names; with a
// frame of MaxFrame it stays far below DynamoDB's 400 KB for an item.
const MaxDeliveryTo = 2000

// maxAttempts is how often in a row a delivery is handed to the stream although
// it reached nobody; then it fails, which the event source mapping retries
// within its own bounds and ends in its dead-letter queue.
const maxAttempts = 5

// A Delivery is a frame on its way to connections of a channel. Stored, it is
// what one function call could not deliver and hands to the next.
type Delivery struct {
	ChannelID string
	// Key tells the stored deliveries of a channel apart; empty while it is not
	// stored.
	Key string
	// Seq is the sequence number of the message in the frame, 0 if it is none.
	Seq   int64
	Frame []byte
	// To names the connections. Empty means the channel's subscribers, those
	// after After in the order of Store.ListSubscribers.
	To    []string
	After string
	// Attempt counts the times in a row that the delivery was handed on without
	// having reached anybody.
	Attempt int
}

// Redeliver goes on with a stored delivery and deletes it. A delivery that is
// no longer stored is done already.
func (s *Service) Redeliver(ctx context.Context, d Delivery) error {
	_, err := s.Store.GetDelivery(ctx, d.ChannelID, d.Key)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("redeliver %s to %q: %w", d.Key, d.ChannelID, err)
	}
	if err := s.deliver(ctx, d, 0); err != nil {
		return fmt.Errorf("redeliver %s: %w", d.Key, err)
	}
	if err := s.Store.DeleteDelivery(ctx, d.ChannelID, d.Key); err != nil {
		return fmt.Errorf("redeliver %s to %q: done, but: %w", d.Key, d.ChannelID, err)
	}
	return nil
}

// deliver posts a frame to everyone it is for, page by page. Connections that
// do not exist are removed. What is not delivered when the budget ends is
// stored as new deliveries; only if that fails too, or has been done in vain
// too often, does deliver return an error.
func (s *Service) deliver(ctx context.Context, d Delivery, limit time.Duration) error {
	budget, cancel := s.budget(ctx, limit)
	defer cancel()

	var walk walk
	outcome := s.Poster.Post(budget, walk.over(s.audience(budget, d)), d.Frame)
	settled := s.settleGone(budget, d, outcome.Gone)
	delivered := outcome.Delivered + settled.Delivered
	undelivered := slices.Concat(outcome.Undelivered, settled.Undelivered)
	rest := d.rest(walk, undelivered, delivered > 0)

	s.log().InfoContext(ctx, "frame delivered", "channelId", d.ChannelID, "seq", d.Seq, "bytes", len(d.Frame),
		"delivered", delivered, "gone", len(outcome.Gone), "undelivered", len(undelivered), "complete", len(rest) == 0)
	if len(rest) == 0 {
		return nil
	}
	why := errors.Join(outcome.Err, settled.Err, walk.err, budget.Err())
	if slices.ContainsFunc(rest, func(r Delivery) bool { return r.Attempt > maxAttempts }) {
		return fmt.Errorf("deliver to %q: nobody reached in %d attempts: %w", d.ChannelID, maxAttempts, why)
	}
	for _, r := range rest {
		r.Key = fmt.Sprintf("%020d|%s", d.Seq, s.newID())
		if err := s.Store.PutDelivery(ctx, r); err != nil {
			return fmt.Errorf("deliver to %q: %w; and hand over: %w", d.ChannelID, why, err)
		}
	}
	s.log().WarnContext(ctx, "delivery handed over", "channelId", d.ChannelID, "seq", d.Seq, "deliveries", len(rest), "error", why)
	return nil
}

// audience gives the connections that d is for.
func (s *Service) audience(ctx context.Context, d Delivery) iter.Seq2[string, error] {
	if len(d.To) == 0 {
		return s.Store.ListSubscribers(ctx, d.ChannelID, d.After)
	}
	return func(yield func(string, error) bool) {
		for _, id := range d.To {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// rest gives the deliveries that remain of d after a walk over its audience.
func (d Delivery) rest(w walk, undelivered []string, reached bool) []Delivery {
	next := func(progress bool) Delivery {
		r := Delivery{ChannelID: d.ChannelID, Seq: d.Seq, Frame: d.Frame, Attempt: d.Attempt + 1}
		if progress {
			r.Attempt = 1
		}
		return r
	}
	var rest []Delivery
	switch {
	case w.done:
	case len(d.To) > 0:
		undelivered = append(undelivered, d.To[w.taken:]...)
	default: // whoever was not listed yet
		r := next(w.taken > 0)
		r.After = d.After
		if w.taken > 0 {
			r.After = w.last
		}
		rest = append(rest, r)
	}
	for ids := range slices.Chunk(undelivered, MaxDeliveryTo) {
		r := next(reached)
		r.To = ids
		rest = append(rest, r)
	}
	return rest
}

// A walk remembers how far a Poster has come.
type walk struct {
	last  string // the last connection taken
	taken int
	done  bool // all were taken
	err   error
}

func (w *walk) over(ids iter.Seq2[string, error]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for id, err := range ids {
			if err != nil {
				w.err = err
				return
			}
			w.last, w.taken = id, w.taken+1
			if !yield(id) {
				return
			}
		}
		w.done = true
	}
}
