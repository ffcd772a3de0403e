package client

import (
	"context"
	"time"

	"example.com/chatstack/chat"
)

// A Sanction says where, how long and why a moderator sanctions a user.
type Sanction struct {
	// ChannelID is where; empty means everywhere.
	ChannelID string
	// For is how long a ban or a mute lasts, in whole seconds; 0 means for good.
	For time.Duration
	// Reason is for the user to read. It may be empty.
	Reason string
}

// Kick puts a user out of a channel, or ends its connections. The client's user
// must be a moderator there, as for all that follows: else the error is a
// *chat.Error with the code not_moderator.
func (c *Client) Kick(ctx context.Context, user string, s Sanction) error {
	return c.sanction(ctx, chat.ActionKickUser, user, s)
}

// Ban puts a user out and keeps it out.
func (c *Client) Ban(ctx context.Context, user string, s Sanction) error {
	return c.sanction(ctx, chat.ActionBanUser, user, s)
}

// Unban lifts the ban from a channel; the one from everywhere if that is empty.
func (c *Client) Unban(ctx context.Context, user, channelID string) error {
	return c.sanction(ctx, chat.ActionUnbanUser, user, Sanction{ChannelID: channelID})
}

// Mute keeps a user from writing.
func (c *Client) Mute(ctx context.Context, user string, s Sanction) error {
	return c.sanction(ctx, chat.ActionMuteUser, user, s)
}

// Unmute lifts a mute, as Unban does a ban.
func (c *Client) Unmute(ctx context.Context, user, channelID string) error {
	return c.sanction(ctx, chat.ActionUnmuteUser, user, Sanction{ChannelID: channelID})
}

// SetSlowMode has users wait between two messages in a channel, in whole seconds;
// 0 ends it.
func (c *Client) SetSlowMode(ctx context.Context, channelID string, every time.Duration) error {
	_, err := c.ask(ctx, kept, fields{"action": chat.ActionSetSlowMode, "channelId": channelID, "seconds": int64(every / time.Second)})
	return err
}

func (c *Client) sanction(ctx context.Context, action, user string, s Sanction) error {
	frame := fields{"action": action, "user": user}
	if s.ChannelID != "" {
		frame["channelId"] = s.ChannelID
	}
	if s.For > 0 {
		frame["seconds"] = int64(s.For / time.Second)
	}
	if s.Reason != "" {
		frame["reason"] = s.Reason
	}
	_, err := c.ask(ctx, kept, frame)
	return err
}
