package chat

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Change is something that happened to the table and matters to clients: one
// of [Joined], [Rewritten], [Left], [ConnectionEnded], [PublishRequest] and [Delivery].
type Change interface{ change() }

// Joined says that a subscription was put where there was none.
type Joined struct {
	Subscription
	// Incomplete says that its writer left out what CompleteSubscription adds.
	Incomplete bool
}

// Rewritten says that a subscription was put again, and without what
// CompleteSubscription adds. Nobody joined.
type Rewritten struct{ Subscription }

// Left says that a subscription was deleted.
type Left struct {
	ChannelID, ConnectionID string
	At                      time.Time
	// Expired says that it was not deleted by anybody but expired.
	Expired bool
}

// ConnectionEnded says that a connection was deleted or expired.
type ConnectionEnded struct{ ConnectionID string }

// A PublishRequest asks for a message to be published: how other services
// speak in a channel.
type PublishRequest struct {
	ChannelID string
	// Key tells the requests of a channel apart; any text.
	Key string
	// Name and Content obey the rules for those of clients.
	Name, Content string
	// MessageID is the message's id; empty means a new one.
	MessageID string
}

func (Joined) change()          {}
func (Rewritten) change()       {}
func (Left) change()            {}
func (ConnectionEnded) change() {}
func (PublishRequest) change()  {}
func (Delivery) change()        {}

// Apply does what a change asks for. A change may come more than once; nothing
// that is stored then happens twice, frames may be sent twice.
func (s *Service) Apply(ctx context.Context, change Change) error {
	switch c := change.(type) {
	case Joined:
		return s.announceJoin(ctx, c)
	case Rewritten:
		return s.Store.CompleteSubscription(ctx, c.Subscription)
	case Left:
		return s.announceLeave(ctx, c)
	case ConnectionEnded:
		return s.EndConnection(ctx, c.ConnectionID)
	case PublishRequest:
		return s.Publish(ctx, c)
	case Delivery:
		return s.Redeliver(ctx, c)
	default:
		return fmt.Errorf("chat: unknown change %T", change)
	}
}

// announceJoin tells a channel, the joiner included, who joined.
func (s *Service) announceJoin(ctx context.Context, j Joined) error {
	if CheckChannelID(j.ChannelID) != nil {
		return s.ignore(ctx, j.ChannelID, j.ConnectionID)
	}
	if j.Incomplete {
		if err := s.Store.CompleteSubscription(ctx, j.Subscription); err != nil {
			return fmt.Errorf("announce join of %s to %q: %w", j.ConnectionID, j.ChannelID, err)
		}
		if _, err := s.Store.OpenChannel(ctx, j.ChannelID); err != nil {
			return fmt.Errorf("announce join of %s to %q: %w", j.ConnectionID, j.ChannelID, err)
		}
	}
	frame := encode(subscriberEvent{
		Event: "subscriber_sub", ChannelID: j.ChannelID, SubscriberID: j.ConnectionID, At: formatTime(j.Since),
	})
	if err := s.deliver(ctx, Delivery{ChannelID: j.ChannelID, Frame: frame}, 0); err != nil {
		return fmt.Errorf("announce join of %s: %w", j.ConnectionID, err)
	}
	return nil
}

// announceLeave tells a channel who left and why, and the leaver too if it is
// still connected: the one who took it out may have been another service.
func (s *Service) announceLeave(ctx context.Context, l Left) error {
	if CheckChannelID(l.ChannelID) != nil {
		return s.ignore(ctx, l.ChannelID, l.ConnectionID)
	}
	reason := ReasonLeft
	if l.Expired {
		reason = ReasonExpired
	} else if _, err := s.Store.GetConnection(ctx, l.ConnectionID); errors.Is(err, ErrGone) {
		reason = ReasonDisconnected
	} else if err != nil {
		return fmt.Errorf("announce leave of %s from %q: %w", l.ConnectionID, l.ChannelID, err)
	}
	frame := encode(subscriberEvent{
		Event: "subscriber_unsub", ChannelID: l.ChannelID, SubscriberID: l.ConnectionID, Reason: reason, At: formatTime(l.At),
	})
	deliveries := []Delivery{{ChannelID: l.ChannelID, Frame: frame}}
	if reason == ReasonLeft {
		deliveries = append(deliveries, Delivery{ChannelID: l.ChannelID, Frame: frame, To: []string{l.ConnectionID}})
	}
	for _, d := range deliveries {
		if err := s.deliver(ctx, d, 0); err != nil {
			return fmt.Errorf("announce leave of %s: %w", l.ConnectionID, err)
		}
	}
	return nil
}

// ignore is for a subscription to what is no channel: no client could have made
// it or speak there.
func (s *Service) ignore(ctx context.Context, channelID, connectionID string) error {
	s.log().WarnContext(ctx, "subscription to no channel ignored", "channelId", channelID, "connectionId", connectionID)
	return nil
}
