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

// maxLate is how often in a row a late delivery is handed on without having
// reached anybody, for what reason ever. With youngFor each, it outlasts a
// connection's youth.
const maxLate = 12

// FewConnections is how many connections can all be refused as busy because of
// their clients alone. If more are, it is rather the account's rate of requests
// that is used up.
const FewConnections = 100

// A Delivery is a frame on its way to connections of a channel, or of users
// wherever they are. Stored, it is
// what one function call could not deliver and hands to the next.
type Delivery struct {
	ChannelID string
	// Key tells the stored deliveries of a channel apart; empty while it is not
	// stored.
	Key string
	// Seq is the sequence number of the message in the frame, 0 if it is none.
	Seq   int64
	Frame []byte
	// Users are those of whom every connection is meant, in a conversation of
	// theirs. Empty means the channel's subscribers.
	Users []string
	// To names those that are left of the connections. Empty means all, or those
	// after After in the order of their ids.
	To    []string
	After string
	// Attempt counts the times in a row that the delivery was handed on without
	// having reached anybody.
	Attempt int
	// Late says that the others were reached when those in To were not. What
	// keeps them is then their own: they are given up sooner, and never at the
	// expense of others.
	Late bool
}

// Redeliver goes on with a stored delivery and deletes it. A delivery that is
// no longer stored is done already, one of a message that has been revised since
// is not wanted any more.
func (s *Service) Redeliver(ctx context.Context, d Delivery) error {
	_, err := s.Store.GetDelivery(ctx, d.ChannelID, d.Key)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("redeliver %s to %q: %w", d.Key, d.ChannelID, err)
	}
	stale, err := s.isStale(ctx, d)
	switch {
	case len(d.Frame) == 0: // none of the chat's, and none that another attempt would make better
		s.log().WarnContext(ctx, "delivery without a frame deleted", "channelId", d.ChannelID, "key", d.Key)
	case err == nil && !stale:
		err = s.deliver(ctx, d, 0)
	}
	if err != nil {
		return fmt.Errorf("redeliver %s: %w", d.Key, err)
	}
	if err := s.Store.DeleteDelivery(ctx, d.ChannelID, d.Key); err != nil {
		return fmt.Errorf("redeliver %s to %q: done, but: %w", d.Key, d.ChannelID, err)
	}
	return nil
}

// isStale reports whether a frame shows a message as it was before its last
// revision, whose own frame is on its way or there already.
func (s *Service) isStale(ctx context.Context, d Delivery) (bool, error) {
	if d.Seq == 0 {
		return false, nil
	}
	m, err := s.Store.GetMessage(ctx, d.ChannelID, d.Seq)
	if err == nil && m.Target != 0 {
		m, err = s.Store.GetMessage(ctx, d.ChannelID, m.Target)
	}
	if errors.Is(err, ErrGone) { // expired; the frame was stored in its time
		return false, nil
	}
	return err == nil && m.EditSeq > d.Seq, err
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
	settled := s.settleGone(budget, d, outcome.Gone, limit > 0)
	delivered := outcome.Delivered + settled.delivered
	rest, givenUp := d.rest(walk, outcome, settled, budget.Err() != nil)

	s.log().InfoContext(ctx, "frame delivered", "channelId", d.ChannelID, "seq", d.Seq, "bytes", len(d.Frame),
		"delivered", delivered, "gone", len(outcome.Gone), "complete", len(rest) == 0 && givenUp == 0)
	why := errors.Join(outcome.Err, settled.err, walk.err, budget.Err())
	if givenUp > 0 {
		s.log().WarnContext(ctx, "frame given up for connections that stay unreachable",
			"channelId", d.ChannelID, "seq", d.Seq, "connections", givenUp, "error", why)
	}
	if len(rest) == 0 {
		return nil
	}
	if slices.ContainsFunc(rest, func(r Delivery) bool { return !r.Late && r.Attempt > maxAttempts }) {
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
	switch {
	case len(d.To) > 0:
		return named(d.To)
	case len(d.Users) > 0:
		return s.connectionsOf(ctx, d.Users, d.After)
	default:
		return s.Store.ListSubscribers(ctx, d.ChannelID, d.After, 0)
	}
}
