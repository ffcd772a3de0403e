package chat

import (
	"context"
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
	cursor, err := f.cursor()
	if err != nil {
		return nil, err
	}
	if _, err := s.permit(ctx, c, channelID, MayRead); err != nil {
		return nil, fmt.Errorf("members of %q: %w", channelID, err)
	}
	answer := membersEvent{Event: "members", ID: f.ID, ChannelID: channelID}
	if answer.Count, err = s.Store.CountMembers(ctx, channelID); err != nil {
		return nil, fmt.Errorf("members of %q: %w", channelID, err)
	}
	answer.Members, answer.Cursor, err = list(answer, MaxMembers, s.Store.ListMembers(ctx, channelID, cursor, MaxMembers+1),
		func(m ListedMember) (event any, cursor string) { return m.event(), m.Cursor })
	if err != nil {
		return nil, fmt.Errorf("members of %q: %w", channelID, err)
	}
	return answer, nil
}

// cursor gives the field cursor, "" if there is none.
func (f Frame) cursor() (string, error) {
	if !f.Has("cursor") {
		return "", nil
	}
	cursor, err := f.String("cursor")
	if n := len(cursor); err == nil && (n == 0 || n > maxCursor || !utf8.ValidString(cursor)) {
		err = fail(CodeInvalidRange, "cursor is none that an answer had: use the one of the last answer, or leave it out to begin")
	}
	return cursor, err
}

// mostListed is the most connections of a member that are listed.
const mostListed = 100

func (m Member) event() memberEvent {
	return memberEvent{
		User: m.User, Name: m.Name, Connections: m.Connections[:min(len(m.Connections), mostListed)], Since: formatTime(m.Since),
	}
}
