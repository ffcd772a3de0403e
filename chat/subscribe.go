package chat

import (
	"context"
	"errors"
	"fmt"
)

// Subscribe puts a connection into a channel, creating the channel with its
// first subscription, and gives the channel's last sequence number: every later
// message will be posted to the connection. A repetition changes nothing and is
// announced to nobody.
func (s *Service) Subscribe(ctx context.Context, c Caller, channelID string) (seq int64, err error) {
	connectionID := c.ConnectionID
	if err := s.checkChannelID(channelID); err != nil {
		return 0, err
	}
	if err := s.checkSubscriptions(ctx, connectionID, channelID); err != nil {
		return 0, fmt.Errorf("subscribe %s to %q: %w", connectionID, channelID, err)
	}
	if err := s.enter(ctx, c, channelID); err != nil {
		return 0, fmt.Errorf("subscribe %s to %q: %w", connectionID, channelID, err)
	}
	// A disconnect that ran in between has not seen this subscription.
	_, err = s.Store.GetConnection(ctx, connectionID)
	if errors.Is(err, ErrGone) {
		if err := s.Store.DeleteSubscription(ctx, channelID, connectionID); err != nil {
			return 0, fmt.Errorf("subscribe %s to %q: connection ended: %w", connectionID, channelID, err)
		}
		return 0, fail(CodeConnectionOver, "this connection has ended: connect again")
	}
	if err != nil {
		return 0, fmt.Errorf("subscribe %s to %q: %w", connectionID, channelID, err)
	}
	// The counter is read after the subscription is there: a message with a
	// higher number asks for subscribers later still, and so finds this one.
	seq, err = s.Store.OpenChannel(ctx, channelID)
	if err != nil {
		return 0, fmt.Errorf("subscribe %s to %q: %w", connectionID, channelID, err)
	}
	s.log().InfoContext(ctx, "subscribed", "connectionId", connectionID, "channelId", channelID)
	return seq, nil
}

// Unsubscribe takes a connection out of a channel; it changes nothing if the
// connection is not in it.
func (s *Service) Unsubscribe(ctx context.Context, connectionID, channelID string) error {
	if err := CheckChannelID(channelID); err != nil {
		return err
	}
	if err := s.Store.DeleteSubscription(ctx, channelID, connectionID); err != nil {
		return fmt.Errorf("unsubscribe %s from %q: %w", connectionID, channelID, err)
	}
	s.log().InfoContext(ctx, "unsubscribed", "connectionId", connectionID, "channelId", channelID)
	return nil
}

// enter puts the subscription of a caller that may have it.
func (s *Service) enter(ctx context.Context, c Caller, channelID string) error {
	rules, err := s.permit(ctx, c, channelID, MayRead)
	if err != nil {
		return err
	}
	if err := s.Store.PutSubscription(ctx, s.subscription(channelID, c, rules)); err != nil {
		return err
	}
	// What ends subscriptions looks for them after it is written: a ban, or the
	// end of a grant, that ran in between is seen here.
	_, err = s.permit(ctx, c, channelID, MayRead)
	if mistake, ok := errors.AsType[*Error](err); ok {
		if err := s.Store.EndSubscription(ctx, channelID, c.ConnectionID, mistake.reason()); err != nil {
			return err
		}
	}
	return err
}

// join is Subscribe for a connection that is not open yet. A channel that its
// user may not read is left out.
func (s *Service) join(ctx context.Context, channelID string, c Connection) error {
	err := s.enter(ctx, Caller{ConnectionID: c.ID, Identity: c.Identity}, channelID)
	if _, refused := errors.AsType[*Error](err); refused {
		return nil
	}
	if err != nil {
		return fmt.Errorf("join %q: %w", channelID, err)
	}
	if _, err := s.Store.OpenChannel(ctx, channelID); err != nil {
		return fmt.Errorf("join %q: %w", channelID, err)
	}
	return nil
}

// subscription is a new one of a caller, which lasts as long as what allows it
// and the caller's token: not even a frame that is posted before its connection
// is closed goes to a token that has expired.
func (s *Service) subscription(channelID string, c Caller, rules Rules) Subscription {
	until := rules.GrantUntil
	if until.IsZero() || !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(until) {
		until = c.ExpiresAt
	}
	return Subscription{
		ChannelID: channelID, ConnectionID: c.ConnectionID, User: c.User, Name: c.Name,
		Since: s.now(), Until: until,
	}
}

// reason gives why a mistake ends a subscription.
func (e *Error) reason() Reason {
	if e.Code == CodeBanned {
		return ReasonBanned
	}
	return ReasonForbidden
}
