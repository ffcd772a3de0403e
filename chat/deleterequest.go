package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A DeleteRequest asks for a message to be deleted: how other services moderate.
type DeleteRequest struct {
	ChannelID string
	// Key is the message's sequence number as text; whoever wrote the request may
	// have written anything.
	Key string
	// Erase also takes away who the message was by.
	Erase bool
}

// applyDeleteRequest deletes a message as a moderator does, and then the request.
// One that cannot be granted is marked with the reason and is no error.
func (s *Service) applyDeleteRequest(ctx context.Context, request DeleteRequest) error {
	r, err := s.Store.GetDeleteRequest(ctx, request.ChannelID, request.Key)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err == nil {
		err = s.deleteFor(ctx, r)
	}
	if mistake, ok := errors.AsType[*Error](err); ok {
		s.log().WarnContext(ctx, "delete request rejected", "channelId", r.ChannelID, "key", r.Key, "code", mistake.Code)
		err = s.Store.RejectDeleteRequest(ctx, r, mistake.Message)
	} else if err == nil {
		err = s.Store.FinishDeleteRequest(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("delete request %q of %q: %w", request.Key, request.ChannelID, err)
	}
	return nil
}

func (s *Service) deleteFor(ctx context.Context, r DeleteRequest) error {
	seq, err := strconv.ParseUint(r.Key, 10, 64)
	if err != nil || seq < 1 || seq > MaxSeq {
		return fail(CodeInvalidRange, "DELETE|%s names no message: put DELETE| and its sequence number, 1 to %d", r.Key, int64(MaxSeq))
	}
	switch err := CheckChannelID(r.ChannelID); {
	case !isDirect(r.ChannelID):
		if err != nil {
			return err
		}
	case r.Erase: // either of the two would still be the other's peer
		return fail(CodeForbidden, "a direct message cannot lose its author: ask for its deletion alone")
	}
	m, err := s.rewrite(ctx, r.ChannelID, int64(seq), func(m *Message, at time.Time) (bool, error) {
		if r.Erase {
			m.Name, m.User, m.SenderID = "", "", ""
		}
		return m.empty(at), nil
	})
	if err == nil && r.Erase {
		err = s.Store.EraseAuthor(ctx, m)
	}
	return err
}
