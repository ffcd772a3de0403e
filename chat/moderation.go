package chat

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// MaxSanction is the longest time of a ban or a mute that is not for good.
const MaxSanction = 10 * 365 * 24 * time.Hour

// ModerationActions are those of moderators, on a stage that knows its users.
func ModerationActions() []string {
	return []string{ActionKickUser, ActionBanUser, ActionUnbanUser, ActionMuteUser, ActionUnmuteUser, ActionSetSlowMode}
}

// serveModeration answers the actions of moderators. It only writes what services
// may write as well: the table's stream makes it take effect.
func (s *Service) serveModeration(ctx context.Context, action string, c Caller, f Frame) (any, error) {
	if c.IsAnonymous() {
		return nil, errNoModerators(action)
	}
	channelID := ""
	var err error
	if action == ActionSetSlowMode || f.Has("channelId") {
		if channelID, err = f.ChannelID(); err != nil {
			return nil, err
		}
	}
	write, err := s.moderation(ctx, action, c, channelID, f)
	if err != nil {
		return nil, err
	}
	if err := s.checkModerator(ctx, c, channelID); err != nil {
		return nil, err
	}
	if err := write(); err != nil {
		return nil, fmt.Errorf("%s in %q: %w", action, channelID, err)
	}
	s.log().InfoContext(ctx, "moderated", "action", action, "channelId", channelID, "connectionId", c.ConnectionID)
	return doneEvent{Event: "ack", ID: f.ID, ChannelID: channelID, At: formatTime(s.now())}, nil
}

// moderation gives what an action writes, or an [Error].
func (s *Service) moderation(ctx context.Context, action string, c Caller, channelID string, f Frame) (write func() error, err error) {
	if action == ActionSetSlowMode {
		if !f.Has("seconds") {
			return nil, fail(CodeMissingField, "seconds is missing: send the time between two messages of a user, 0 for no slow mode")
		}
		seconds, err := f.Integer("seconds", 0, int64(MaxSlowMode/time.Second), 0)
		return func() error {
			return s.Store.PutSlowMode(ctx, channelID, time.Duration(seconds)*time.Second)
		}, err
	}
	x := Sanction{ChannelID: channelID, By: c.User, At: s.now()}
	if x.User, err = f.String("user"); err == nil {
		err = CheckUser(x.User)
	}
	if err != nil {
		return nil, err
	}
	switch action {
	case ActionUnbanUser:
		return func() error { return s.Store.DeleteSanction(ctx, Banned, x.User, channelID) }, nil
	case ActionUnmuteUser:
		return func() error { return s.Store.DeleteSanction(ctx, Muted, x.User, channelID) }, nil
	case ActionBanUser:
		x.Kind = Banned
	case ActionMuteUser:
		x.Kind = Muted
	default:
		x.Kind = Kicked
	}
	if f.Has("reason") {
		if x.Reason, err = f.String("reason"); err == nil {
			x.Reason, err = checkReason(x.Reason)
		}
		if err != nil {
			return nil, err
		}
	}
	if x.Kind != Kicked && f.Has("seconds") {
		seconds, err := f.Integer("seconds", 1, int64(MaxSanction/time.Second), 0)
		if err != nil {
			return nil, err
		}
		x.Until = x.At.Add(time.Duration(seconds) * time.Second)
	}
	return func() error { return s.Store.PutSanction(ctx, x) }, nil
}

// checkModerator returns an [Error] unless a caller moderates a channel, or
// everything if that is "". Who is banned there does not, and cannot lift it.
func (s *Service) checkModerator(ctx context.Context, c Caller, channelID string) error {
	if !c.IsModerator(channelID) {
		if channelID == "" {
			return fail(CodeNotModerator, "you do not moderate everything: name a channel in channelId that you do moderate")
		}
		return fail(CodeNotModerator, "you do not moderate %s", quote(channelID))
	}
	rules, err := s.Store.GetRules(ctx, c.User, channelID)
	if err != nil {
		return fmt.Errorf("rules of %q: %w", channelID, err)
	}
	if rules.Ban != nil {
		return rules.Ban.refuse()
	}
	return nil
}

// errNoModerators is for an action of moderators where nobody is known.
func errNoModerators(action string) *Error {
	return fail(CodeIdentityRequired, "%s is for moderators, and this stage does not know who you are: it needs one with identity", action)
}

func isModeration(action string) bool { return slices.Contains(ModerationActions(), action) }
