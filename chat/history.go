package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

const (
	// MaxHistory is the most messages that a client may ask for at a time.
	MaxHistory = 100
	// defaultHistory is how many it gets if it does not say.
	defaultHistory = 50
)

// A HistoryRange says which messages of a channel to list.
type HistoryRange struct {
	// After and Before are the sequence numbers next to the range, which does
	// not have them itself. With 0, it reaches to that end.
	After, Before int64
	// NewestFirst turns the order around.
	NewestFirst bool
	// Limit is how many messages are wanted, so that not many more are read; 0
	// means all. As many as there are may be given.
	Limit int
}

// serveHistory answers getHistory.
func (s *Service) serveHistory(ctx context.Context, c Caller, f Frame) (any, error) {
	channelID, err := f.conversation(c)
	if err != nil {
		return nil, err
	}
	r, err := f.historyRange()
	if err != nil {
		return nil, err
	}
	if _, err := s.permit(ctx, c, channelID, MayRead); err != nil {
		return nil, fmt.Errorf("history of %q: %w", channelID, err)
	}
	answer := historyEvent{Event: "history", ID: f.ID, ChannelID: channelID, Messages: []json.RawMessage{}}
	page := page{room: room(answer), limit: r.Limit}
	r.Limit++ // to see whether there are more
	if err := page.fill(s.eventsOf(ctx, s.Store.ListHistory(ctx, channelID, r))); err != nil {
		return nil, fmt.Errorf("history of %q: %w", channelID, err)
	}
	answer.Messages, answer.More = page.items, page.more
	return answer, nil
}

func (f Frame) historyRange() (r HistoryRange, err error) {
	if f.Has("before") && f.Has("after") {
		return r, fail(CodeInvalidRange, "before and after are both there: use one of them, or neither for the latest messages")
	}
	r.NewestFirst = !f.Has("after")
	if r.Before, err = f.Integer("before", 1, MaxSeq, 0); err != nil {
		return r, err
	}
	if r.After, err = f.Integer("after", 0, MaxSeq, 0); err != nil {
		return r, err
	}
	limit, err := f.Integer("limit", 1, MaxHistory, defaultHistory)
	r.Limit = int(limit)
	return r, err
}

// A page takes what fits into an answer.
type page struct {
	room  int // in bytes
	limit int
	items []json.RawMessage
	first int64 // the sequence number of the first item
	more  bool  // something was left
}

// room is how much an answer has left for a list that is empty yet, whatever
// its other fields become.
func room(answer any) int { return MaxFrame - len(encode(answer)) - answerGrowth }

// answerGrowth is what numbers and booleans may add to an answer once it is full.
const answerGrowth = 64

func (p *page) fill(messages iter.Seq2[listed, error]) error {
	p.items = []json.RawMessage{}
	for m, err := range messages {
		if err != nil {
			return err
		}
		item := m.event
		if item == nil || len(item) > p.room && len(p.items) == 0 {
			// No client's and no service's: none as large is ever published.
			item = encode(messageEvent{Event: messageEventIn(m.channelID), ChannelID: m.channelID, Seq: m.seq, At: formatTime(m.at), Truncated: true})
		}
		if !p.add(item) {
			return nil
		}
		if len(p.items) == 1 {
			p.first = m.seq
		}
	}
	return nil
}

// add takes an item unless the page is full.
func (p *page) add(item json.RawMessage) bool {
	if p.room -= len(item) + 1; p.room < 0 || len(p.items) == p.limit {
		p.more = true
		return false
	}
	p.items = append(p.items, item)
	return true
}
