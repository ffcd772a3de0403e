package chat

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Connect stores a connection and puts it into the default channels, as far as
// its user may be in them. If it fails, the connection is to be refused, with an
// [Error] if it is not wanted; it has then undone what it could, and what it
// could not undo expires.
func (s *Service) Connect(ctx context.Context, c Connection) (err error) {
	defer func() {
		if err == nil {
			return
		}
		// The caller's deadline may be what failed.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if undo := s.undoConnect(ctx, c.ID); undo != nil {
			err = errors.Join(err, fmt.Errorf("undo: %w", undo))
		}
	}()
	if s.RequireUser && c.IsAnonymous() {
		return errNobody
	}
	if err := c.checkExpiry(s.now()); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	c.Name = cut(c.Name, s.limits().Name)
	// The connection comes first: a subscription without one would be deleted
	// by the first post to it, one of a young connection is not.
	if err := s.Store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	// The expiry comes second: one without a connection would be dealt with as that
	// of a connection that has ended.
	if err := s.putExpiry(ctx, c.ID, c.ExpiresAt); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	for _, channelID := range s.DefaultChannels {
		if err := s.join(ctx, channelID, c); err != nil {
			return fmt.Errorf("connect %s: %w", c.ID, err)
		}
	}
	// A ban that comes from now on finds the connection, and ends it.
	if err := s.admitUser(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	s.log().InfoContext(ctx, "connected", "connectionId", c.ID, "channels", len(s.DefaultChannels))
	return nil
}

// admitUser returns an [Error] if whoever connects is banned.
func (s *Service) admitUser(ctx context.Context, c Connection) error {
	if c.IsAnonymous() {
		return nil
	}
	rules, err := s.Store.GetRules(ctx, c.User, "")
	if err == nil && rules.Ban != nil {
		err = rules.Ban.refuse()
	}
	if err != nil {
		return err
	}
	// A kick could not close what was not open yet.
	_, err = s.Store.GetConnection(ctx, c.ID)
	if errors.Is(err, ErrGone) {
		return fail(CodeConnectionOver, "you were removed while you connected: connect again")
	}
	return err
}

// errNobody is for a connection of nobody at a stage with identity.
var errNobody = fail(CodeIdentityRequired, "this stage wants to know who you are: connect with a token")

// undoConnect deletes without asking the index, which may not have seen the
// subscriptions yet.
func (s *Service) undoConnect(ctx context.Context, connectionID string) error {
	err := s.Store.DeleteConnection(ctx, connectionID)
	for _, channelID := range s.DefaultChannels {
		err = errors.Join(err, s.Store.DeleteSubscription(ctx, channelID, connectionID))
	}
	return err
}

// Disconnect ends a connection and its subscriptions. It may be called more
// than once, and for a connection that never was.
//
// The connection is deleted first: from then on nothing new can stay subscribed
// under its name (see Subscribe), and the deletion's own stream record runs
// EndConnection, for what this call did not get to or could not see yet.
func (s *Service) Disconnect(ctx context.Context, connectionID string) error {
	if err := s.Store.DeleteConnection(ctx, connectionID); err != nil {
		return fmt.Errorf("disconnect %s: %w", connectionID, err)
	}
	if err := s.EndConnection(ctx, connectionID); err != nil {
		return fmt.Errorf("disconnect %s: %w", connectionID, err)
	}
	s.log().InfoContext(ctx, "disconnected", "connectionId", connectionID)
	return nil
}

// endConnection is EndConnection, once more also for what the connection's user
// has of it.
func (s *Service) endConnection(ctx context.Context, c ConnectionEnded) error {
	if CheckUser(c.User) == nil {
		if err := s.Store.DeleteDevice(ctx, c.User, c.ConnectionID); err != nil {
			return fmt.Errorf("end connection %s: %w", c.ConnectionID, err)
		}
	}
	return s.EndConnection(ctx, c.ConnectionID)
}

// EndConnection deletes the subscriptions of a connection that is gone. Their
// deletion is what tells their channels.
func (s *Service) EndConnection(ctx context.Context, connectionID string) error {
	for channelID, err := range s.Store.ListSubscriptions(ctx, connectionID) {
		if err != nil {
			return fmt.Errorf("end subscriptions of %s: %w", connectionID, err)
		}
		if err := s.Store.DeleteSubscription(ctx, channelID, connectionID); err != nil {
			return fmt.Errorf("end subscriptions of %s: %w", connectionID, err)
		}
	}
	return nil
}

// WhoAmI gives the channels of a connection: at most as many as fit into the
// answer, and whether there are more. A subscription made a moment ago may be
// missing.
func (s *Service) WhoAmI(ctx context.Context, connectionID string) (channels []string, more bool, err error) {
	const room = MaxFrame - 4<<10 // for the rest of the answer
	size := 0
	channels = []string{}
	for channelID, err := range s.Store.ListSubscriptions(ctx, connectionID) {
		if err != nil {
			return nil, false, fmt.Errorf("whoami %s: %w", connectionID, err)
		}
		if size += len(encode(channelID)) + 1; size > room {
			return channels, true, nil
		}
		channels = append(channels, channelID)
	}
	return channels, false, nil
}

// Ping gives the server's time.
func (s *Service) Ping() time.Time { return s.now() }
