package chat

import (
	"context"
	"fmt"
	"time"
)

// MaxSlowMode is the longest time between two messages of a user that slow mode
// can demand.
const MaxSlowMode = 24 * time.Hour

// SlowModeChanged says that a channel's slow mode is another.
type SlowModeChanged struct{ ChannelID string }

// announceSlowMode tells a channel how slow it is now.
func (s *Service) announceSlowMode(ctx context.Context, c SlowModeChanged) error {
	if CheckChannelID(c.ChannelID) != nil {
		return nil
	}
	rules, err := s.Store.GetRules(ctx, "", c.ChannelID)
	if err == nil {
		err = s.deliver(ctx, Delivery{ChannelID: c.ChannelID, Frame: encode(slowModeEvent{
			Event: "slow_mode", ChannelID: c.ChannelID, Seconds: int64(rules.SlowMode / time.Second), At: formatTime(s.now()),
		})}, 0)
	}
	if err != nil {
		return fmt.Errorf("announce slow mode of %q: %w", c.ChannelID, err)
	}
	return nil
}

// slowDown returns an [Error] with CodeSlowMode if a sender must wait until it
// may send another message to a channel in slow mode.
func (s *Service) slowDown(ctx context.Context, c Caller, channelID string, every time.Duration) error {
	if every <= 0 || c.IsModerator(channelID) {
		return nil
	}
	// Each pace has buckets of its own: who has waited for a slow one need not
	// wait for its end once the channel is faster.
	sender := fmt.Sprintf("slow|%s|%s|%s", channelID, every, c.sender())
	taken, wait, err := s.Store.TakeTokens(ctx, sender, Bucket{Every: every, Size: 1}, 1)
	if err != nil {
		return fmt.Errorf("slow mode: %w", err)
	}
	if taken > 0 {
		return nil
	}
	wait = max(wait, time.Millisecond)
	mistake := fail(CodeSlowMode, "%s is in slow mode, one message in %d s: wait %d s",
		quote(channelID), int64(every.Seconds()), int64((wait+time.Second-1)/time.Second))
	mistake.RetryAfter = wait
	return mistake
}
