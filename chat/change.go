package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Change is something that happened to the table and matters to clients: one
// of [Joined], [Rewritten], [Left], [ConnectionEnded], [PublishRequest],
// [DeleteRequest], [SanctionChanged], [GrantChanged], [SlowModeChanged] and
// [Delivery].
type Change interface{ change() }

// Joined says that a subscription was put where there was none.
type Joined struct {
	Subscription
	// Incomplete says that its writer left out what CompleteSubscription adds.
	Incomplete bool
}

// Rewritten says that a subscription was put again, and without what
// CompleteSubscription adds. Nobody joined; the user and the name are those that
// it had before.
type Rewritten struct{ Subscription }

// Left says that a subscription was deleted.
type Left struct {
	Subscription
	At time.Time
	// Expired says that it was not deleted by anybody but expired.
	Expired bool
	// Reason is why it was ended, empty if whoever did it has not said.
	Reason Reason
}

// ConnectionEnded says that a connection was deleted or expired.
type ConnectionEnded struct {
	ConnectionID string
	// User is whose it was, empty if it was anonymous.
	User string
}

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
func (DeleteRequest) change()   {}
func (SanctionChanged) change() {}
func (GrantChanged) change()    {}
func (SlowModeChanged) change() {}
func (Delivery) change()        {}

// Apply does what a change asks for. A change may come more than once; nothing
// that is stored then happens twice, frames may be sent twice.
func (s *Service) Apply(ctx context.Context, change Change) error {
	switch c := change.(type) {
	case Joined:
		return s.announceJoin(ctx, c)
	case Rewritten:
		return s.restore(ctx, c.Subscription)
	case Left:
		return s.announceLeave(ctx, c)
	case ConnectionEnded:
		return s.endConnection(ctx, c)
	case PublishRequest:
		return s.Publish(ctx, c)
	case DeleteRequest:
		return s.applyDeleteRequest(ctx, c)
	case SanctionChanged:
		return s.applySanction(ctx, c)
	case GrantChanged:
		return s.applyGrant(ctx, c)
	case SlowModeChanged:
		return s.announceSlowMode(ctx, c)
	case Delivery:
		return s.Redeliver(ctx, c)
	default:
		return fmt.Errorf("chat: unknown change %T", change)
	}
}

// announceJoin tells a channel, the joiner included, who joined.
func (s *Service) announceJoin(ctx context.Context, j Joined) error {
	if !j.isPossible() {
		return s.ignore(ctx, j.ChannelID, j.ConnectionID)
	}
	j.Name = cut(j.Name, s.limits().Name)
	if j.Incomplete || s.RequireUser && j.User == "" {
		var err error
		j.User, j.Name = "", "" // whose it is, its connection says
		if j.Subscription, err = s.complete(ctx, j.Subscription); err != nil {
			return fmt.Errorf("announce join of %s to %q: %w", j.ConnectionID, j.ChannelID, err)
		}
		if _, err := s.Store.OpenChannel(ctx, j.ChannelID); err != nil {
			return fmt.Errorf("announce join of %s to %q: %w", j.ConnectionID, j.ChannelID, err)
		}
	}
	if banned, err := s.endBanned(ctx, j.Subscription); err != nil || banned {
		return err
	}
	count, err := s.Store.UpdateMember(ctx, j.Subscription)
	if err != nil {
		return fmt.Errorf("announce join of %s to %q: %w", j.ConnectionID, j.ChannelID, err)
	}
	frame := encode(subscriberEvent{
		Event: "subscriber_sub", ChannelID: j.ChannelID, SubscriberID: j.ConnectionID, User: j.User, Name: j.Name,
		Count: count, At: formatTime(j.Since),
	})
	if err := s.deliver(ctx, Delivery{ChannelID: j.ChannelID, Frame: frame}, 0); err != nil {
		return fmt.Errorf("announce join of %s: %w", j.ConnectionID, err)
	}
	return nil
}

// endBanned ends a subscription of a user who is banned, whoever put it, and
// reports whether it did.
func (s *Service) endBanned(ctx context.Context, sub Subscription) (bool, error) {
	if sub.User == "" {
		return false, nil
	}
	rules, err := s.Store.GetRules(ctx, sub.User, sub.ChannelID)
	if err == nil && rules.Ban != nil {
		err = s.Store.EndSubscription(ctx, sub.ChannelID, sub.ConnectionID, ReasonBanned)
	}
	if err != nil {
		return false, fmt.Errorf("join of %s to %q: ban: %w", sub.ConnectionID, sub.ChannelID, err)
	}
	return rules.Ban != nil, nil
}

// restore completes a subscription that was put again. As it may have ended
// meanwhile, without saying whose it was, its member is looked at once more.
func (s *Service) restore(ctx context.Context, sub Subscription) error {
	if !sub.isPossible() {
		return s.ignore(ctx, sub.ChannelID, sub.ConnectionID)
	}
	_, err := s.complete(ctx, sub)
	if err == nil && sub.User != "" {
		_, err = s.Store.UpdateMember(ctx, sub)
	}
	if err != nil {
		return fmt.Errorf("restore %s in %q: %w", sub.ConnectionID, sub.ChannelID, err)
	}
	return nil
}

// complete adds to a subscription what its writer left out, and gives it so. It
// stays the user's whose it was.
func (s *Service) complete(ctx context.Context, sub Subscription) (Subscription, error) {
	c, err := s.Store.GetConnection(ctx, sub.ConnectionID)
	if err != nil && !errors.Is(err, ErrGone) {
		return sub, err
	}
	if sub.Until = c.ExpiresAt; sub.User == "" {
		sub.User, sub.Name = c.User, c.Name
	}
	return sub, s.Store.CompleteSubscription(ctx, sub)
}

// announceLeave tells a channel who left and why, and the leaver too if it is
// still connected: the one who took it out may have been another service.
func (s *Service) announceLeave(ctx context.Context, l Left) error {
	if !l.isPossible() {
		return s.ignore(ctx, l.ChannelID, l.ConnectionID)
	}
	c, err := s.Store.GetConnection(ctx, l.ConnectionID)
	gone := errors.Is(err, ErrGone)
	if err != nil && !gone {
		return fmt.Errorf("announce leave of %s from %q: %w", l.ConnectionID, l.ChannelID, err)
	}
	if l.User == "" { // it may not have been completed
		l.User, l.Name = c.User, c.Name
	}
	l.Name = cut(l.Name, s.limits().Name)
	count, err := s.Store.UpdateMember(ctx, l.Subscription)
	if err != nil {
		return fmt.Errorf("announce leave of %s from %q: %w", l.ConnectionID, l.ChannelID, err)
	}
	reason := l.Reason
	if !slices.Contains(reasons, reason) { // a service may write any text
		reason = ""
	}
	switch {
	case l.Expired:
		reason = ReasonExpired
	case gone && reason == "":
		reason = ReasonDisconnected
	case reason == "":
		reason = ReasonLeft
	}
	frame := encode(subscriberEvent{
		Event: "subscriber_unsub", ChannelID: l.ChannelID, SubscriberID: l.ConnectionID, User: l.User, Name: l.Name,
		Reason: reason, Count: count, At: formatTime(l.At),
	})
	deliveries := []Delivery{{ChannelID: l.ChannelID, Frame: frame}}
	if reason != ReasonDisconnected && reason != ReasonExpired {
		deliveries = append(deliveries, Delivery{ChannelID: l.ChannelID, Frame: frame, To: []string{l.ConnectionID}})
	}
	for _, d := range deliveries {
		if err := s.deliver(ctx, d, 0); err != nil {
			return fmt.Errorf("announce leave of %s: %w", l.ConnectionID, err)
		}
	}
	return nil
}

// maxConnectionID is the longest id of a connection, in bytes, that is taken for
// one. API Gateway's have 16.
const maxConnectionID = 128

// isPossible reports whether a channel, a connection and a user could be what a
// subscription says. No client could have made another one, or speak there.
func (s Subscription) isPossible() bool {
	return CheckChannelID(s.ChannelID) == nil && len(s.ConnectionID) <= maxConnectionID &&
		(s.User == "" || CheckUser(s.User) == nil)
}

// ignore is for a subscription that is none.
func (s *Service) ignore(ctx context.Context, channelID, connectionID string) error {
	s.log().WarnContext(ctx, "subscription of what is no channel, connection or user ignored", "channelId", channelID, "connectionId", connectionID)
	return nil
}
