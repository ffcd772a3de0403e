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
const maxCursor = 1017

// serveMembers answers listMembers with one page.
func (s *Service) serveMembers(ctx context.Context, c Caller, f Frame) (any, error) {
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
	if _, err := s.permit(ctx, c, channelID, MayRead); err != nil {
		return nil, fmt.Errorf("members of %q: %w", channelID, err)
	}
	answer := membersEvent{Event: "members", ID: f.ID, ChannelID: channelID}
	if answer.Count, err = s.Store.CountMembers(ctx, channelID); err != nil {
		return nil, fmt.Errorf("members of %q: %w", channelID, err)
	}
	page := page{room: room(answer) - maxCursor*6, limit: MaxMembers, items: []json.RawMessage{}}
	for member, err := range s.Store.ListMembers(ctx, channelID, cursor, MaxMembers+1) {
		if err != nil {
			return nil, fmt.Errorf("members of %q: %w", channelID, err)
		}
		if !page.add(encode(member.event())) {
			break
		}
		cursor = member.Cursor
	}
	answer.Members = page.items
	if page.more {
		answer.Cursor = cursor
	}
	return answer, nil
}

// mostListed is the most connections of a member that are listed.
const mostListed = 100

func (m Member) event() memberEvent {
	return memberEvent{
		User: m.User, Name: m.Name, Connections: m.Connections[:min(len(m.Connections), mostListed)], Since: formatTime(m.Since),
	}
}
