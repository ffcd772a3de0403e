package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"
)

// reviseAttempts is how often a revision is tried when others of the same
// message come between.
const reviseAttempts = 5

// Edit gives a message another content, of the caller's own or in a channel that
// it moderates. It returns the message as it is then, with EditSeq as the
// revision's place in the channel. To edit it to what it says already changes
// nothing.
//
// A revision takes a number of the channel's own sequence, so that who misses
// it sees a gap and can fetch it, and goes out as a message does: stored first,
// then delivered by this call, then by the table's stream.
func (s *Service) Edit(ctx context.Context, c Caller, channelID string, seq int64, content string) (Message, error) {
	content, err := cleanContent(content, s.limits().Content, s.Sanitize)
	if err != nil {
		return Message{}, err
	}
	return s.revise(ctx, c, channelID, seq, func(m *Message, at time.Time) (bool, error) {
		if m.isDeleted() {
			return false, fail(CodeMessageNotFound, "the message with the number %d is deleted", seq)
		}
		if m.Content == content {
			return false, nil
		}
		m.Content, m.EditedAt = content, at
		return true, nil
	})
}

// Delete takes the content of a message away for good, of the caller's own or in
// a channel that it moderates; its place stays. To delete it again changes nothing.
func (s *Service) Delete(ctx context.Context, c Caller, channelID string, seq int64) (Message, error) {
	return s.revise(ctx, c, channelID, seq, func(m *Message, at time.Time) (bool, error) {
		return m.empty(at), nil
	})
}

// empty makes a message a deleted one, and reports whether it was none yet.
func (m *Message) empty(at time.Time) bool {
	if m.isDeleted() {
		return false
	}
	m.Content, m.DeletedAt = "", at
	return true
}

// revise makes a change to a message that a caller may make.
func (s *Service) revise(ctx context.Context, c Caller, channelID string, seq int64, change func(*Message, time.Time) (bool, error)) (Message, error) {
	if err := s.admit(ctx, c.sender()); err != nil {
		return Message{}, fmt.Errorf("revise %d of %q: %w", seq, channelID, err)
	}
	if _, err := s.permit(ctx, c, channelID, MayWrite); err != nil {
		return Message{}, fmt.Errorf("revise %d of %q: %w", seq, channelID, err)
	}
	return s.rewrite(ctx, channelID, seq, func(m *Message, at time.Time) (bool, error) {
		if !m.isBy(c) && !c.IsModerator(channelID) {
			return false, fail(CodeNotAuthor, "the message with the number %d is another's: only its author or a moderator may change it", seq)
		}
		return change(m, at)
	})
}

// rewrite makes a change to a message, which says whether there is anything to
// change.
func (s *Service) rewrite(ctx context.Context, channelID string, seq int64, change func(*Message, time.Time) (bool, error)) (Message, error) {
	for attempt := 1; ; attempt++ {
		m, err := s.Store.GetMessage(ctx, channelID, seq)
		if errors.Is(err, ErrGone) || err == nil && m.Target != 0 {
			return Message{}, fail(CodeMessageNotFound, "the channel has no message with the number %d, or has it no more", seq)
		}
		if err != nil {
			return Message{}, fmt.Errorf("revise %d of %q: %w", seq, channelID, err)
		}
		at := s.now()
		if changed, err := change(&m, at); err != nil || !changed {
			return m, err
		}
		m, err = s.putRevision(ctx, m, at)
		if errors.Is(err, ErrChanged) && attempt < reviseAttempts {
			continue // with what it is now, and a higher number
		}
		if err != nil {
			return Message{}, fmt.Errorf("revise %d of %q: %w", seq, channelID, err)
		}
		return m, nil
	}
}

// putRevision stores a changed message under a number for the change, and
// delivers the change.
func (s *Service) putRevision(ctx context.Context, m Message, at time.Time) (Message, error) {
	longest := m
	longest.EditSeq = math.MaxInt64
	if _, err := encodeRevision(longest, longest.EditSeq, at); err != nil {
		return m, err
	}
	var err error
	if m.EditSeq, err = s.Store.NextSeq(ctx, m.ChannelID); err != nil {
		return m, err
	}
	frame, err := encodeRevision(m, m.EditSeq, at)
	if err != nil {
		return m, err
	}
	revision := Message{ChannelID: m.ChannelID, Seq: m.EditSeq, Target: m.Seq, ID: m.ID, At: at, SenderID: m.SenderID, User: m.User, To: m.To}
	// Before, since who tries again what is done is told so and does nothing.
	if err := s.noteDirect(ctx, revision); err != nil {
		return m, err
	}
	if err := s.Store.PutRevision(ctx, m, revision); err != nil {
		return m, err
	}
	s.log().InfoContext(ctx, "message revised", "channelId", m.ChannelID, "seq", m.EditSeq, "targetSeq", m.Seq,
		"messageId", m.ID, "deleted", m.isDeleted(), "bytes", len(m.Content))
	return m, s.deliver(ctx, Delivery{ChannelID: m.ChannelID, Seq: m.EditSeq, Frame: frame, Users: m.between()}, s.sendBudget())
}

// isBy reports whether a message is of a caller: of its user, or of the very
// connection if that is nobody's.
func (m Message) isBy(c Caller) bool {
	if m.User != "" || !c.IsAnonymous() {
		return m.User == c.User
	}
	return m.SenderID != "" && m.SenderID == c.ConnectionID
}

func (m Message) isDeleted() bool { return !m.DeletedAt.IsZero() }

// revisedAt is when the message got its last revision.
func (m Message) revisedAt() time.Time {
	if m.isDeleted() {
		return m.DeletedAt
	}
	return m.EditedAt
}

// encodeRevision gives the event of a message's change, or an [Error] with
// CodeFrameTooLarge.
func encodeRevision(m Message, seq int64, at time.Time) ([]byte, error) {
	event := revisionEvent{
		Event: "message_edited", ChannelID: m.ChannelID, Seq: seq, TargetSeq: m.Seq, MessageID: m.ID,
		Name: m.Name, Content: m.Content, At: formatTime(at), SenderID: m.SenderID, User: m.User, To: m.To,
	}
	if m.isDeleted() {
		event.Event, event.Name, event.Content = "message_deleted", "", ""
	}
	return checkLength(encode(event))
}

// eventsOf gives stored messages as clients get them. A revision is shown as
// its message is now: what has been deleted since must not appear again.
func (s *Service) eventsOf(ctx context.Context, messages iter.Seq2[Message, error]) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for m, err := range messages {
			l := listed{channelID: m.ChannelID, seq: m.Seq, at: m.At}
			if err == nil {
				l.event, err = s.eventAsIs(ctx, m)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// A listed is a message or a revision in an answer.
type listed struct {
	channelID string
	seq       int64
	at        time.Time
	event     json.RawMessage
}

func (s *Service) eventAsIs(ctx context.Context, m Message) (json.RawMessage, error) {
	if m.Target == 0 {
		return encode(eventOf(m)), nil
	}
	target, err := s.Store.GetMessage(ctx, m.ChannelID, m.Target)
	if errors.Is(err, ErrGone) {
		target, err = m, nil
		target.Seq, target.DeletedAt = m.Target, m.At
	}
	if err != nil {
		return nil, err
	}
	event, err := encodeRevision(target, m.Seq, m.At)
	if ErrorCode(err) == CodeFrameTooLarge {
		return nil, nil // nothing that an answer has room for
	}
	return event, err
}
