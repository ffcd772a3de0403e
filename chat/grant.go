package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// GrantChanged says that a user's grant for a channel, or for all if that is "",
// was deleted, has expired or is another.
type GrantChanged struct{ User, ChannelID string }

// applyGrant ends what a user has lost the right to: the subscriptions of its
// connections in private channels that neither their own grants nor another one
// allow.
func (s *Service) applyGrant(ctx context.Context, g GrantChanged) error {
	devices, err := s.devices(ctx, g.User)
	if err == nil {
		err = forEach(devices, func(id string) error { return s.review(ctx, id, g.ChannelID) })
	}
	if err != nil {
		return fmt.Errorf("apply a changed grant for %q: %w", g.ChannelID, err)
	}
	return nil
}

// review ends the subscriptions of a connection that are not allowed any more,
// in one channel or in all, and has the others end when what allows them does.
func (s *Service) review(ctx context.Context, connectionID, channelID string) error {
	c, err := s.Store.GetConnection(ctx, connectionID)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	channels := named([]string{channelID})
	if channelID == "" {
		channels = s.Store.ListSubscriptions(ctx, connectionID)
	}
	for channelID, err := range channels {
		if err != nil {
			return err
		}
		if err := s.reviewOne(ctx, Caller{ConnectionID: connectionID, Identity: c.Identity}, channelID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) reviewOne(ctx context.Context, c Caller, channelID string) error {
	if !strings.HasPrefix(channelID, PrivatePrefix) {
		return nil
	}
	sub, err := s.Store.GetSubscription(ctx, channelID, c.ConnectionID)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	rules, err := s.permit(ctx, c, channelID, MayRead)
	if mistake, ok := errors.AsType[*Error](err); ok {
		return s.Store.EndSubscription(ctx, channelID, c.ConnectionID, mistake.reason())
	}
	if err != nil {
		return err
	}
	sub.Until = s.subscription(channelID, c, rules).Until
	return s.Store.PutSubscriptionEnd(ctx, sub)
}
