package chat

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// A Draft is a message that a client wants to be sent.
type Draft struct {
	// ID is the client's own for it, empty if it gave none.
	ID        string
	ChannelID string
	// To is the user whom a direct message is for, instead of a channel.
	To string
	// Name is the sender's, unless its identity has one.
	Name, Content string
}

// Send stores a message and delivers it to every subscriber of its channel, the
// sender included if subscribed, or if it is a direct message to every connection
// of its two users. It returns a message that is stored, and whose
// delivery is done or in the hands of the table's stream.
//
// The same Draft again within SentFor, also at the same time, gives the same
// message if it has an ID: it is stored once, and may be delivered again, because
// nobody knows whether the first attempt got so far. Another message with the
// same ID is an [Error] with CodeIDReused.
//
// An [Error] means that nothing was stored. Any other error leaves it open; the
// sender may try again.
func (s *Service) Send(ctx context.Context, c Caller, d Draft) (Message, error) {
	channelID := d.ChannelID
	if d.To != "" {
		if c.IsAnonymous() {
			return Message{}, errNoUser
		}
		channelID = DirectChannel(c.User, d.To)
	}
	sent := sentOf(c.sender(), d.ID, channelID, d.Name, d.Content)
	if !c.IsAnonymous() {
		d.Name = c.Name
	}
	m, err := s.compose(Message{
		ChannelID: channelID, SenderID: c.ConnectionID, User: c.User, To: d.To, Name: d.Name, Content: d.Content,
	})
	if err != nil {
		return Message{}, err
	}
	if err := s.admit(ctx, c.sender()); err != nil {
		return Message{}, fmt.Errorf("send to %q: %w", channelID, err)
	}
	rules, err := s.permit(ctx, c, channelID, MayWrite)
	if err != nil {
		return Message{}, fmt.Errorf("send to %q: %w", channelID, err)
	}
	m, again, err := s.place(ctx, m, sent, func() error { return s.slowDown(ctx, c, channelID, rules.SlowMode) })
	if err != nil {
		return Message{}, fmt.Errorf("send to %q: %w", channelID, err)
	}
	if err := s.Store.PutMessage(ctx, m); err != nil {
		return Message{}, fmt.Errorf("send to %q: %w", channelID, err)
	}
	if err := s.noteDirect(ctx, m); err != nil {
		return Message{}, fmt.Errorf("send to %q: %w", channelID, err)
	}
	s.log().InfoContext(ctx, "message stored", "channelId", channelID, "seq", m.Seq, "messageId", m.ID,
		"connectionId", c.ConnectionID, "bytes", len(m.Content))

	if again {
		// What is there may be of another of the user's connections, and what has
		// been revised since must not be shown as it was.
		there, err := s.Store.GetMessage(ctx, channelID, m.Seq)
		if err == nil && there.EditSeq != 0 || errors.Is(err, ErrGone) { // ErrGone: it has expired
			return m, nil
		}
		if err != nil {
			return Message{}, fmt.Errorf("send %d to %q: %w", m.Seq, channelID, err)
		}
		m = there
	}
	frame, err := encodeMessage(m)
	if err != nil {
		return Message{}, fmt.Errorf("send %d to %q: %w", m.Seq, channelID, err)
	}
	if err := s.deliver(ctx, Delivery{ChannelID: channelID, Seq: m.Seq, Frame: frame, Users: m.between()}, s.sendBudget()); err != nil {
		return Message{}, fmt.Errorf("send %d to %q: %w", m.Seq, channelID, err)
	}
	return m, nil
}

// compose gives a draft the form of a message that can be stored, all but its
// sequence number, or returns an [Error].
func (s *Service) compose(m Message) (Message, error) {
	var err error
	if m.To != "" {
		err = CheckUser(m.To)
	} else {
		err = s.checkChannelID(m.ChannelID)
	}
	if err != nil {
		return Message{}, err
	}
	if m.Name, err = cleanName(m.Name, s.limits().Name); err != nil {
		return Message{}, err
	}
	if m.Content, err = cleanContent(m.Content, s.limits().Content, s.Sanitize); err != nil {
		return Message{}, err
	}
	m.At = s.now()
	if m.ID == "" {
		m.ID = s.newID()
	}
	// What is too large is refused before it takes a sequence number, so with
	// the longest one that it could get: a number taken in vain is a gap.
	longest := m
	longest.Seq = math.MaxInt64
	if _, err = encodeMessage(longest); err != nil {
		return Message{}, err
	}
	return m, nil
}
