package client

import (
	"errors"
	"slices"
	"strings"
	"time"

	"example.com/chatstack/chat"
)

// A send is a message on its way.
type send struct {
	outbox    string // the channel whose messages it keeps its place among
	id        string
	frame     fields
	result    chan sendResult // has room for the one result
	deadline  time.Time
	abandoned bool

	// sender is whom the stage took the client for when it was last sent, empty if
	// it cannot be stored; link is the connection that it was sent on while it lives.
	sender   string
	link     *link
	floor    int64 // it is stored above this number, if it is
	attempts int
	firstAt  time.Time // the first attempt on this connection
	due      time.Time
	lostAt   time.Time
	checking bool
}

type sendResult struct {
	receipt Receipt
	err     error
}

// unknown is the error of one who learns no more.
func (s *send) unknown() error {
	if s.sender == "" {
		return ErrNotSent
	}
	return ErrNotKnown
}

// sender is whom the stage takes the client for on a connection: the ids of frames
// are known again from the same one. A user is the same on every connection.
func (l *link) sender() string {
	if l.user != "" {
		return userSender + l.user
	}
	return l.id
}

// userSender begins the senders that are users. No connection's id does so.
const userSender = "user|"

func (c *Client) enqueue(s *send) {
	s.id = c.nextID()
	s.deadline = time.Now().Add(c.options.SendFor)
	s.frame["id"] = s.id
	c.sends[s.id] = s
	ch := c.channel(s.outbox)
	ch.outbox = append(ch.outbox, s)
}

// abandon lets the caller go. A message that is on its way stays at the head of
// its channel until its fate is known: the next one must not be taken for it.
func (c *Client) abandon(s *send, why error) {
	if _, ok := c.sends[s.id]; !ok {
		return
	}
	result := sendResult{err: errors.Join(s.unknown(), why)}
	if s.sender == "" {
		c.resolve(s, result)
		return
	}
	s.abandoned = true
	s.result <- result
}

// resolve ends a send.
func (c *Client) resolve(s *send, r sendResult) {
	delete(c.sends, s.id)
	ch := c.channel(s.outbox)
	ch.outbox = slices.DeleteFunc(ch.outbox, func(other *send) bool { return other == s })
	ch.floor = max(ch.floor, r.receipt.Seq)
	if !s.abandoned {
		s.result <- r
	}
}

// stepSend brings a channel's first message on its way.
func (c *Client) stepSend(ch *channel, now time.Time) {
	for len(ch.outbox) > 0 {
		s := ch.outbox[0]
		dropped := s.abandoned && s.sender == "" // it is not stored, and nobody waits for it
		if !dropped && !c.due(s.deadline, now) {
			break
		}
		mine := s.link != nil && s.link == c.link && c.link.user == ""
		c.resolve(s, sendResult{err: s.unknown()})
		if mine {
			c.lose(errRecycled) // what follows has another sender
			c.at(now)
		}
	}
	for _, s := range ch.outbox {
		c.at(s.deadline)
	}
	if len(ch.outbox) == 0 || c.link == nil || c.link.id == "" {
		return
	}
	s := ch.outbox[0]
	switch sender := c.link.sender(); {
	case s.link == nil && (s.sender == "" || s.sender == sender):
		if c.link.retiring {
			return // the next connection takes it
		}
		if c.link.user == "" && !ch.known && !ch.floorKnown {
			c.findFloor(ch)
			return
		}
		s.sender, s.link, s.attempts, s.firstAt, s.floor = sender, c.link, 0, now, ch.floor
		if ch.known {
			s.floor = max(s.floor, ch.pos)
		}
	case s.link == nil && strings.HasPrefix(s.sender, userSender):
		c.resolve(s, sendResult{err: notKnown{errOther}})
		c.at(now)
		return
	case s.link == nil:
		if !s.checking && c.due(s.lostAt.Add(c.options.Settle), now) {
			s.checking = true
			c.check(s, s.floor)
		}
		return
	case !c.due(s.due, now):
		return
	case c.isSilent(s.firstAt, now):
		c.lose(errSilent)
		c.at(now)
		return
	}
	c.transmit(encode(s.frame))
	s.attempts++
	s.due = now.Add(c.nextRetry(s.attempts))
	c.at(s.due)
}

// findFloor learns how far a channel is that the client is not in.
func (c *Client) findFloor(ch *channel) {
	if ch.flooring {
		return
	}
	ch.flooring = true
	c.request(lost, fields{"action": chat.ActionGetHistory, "channelId": ch.id, "limit": 1}, func(answer wire, _ time.Time, err error) {
		if errors.Is(err, ErrNotKnown) || errors.Is(err, ErrClosed) {
			return
		}
		// One who may not read may yet send; then what is lost stays unknown.
		ch.flooring, ch.floorKnown = false, true
		if len(answer.items) > 0 {
			ch.floor = max(ch.floor, answer.items[0].Seq)
		}
	})
}

// check looks for a message in the history whose connection has ended, and has
// it sent anew if it is not there.
func (c *Client) check(s *send, after int64) {
	frame := fields{"action": chat.ActionGetHistory, "channelId": s.outbox, "after": after, "limit": maxPage}
	c.request(lost, frame, func(answer wire, _ time.Time, err error) {
		if _, ok := c.sends[s.id]; !ok {
			return
		}
		if errors.Is(err, ErrNotKnown) || errors.Is(err, ErrClosed) {
			s.checking = false // the next connection asks again
			return
		}
		if err != nil {
			c.resolve(s, sendResult{err: notKnown{err}})
			return
		}
		for _, item := range answer.items {
			c.recognise(c.channel(s.outbox), item)
			after = max(after, item.Seq)
		}
		if _, ok := c.sends[s.id]; !ok {
			return
		}
		if answer.More && len(answer.items) > 0 {
			c.check(s, after)
			return
		}
		s.checking, s.sender = false, ""
	})
}

// recognise takes a message for the one that is under way, if it is from the
// same connection and newer than what that one has sent before.
func (c *Client) recognise(ch *channel, w wire) {
	if len(ch.outbox) == 0 || w.Event != "channel_message" || w.SenderID == "" {
		return
	}
	if s := ch.outbox[0]; s.sender == w.SenderID && w.Seq > s.floor {
		c.resolve(s, sendResult{receipt: Receipt{MessageID: w.MessageID, Seq: w.Seq, At: w.At}})
	}
}

func (c *Client) answerSend(s *send, w wire) {
	err := w.err()
	switch {
	case w.Event == "ack":
		c.resolve(s, sendResult{receipt: Receipt{MessageID: w.MessageID, Seq: w.Seq, At: w.At}})
	case w.Code == chat.CodeInternal:
		c.again(&s.due, s.attempts)
	case w.Code == chat.CodeRateLimited || w.Code == chat.CodeSlowMode: // nothing has changed; the pace is the stage's
		if s.due = c.allowed(w); s.due.After(s.deadline) {
			c.resolve(s, sendResult{err: err})
		}
	case isOver(w.Code):
		if s.attempts == 1 { // nothing has changed, and no other copy is under way
			s.sender, s.link = "", nil
		}
		c.lose(err)
	case err != nil:
		c.resolve(s, sendResult{err: err})
	}
}
