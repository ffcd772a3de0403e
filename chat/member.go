package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// MaxMembers is the most members in one answer.
const MaxMembers = 100

// maxCursor is the longest cursor, in bytes: a key of the table holds no more.
const maxCursor = 1013

// serveMembers answers listMembers with one page.
func (s *Service) serveMembers(ctx context.Context, f Frame) (any, error) {
	channelID, err := f.ChannelID()
	if err != nil {
		return nil, err
	}
	cursor := ""
	if f.Has("cursor") {
		if cursor, err = f.String("cursor"); err != nil {
			return nil, err
		}
		if n := len(cursor); n == 0 || n > maxCursor || !utf8.ValidString(cursor) {
			return nil, fail(CodeInvalidRange, "cursor is none that an answer had: use the one of the last answer, or leave it out to begin")
		}
	}
	answer := membersEvent{Event: "members", ID: f.ID, ChannelID: channelID}
	page := page{room: room(answer) - maxCursor*6, limit: MaxMembers, items: []json.RawMessage{}}
	for member, err := range s.Store.ListMembers(ctx, channelID, cursor, MaxMembers+1) {
		if err != nil {
			return nil, fmt.Errorf("members of %q: %w", channelID, err)
		}
		if !page.add(encode(memberOf(member))) {
			break
		}
		cursor = member.ConnectionID
	}
	answer.Members = page.items
	if page.more {
		answer.Cursor = cursor
	}
	return answer, nil
}

// memberOf gives a subscription as a member of its channel. Where users have an
// identity, the connections of one are one member.
func memberOf(s Subscription) memberEvent {
	return memberEvent{Connections: []string{s.ConnectionID}, Since: formatTime(s.Since)}
}
