package chat

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Publish gives the message of a request its place in the channel, stores it
// and delivers it: once, however often it is called.
//
// The request, the message and a delivery change places in one step of the
// Store. Whatever fails before it happens again with the request, whatever
// fails after it with the delivery, which comes back through the stream.
//
// A request whose MessageID is that of a message published within SentFor is a
// repetition of it and makes no other. A request that breaks a rule is marked
// with the reason and is no error.
func (s *Service) Publish(ctx context.Context, request PublishRequest) error {
	// What counts is the request as it is now: the change may be of one that
	// was rejected and has been replaced since.
	r, err := s.Store.GetPublishRequest(ctx, request.ChannelID, request.Key)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish %q to %q: %w", request.Key, request.ChannelID, err)
	}
	m, err := s.composeRequest(r)
	if err != nil {
		return s.reject(ctx, r, err)
	}
	sent := sentOf(ServiceSender(r.ChannelID), r.MessageID, r.ChannelID, r.Name, r.Content)
	_, known, err := s.known(ctx, sent)
	if ErrorCode(err) == CodeIDReused {
		return s.reject(ctx, r, err)
	}
	if err == nil && known {
		s.log().InfoContext(ctx, "publish request repeated", "channelId", r.ChannelID, "key", r.Key, "messageId", m.ID)
		err = s.Store.DeletePublishRequest(ctx, r.ChannelID, r.Key)
	}
	if err != nil {
		return fmt.Errorf("publish %q to %q: %w", r.Key, r.ChannelID, err)
	}
	if known {
		return nil
	}
	if m.Seq, err = s.Store.NextSeq(ctx, r.ChannelID); err != nil {
		return fmt.Errorf("publish %q to %q: %w", r.Key, r.ChannelID, err)
	}
	sent.Seq, sent.MessageID, sent.At = m.Seq, m.ID, m.At
	frame, err := encodeMessage(m)
	if err != nil {
		return fmt.Errorf("publish %q to %q: %w", r.Key, r.ChannelID, err)
	}
	d := Delivery{ChannelID: r.ChannelID, Key: fmt.Sprintf("%020d|%s", m.Seq, m.ID), Seq: m.Seq, Frame: frame}
	err = s.Store.PutPublished(ctx, r, m, d, sent)
	if errors.Is(err, ErrGone) { // another call was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish %q to %q: %w", r.Key, r.ChannelID, err)
	}
	s.log().InfoContext(ctx, "message published", "channelId", m.ChannelID, "seq", m.Seq, "messageId", m.ID, "bytes", len(m.Content))
	return s.Redeliver(ctx, d)
}

func (s *Service) composeRequest(r PublishRequest) (Message, error) {
	if n := utf8.RuneCountInString(r.MessageID); n > MaxFrameID {
		return Message{}, fail(CodeInvalidID, "messageId is %d characters long: use at most %d, or leave it out", n, MaxFrameID)
	}
	return s.compose(Message{ChannelID: r.ChannelID, ID: r.MessageID, Name: r.Name, Content: r.Content})
}

func (s *Service) reject(ctx context.Context, r PublishRequest, reason error) error {
	s.log().WarnContext(ctx, "publish request rejected", "channelId", r.ChannelID, "key", r.Key,
		"code", ErrorCode(reason), "reason", reason)
	if err := s.Store.RejectPublishRequest(ctx, r, reason.Error()); err != nil {
		return fmt.Errorf("reject publish request %q of %q: %w", r.Key, r.ChannelID, err)
	}
	return nil
}
