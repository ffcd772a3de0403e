package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// DirectPrefix begins the names of the channels that direct messages are in. No
// frame, no service and no setting can name one: a client names the user.
const DirectPrefix = "direct:"

// MaxDirects is the most conversations in one answer.
const MaxDirects = 100

// DirectActions are those of direct messages, on a stage that knows its users.
func DirectActions() []string { return []string{ActionSendDirect, ActionListDirects} }

// DirectChannel names the channel of two users' direct messages, whichever of
// them comes first; of one with itself, for its notes.
func DirectChannel(user, peer string) string {
	return DirectPrefix + digest(min(user, peer), max(user, peer))
}

// A Direct is a conversation, as one of its two users has it in its list.
type Direct struct {
	// Peer is the other user.
	Peer      string
	ChannelID string
	// Seq and At are of the last message, or of a later revision.
	Seq int64
	At  time.Time
}

func isDirect(channelID string) bool { return strings.HasPrefix(channelID, DirectPrefix) }

// errNoUser is for who wants to have to do with users and is none.
var errNoUser = fail(CodeIdentityRequired, "direct messages are between users, and nobody knows who you are: connect with a token, if this stage takes any")

// peer gives the user whom a frame names, for a conversation with the caller.
func (f Frame) peer(c Caller) (string, error) {
	if c.IsAnonymous() {
		return "", errNoUser
	}
	user, err := f.String("user")
	if err != nil {
		return "", err
	}
	return user, CheckUser(user)
}

// conversation gives the channel that a frame names, or the one of the caller
// and the user that it names instead.
func (f Frame) conversation(c Caller) (string, error) {
	if !f.Has("user") {
		return f.ChannelID()
	}
	if f.Has("channelId") {
		return "", fail(CodeInvalidRange, "channelId and user are both there: use channelId for a channel, or user for your conversation with one")
	}
	peer, err := f.peer(c)
	if err != nil {
		return "", err
	}
	return DirectChannel(c.User, peer), nil
}

// between gives the users of a direct message, nobody for any other.
func (m Message) between() []string {
	if m.To == "" {
		return nil
	}
	return slices.Compact([]string{m.User, m.To})
}

// noteDirect lists a direct message, or a revision of one, for both its users.
func (s *Service) noteDirect(ctx context.Context, m Message) error {
	if m.To == "" {
		return nil
	}
	return s.Store.PutDirect(ctx, m)
}

// connectionsOf gives the connections of users, each once and in order, those
// after one of them or all for "".
func (s *Service) connectionsOf(ctx context.Context, users []string, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var all []string
		for _, user := range users {
			ids, err := s.devices(ctx, user)
			if err != nil {
				yield("", fmt.Errorf("list devices: %w", err))
				return
			}
			all = append(all, ids...)
		}
		slices.Sort(all)
		for _, id := range slices.Compact(all) {
			if id > after && !yield(id, nil) {
				return
			}
		}
	}
}

// serveDirects answers listDirects with one page.
func (s *Service) serveDirects(ctx context.Context, c Caller, f Frame) (any, error) {
	if c.IsAnonymous() {
		return nil, errNoUser
	}
	cursor, err := f.cursor()
	if err != nil {
		return nil, err
	}
	if _, err := s.permit(ctx, c, "", MayRead); err != nil {
		return nil, fmt.Errorf("direct conversations: %w", err)
	}
	answer := directsEvent{Event: "directs", ID: f.ID}
	answer.Directs, answer.Cursor, err = list(answer, MaxDirects, s.Store.ListDirects(ctx, c.User, cursor, MaxDirects+1),
		func(d Direct) (event any, cursor string) {
			return directEvent{User: d.Peer, ChannelID: d.ChannelID, Seq: d.Seq, At: formatTime(d.At)}, d.Peer
		})
	if err != nil {
		return nil, fmt.Errorf("direct conversations: %w", err)
	}
	return answer, nil
}

// list gives what fits into an answer of what a Store lists, at most limit, and
// the cursor to go on with, empty if nothing is left.
func list[T any](answer any, limit int, all iter.Seq2[T, error], show func(T) (event any, cursor string)) (items []json.RawMessage, next string, err error) {
	page := page{room: room(answer) - maxCursor*6, limit: limit, items: []json.RawMessage{}}
	for t, err := range all {
		if err != nil {
			return nil, "", err
		}
		event, cursor := show(t)
		if !page.add(encode(event)) {
			return page.items, next, nil
		}
		next = cursor
	}
	return page.items, "", nil
}
