package client

import (
	"context"
	"iter"
	"maps"
	"time"

	"example.com/chatstack/chat"
)

// A Page is a part of a channel's history.
type Page struct {
	// Messages are Message and Revision values in the order asked for, and Direct
	// values instead of the former between two users.
	Messages []Event
	// More says that there are more: go on from the last number.
	More bool
}

// HistoryBefore gives stored messages with numbers below before, the newest
// first; with 0, the latest. limit is from 1 to 100.
func (c *Client) HistoryBefore(ctx context.Context, channelID string, before int64, limit int) (Page, error) {
	return c.history(ctx, fields{"channelId": channelID, "limit": limit}, before)
}

// HistoryAfter gives stored messages with numbers above after, the oldest first.
func (c *Client) HistoryAfter(ctx context.Context, channelID string, after int64, limit int) (Page, error) {
	return c.history(ctx, fields{"channelId": channelID, "after": after, "limit": limit}, 0)
}

// DirectHistoryBefore is HistoryBefore for the messages with a user.
func (c *Client) DirectHistoryBefore(ctx context.Context, user string, before int64, limit int) (Page, error) {
	return c.history(ctx, fields{"user": user, "limit": limit}, before)
}

// DirectHistoryAfter is HistoryAfter for the messages with a user.
func (c *Client) DirectHistoryAfter(ctx context.Context, user string, after int64, limit int) (Page, error) {
	return c.history(ctx, fields{"user": user, "after": after, "limit": limit}, 0)
}

func (c *Client) history(ctx context.Context, frame fields, before int64) (Page, error) {
	frame["action"] = chat.ActionGetHistory
	if before > 0 {
		frame["before"] = before
	}
	answer, err := c.ask(ctx, kept, frame)
	page := Page{More: answer.More}
	for _, item := range answer.items {
		page.Messages = append(page.Messages, item.public(false))
	}
	return page, err
}

// A Member is who is in a channel: a user, on all of its connections there, or
// where there is no identity a connection, without User and Name.
type Member struct {
	User, Name  string
	Connections []string
	Since       time.Time
}

// Members gives how many members a channel has, and who they are: they are asked
// for as it goes on, and an error is the last that comes.
func (c *Client) Members(ctx context.Context, channelID string) (members iter.Seq2[Member, error], count int, err error) {
	frame := fields{"action": chat.ActionListMembers, "channelId": channelID}
	first, err := c.ask(ctx, kept, frame)
	if err != nil {
		return nil, 0, err
	}
	return pages(ctx, c, frame, first, func(w wire) (page []Member) {
		for _, m := range w.Members {
			page = append(page, Member(m))
		}
		return page
	}), first.Count, nil
}

// A Conversation is the direct messages with a user, and its last number.
type Conversation struct {
	User, ChannelID string
	Seq             int64
	At              time.Time
}

// Conversations gives with whom the client's user has direct messages, in no
// order, as Members does.
func (c *Client) Conversations(ctx context.Context) (iter.Seq2[Conversation, error], error) {
	frame := fields{"action": chat.ActionListDirects}
	first, err := c.ask(ctx, kept, frame)
	if err != nil {
		return nil, err
	}
	return pages(ctx, c, frame, first, func(w wire) (page []Conversation) {
		for _, d := range w.Directs {
			page = append(page, Conversation(d))
		}
		return page
	}), nil
}

// pages gives what the first answer to a frame has, and those to the same frame
// with the cursor of the one before.
func pages[T any](ctx context.Context, c *Client, frame fields, first wire, items func(wire) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for answer := first; ; {
			for _, item := range items(answer) {
				if !yield(item, nil) {
					return
				}
			}
			if answer.Cursor == "" {
				return
			}
			next := maps.Clone(frame)
			next["cursor"] = answer.Cursor
			var err error
			if answer, err = c.ask(ctx, kept, next); err != nil {
				var none T
				yield(none, err)
				return
			}
		}
	}
}
