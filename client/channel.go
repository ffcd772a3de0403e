package client

import (
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"example.com/chatstack/chat"
)

// A channel is what the client knows of one.
type channel struct {
	id      string
	peer    string // the other user, of a conversation of two
	wanted  bool   // the client subscribes to it on every connection
	waiters []chan<- error
	asked   bool // this connection has asked to be out of it
	out     bool // and has not been told that it is: what comes was on its way
	serial  int  // counts subscriptions, so that answers to older ones are known

	// Once known, every message up to pos has come out, or has been given up.
	known bool
	pos   int64
	held  map[int64]held      // those beyond pos
	given map[int64]time.Time // numbers given up, and when

	filling bool
	fillAt  time.Time // zero if nothing is missing
	asks    int       // since something is missing
	behind  bool      // events were not read
	dropped bool      // more was missing than can be held

	outbox []*send
	// No message that this client has still to send is at floor or below.
	floor      int64
	floorKnown bool
	flooring   bool
}

type held struct {
	wire
	since time.Time
}

const (
	// orderWait is how long a missing number is given to come by itself.
	orderWait = 300 * time.Millisecond
	// lateFor is how long a number that was given up may still get a message: as
	// long as its sender may send it again.
	lateFor = chat.SentFor + 30*time.Second
	// maxGiven bounds the numbers of a gap that are remembered, from its end.
	maxGiven = 1000
	// maxPage is the most messages of a history page.
	maxPage = 100
)

func (c *Client) channel(id string) *channel {
	ch, ok := c.channels[id]
	if !ok {
		ch = &channel{id: id, held: map[int64]held{}, given: map[int64]time.Time{}}
		c.channels[id] = ch
	}
	return ch
}

// leave forgets what is known of the channel, all but what is to be sent.
func (ch *channel) leave(err error) {
	ch.wanted, ch.known, ch.behind, ch.fillAt = false, false, false, time.Time{}
	ch.serial++
	clear(ch.held)
	clear(ch.given)
	ch.tell(err)
}

func (ch *channel) tell(err error) {
	for _, waiter := range ch.waiters {
		waiter <- err
	}
	ch.waiters = nil
}

// relink begins on a new connection.
func (ch *channel) relink() {
	ch.asked, ch.out, ch.filling, ch.flooring, ch.asks = false, false, false, false, 0
}

// resubscribe subscribes to the channel, from where the client is in it.
func (c *Client) resubscribe(ch *channel) {
	if c.link == nil || c.link.id == "" {
		return // it is done once the client is online
	}
	ch.serial++
	serial := ch.serial
	frame := fields{"action": chat.ActionSubscribeChannel, "channelId": ch.id}
	after := int64(-1)
	if ch.known {
		after = ch.pos
		frame["after"] = after
	}
	c.request(lost, frame, func(answer wire, _ time.Time, err error) {
		switch {
		case ch.serial != serial || errors.Is(err, ErrNotKnown): // another follows
		case isOver(chat.ErrorCode(err)):
			if c.link != nil {
				c.lose(err)
			}
		case err != nil:
			if len(ch.waiters) == 0 {
				c.emit(SubscriptionRefused{ChannelID: ch.id, Err: err})
			}
			ch.leave(err)
		default:
			c.subscribed(ch, after, answer)
			ch.tell(nil)
		}
	})
}

func (c *Client) subscribed(ch *channel, after int64, answer wire) {
	switch {
	case !ch.known:
		ch.known, ch.pos = true, answer.Seq
	case answer.From > 0 && answer.From <= after:
		ch.pos, ch.floor = 0, 0
		clear(ch.given)
		clear(ch.held)
		for _, s := range ch.outbox {
			s.floor = 0
		}
		c.emit(Reset{ChannelID: ch.id})
	}
	for _, item := range answer.items {
		if item.sequenced() {
			c.accept(ch, item)
		}
	}
	c.advance(ch)
	if (answer.More || answer.From > 0) && !ch.filling {
		c.fill(ch, ch.pos)
	}
}

// moved takes it that the client itself joined or left.
func (c *Client) moved(ch *channel, in bool) {
	ch.out = ch.out && in
	switch {
	case in && !ch.wanted && ch.known && !ch.filling:
		c.fill(ch, ch.pos) // what a default channel saw while the client was away
	case !in && !ch.asked && ch.wanted:
		ch.leave(errRemoved)
	}
}

// accept takes an event that has a place in the channel's order.
func (c *Client) accept(ch *channel, w wire) {
	c.recognise(ch, w)
	if w.To != "" {
		if ch.peer = w.User; w.User == c.user {
			ch.peer = w.To
		}
	}
	if !ch.known && !ch.wanted {
		if ch.out {
			return
		}
		ch.known, ch.pos = true, w.Seq-1 // the client was put in: it begins here
	}
	if ch.known && w.Seq <= ch.pos {
		if _, ok := ch.given[w.Seq]; ok {
			delete(ch.given, w.Seq)
			c.queue = append(c.queue, w.public(true))
		}
		return
	}
	if len(c.queue) >= c.options.Buffer {
		ch.behind = true
		return
	}
	if _, ok := ch.held[w.Seq]; !ok {
		ch.held[w.Seq] = held{w, time.Now()}
	}
	if len(ch.held) > c.options.Buffer {
		ch.dropped = true
		delete(ch.held, slices.Max(slices.Collect(maps.Keys(ch.held))))
	}
	c.advance(ch)
}

// advance gives out what has its turn.
func (c *Client) advance(ch *channel) {
	if !ch.known {
		return
	}
	for seq := range ch.held {
		if seq <= ch.pos {
			delete(ch.held, seq)
		}
	}
	for {
		next, ok := ch.held[ch.pos+1]
		if !ok {
			break
		}
		delete(ch.held, ch.pos+1)
		ch.pos++
		c.queue = append(c.queue, next.public(false))
	}
	if len(ch.held) == 0 && !ch.dropped {
		ch.fillAt, ch.asks = time.Time{}, 0
	} else if ch.fillAt.IsZero() {
		ch.fillAt = time.Now().Add(orderWait)
	}
}

func (c *Client) stepChannel(ch *channel, now time.Time) {
	if c.link == nil {
		return
	}
	if !ch.fillAt.IsZero() && !ch.filling && c.due(ch.fillAt, now) {
		c.fill(ch, ch.pos)
	}
	for seq, since := range ch.given {
		if c.due(since.Add(lateFor), now) && !ch.filling && !ch.behind {
			c.fill(ch, min(ch.pos, seq-1))
		}
	}
}

// fill reads the history after a number, to its end.
func (c *Client) fill(ch *channel, after int64) {
	ch.filling, ch.fillAt, ch.dropped = true, time.Time{}, false
	serial := ch.serial
	frame := fields{"action": chat.ActionGetHistory, "channelId": ch.id, "after": after, "limit": maxPage}
	if ch.peer != "" {
		delete(frame, "channelId")
		frame["user"] = ch.peer
	}
	c.request(lost, frame, func(answer wire, asked time.Time, err error) {
		if errors.Is(err, ErrNotKnown) || errors.Is(err, ErrClosed) {
			return
		}
		ch.filling = false
		if !ch.known {
			return
		}
		if ch.serial != serial { // it was for a subscription before this one
			c.fill(ch, ch.pos)
			return
		}
		covered := int64(math.MaxInt64) // also where the stage does not let it read
		if answer.More {
			covered = after
		}
		for _, item := range answer.items {
			if item.sequenced() {
				c.accept(ch, item)
			}
			if answer.More {
				covered = max(covered, item.Seq)
			}
		}
		if ch.behind {
			return // drained goes on
		}
		c.giveUp(ch, after, covered, asked)
		if answer.More && covered > after {
			c.fill(ch, covered)
			return
		}
		if next, ok := ch.next(); ok {
			now := time.Now()
			ch.asks++
			ch.fillAt = now.Add(pause(2*orderWait, c.options.GapWait, ch.asks))
			if last := ch.held[next].since.Add(c.options.GapWait); last.After(now) && last.Before(ch.fillAt) {
				ch.fillAt = last
			}
		}
	})
}

// next gives the lowest number that is held.
func (ch *channel) next() (int64, bool) {
	next := int64(math.MaxInt64)
	for seq := range ch.held {
		next = min(next, seq)
	}
	return next, len(ch.held) > 0
}

// giveUp gives up the numbers in (after, covered] that a history does not have
// which was asked for long enough after they were missed.
func (c *Client) giveUp(ch *channel, after, covered int64, asked time.Time) {
	for seq, since := range ch.given {
		if seq > after && seq <= covered && asked.Sub(since) >= lateFor {
			delete(ch.given, seq)
		}
	}
	for after <= ch.pos {
		next, ok := ch.next()
		if !ok || next-1 > covered || asked.Sub(ch.held[next].since) < c.options.GapWait {
			return
		}
		c.queue = append(c.queue, Gap{ChannelID: ch.id, From: ch.pos + 1, To: next - 1})
		for seq := max(ch.pos+1, next-maxGiven); seq < next; seq++ {
			ch.given[seq] = time.Now()
		}
		ch.pos = next - 1
		c.advance(ch)
	}
}
