package chat

import (
	"context"
	"fmt"
)

// MaxMissed is how many sequence numbers back a subscription resumes.
const MaxMissed = 1000

// resume puts into the answer to a subscription the messages that come after
// one, up to the answer's own sequence number: those beyond it are posted to
// the connection, which is in the channel already. If not all of them can be
// had, the answer says from which number on they can.
func (s *Service) resume(ctx context.Context, answer *subscribedEvent, after int64) error {
	begin := after + 1
	// A number that the channel has not reached is of one that has begun anew.
	if after > answer.Seq || answer.Seq-after > MaxMissed {
		begin = max(1, answer.Seq-MaxMissed+1)
		answer.From = begin
	}
	if begin > answer.Seq {
		return nil
	}
	page := page{room: room(*answer), limit: MaxHistory}
	err := page.fill(s.eventsOf(ctx, s.Store.ListHistory(ctx, answer.ChannelID, HistoryRange{
		After: begin - 1, Before: answer.Seq + 1, Limit: MaxHistory + 1,
	})))
	if err != nil {
		return fmt.Errorf("resume %q after %d: %w", answer.ChannelID, after, err)
	}
	answer.Missed, answer.More = page.items, page.more
	first := answer.Seq + 1
	if len(page.items) > 0 {
		first = page.first
	}
	if first == begin {
		return nil
	}
	// Numbers are missing at the beginning. If an older message is still there,
	// theirs were never stored; else their retention is over.
	for _, err := range s.Store.ListHistory(ctx, answer.ChannelID, HistoryRange{Before: begin, NewestFirst: true, Limit: 1}) {
		if err != nil {
			return fmt.Errorf("resume %q after %d: %w", answer.ChannelID, after, err)
		}
		return nil
	}
	answer.From = first
	return nil
}
