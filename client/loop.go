package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/chatstack/chat"
)

// A link is one connection. Its goroutines end with its context.
type link struct {
	conn     Conn
	ctx      context.Context
	cancel   context.CancelFunc
	in       chan []byte
	out      chan []byte
	ended    chan struct{} // closed once nothing more is read
	err      error         // why, then
	waiting  [][]byte      // frames to be written
	id       string        // the connection's, empty until it is known
	user     string        // whose it is, empty if nobody knows
	opened   time.Time
	lastRead time.Time
	beat     time.Time // the next heartbeat
	retire   time.Time // when to begin a planned reconnect
	retiring bool
}

type dialResult struct {
	conn Conn
	err  error
}

var (
	errSilent   = errors.New("the connection answers nothing")
	errRecycled = errors.New("the connection is given up with a message that nothing is known of")
	errLost     = errors.New("the connection has ended")
	errOther    = errors.New("the client is another user now")
	errRemoved  = errors.New("a service has taken the client out of the channel")
)

// run is the client's one loop, to which all its state belongs.
func (c *Client) run() {
	defer close(c.done)
	defer close(c.events)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		c.wake = time.Time{}
		c.step(time.Now())
		if c.wake.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(c.wake))
		}

		var in <-chan []byte
		var ended <-chan struct{}
		var out chan<- []byte
		var frame []byte
		if l := c.link; l != nil {
			in, ended = l.in, l.ended
			if len(l.waiting) > 0 {
				out, frame = l.out, l.waiting[0]
			}
		}
		var events chan<- Event
		var event Event
		if len(c.queue) > 0 {
			events, event = c.events, c.queue[0]
		}
		select {
		case <-c.ctx.Done():
			c.stop()
			return
		case f := <-c.commands:
			f()
		case r := <-c.dialed:
			c.connected(r)
		case frame := <-in:
			c.link.lastRead = time.Now()
			for _, w := range decode(frame) {
				c.take(w)
			}
		case <-ended:
			c.lose(c.link.err)
		case out <- frame:
			c.link.waiting = c.link.waiting[1:]
		case events <- event:
			c.queue = c.queue[1:]
			if len(c.queue) <= c.options.Buffer/2 {
				c.drained()
			}
		case <-timer.C:
		}
	}
}

// at has the loop run again at t.
func (c *Client) at(t time.Time) {
	if c.wake.IsZero() || t.Before(c.wake) {
		c.wake = t
	}
}

// due reports whether t has come, and has the loop run again then if not.
func (c *Client) due(t, now time.Time) bool {
	if t.After(now) {
		c.at(t)
		return false
	}
	return true
}

// step does all that is due.
func (c *Client) step(now time.Time) {
	if c.link == nil {
		c.stepDial(now)
	} else {
		c.stepLink(now)
	}
	c.stepRequests(now)
	for _, ch := range c.channels {
		c.stepChannel(ch, now)
		c.stepSend(ch, now)
	}
	if l := c.link; l != nil && l.retiring && c.isIdle() {
		c.lose(nil)
		c.at(now)
	}
}

func (c *Client) stepDial(now time.Time) {
	if c.dialing || !c.due(c.dialAt, now) {
		return
	}
	c.dialing = true
	c.emit(StateChange{State: Connecting})
	c.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, c.options.DialTimeout)
		defer cancel()
		conn, err := c.dial(ctx)
		select {
		case c.dialed <- dialResult{conn, err}:
		case <-c.ctx.Done():
			if conn != nil {
				conn.Close()
			}
		}
	})
}

func (c *Client) dial(ctx context.Context) (Conn, error) {
	subprotocols := []string{chat.Subprotocol}
	if c.options.Token != nil {
		token, err := c.options.Token(ctx)
		if err != nil {
			return nil, err
		}
		subprotocols = append(subprotocols, "bearer."+token)
	}
	return c.options.Dial(ctx, c.endpoint, subprotocols)
}

// connected takes a new connection into use, and asks who the client is on it.
func (c *Client) connected(r dialResult) {
	c.dialing = false
	if r.err != nil {
		c.offline(r.err)
		return
	}
	now := time.Now()
	ctx, cancel := context.WithCancel(c.ctx)
	l := &link{
		conn: r.conn, ctx: ctx, cancel: cancel, in: make(chan []byte), out: make(chan []byte), ended: make(chan struct{}),
		opened: now, lastRead: now, beat: now.Add(c.options.Heartbeat),
		retire: now.Add(c.options.MaxAge - c.options.random(c.options.MaxAge/10)),
	}
	c.link = l
	c.tasks.Go(l.read)
	c.tasks.Go(l.write)
	c.request(lost, fields{"action": chat.ActionWhoAmI}, func(you wire, _ time.Time, err error) {
		switch {
		case err == nil && you.ConnectionID != "":
			l.id, l.user, c.user = you.ConnectionID, you.User, you.User
			c.retireWith(l, you.ExpiresAt)
			c.emit(StateChange{State: Online, ConnectionID: l.id, User: you.User, Name: you.Name})
			select {
			case c.first <- nil:
			default:
			}
			for _, ch := range c.channels {
				switch {
				case ch.wanted:
					c.resubscribe(ch)
				case ch.peer != "" && ch.known: // nothing else tells what came meanwhile
					c.fill(ch, ch.pos)
				}
			}
		case c.link == l && c.ctx.Err() == nil:
			if err == nil {
				err = errors.New("the stage does not say who the client is")
			}
			c.lose(err)
		}
	})
	for _, ch := range c.channels {
		ch.relink()
	}
}

// retireWith has the connection replaced before its token expires, if that can be
// by one with a token that lasts longer: the one before may have had the same.
func (c *Client) retireWith(l *link, expiresAt time.Time) {
	if c.options.Token != nil && expiresAt.After(c.expiresAt) {
		ahead := min(c.options.Settle+c.options.DialTimeout, time.Until(expiresAt)/2)
		if at := expiresAt.Add(-ahead); at.Before(l.retire) {
			l.retire = at
		}
	}
	c.expiresAt = expiresAt
}

func (l *link) read() {
	defer close(l.ended)
	for {
		frame, err := l.conn.Read(l.ctx)
		if err != nil {
			l.err = err
			return
		}
		select {
		case l.in <- frame:
		case <-l.ctx.Done():
			l.err = l.ctx.Err()
			return
		}
	}
}

func (l *link) write() {
	for {
		select {
		case frame := <-l.out:
			if l.conn.Write(l.ctx, frame) != nil {
				l.cancel() // the reader ends, and the loop with it
				return
			}
		case <-l.ctx.Done():
			return
		}
	}
}

func (c *Client) stepLink(now time.Time) {
	l := c.link
	if c.due(l.beat, now) {
		l.beat = now.Add(c.options.Heartbeat)
		c.at(l.beat)
		c.request(lost, fields{"action": chat.ActionPing}, func(wire, time.Time, error) {})
		for _, ch := range c.channels {
			if ch.known && !ch.filling { // the last message may have been lost, which no other shows
				c.fill(ch, ch.pos)
			}
		}
	}
	if !l.retiring && c.due(l.retire, now) {
		l.retiring = true
		l.retire = now.Add(c.options.Settle)
	}
	if l.retiring && c.due(l.retire, now) {
		c.lose(nil) // what is under way was not answered in all this time
		c.at(now)
	}
}

// isIdle reports whether nothing waits for an answer.
func (c *Client) isIdle() bool {
	for _, s := range c.sends {
		if s.link != nil && s.link == c.link {
			return false
		}
	}
	return len(c.requests) == 0
}

// lose ends the connection. Without an error it is a planned reconnect, and the
// next attempt is made at once.
func (c *Client) lose(err error) {
	l, now := c.link, time.Now()
	c.link = nil
	c.tasks.Go(func() {
		l.conn.Close()
		l.cancel()
	})
	if now.Sub(l.opened) >= c.options.MinBackoff && l.id != "" {
		c.failures = 0
	}
	for _, s := range c.sends {
		if s.link == l {
			s.link, s.lostAt = nil, now
		}
	}
	c.dropRequests()
	if err == nil {
		c.dialAt = now
		c.emit(StateChange{State: Offline})
		return
	}
	c.offline(err)
}

// offline lets a random pause go by before the next attempt to connect.
func (c *Client) offline(err error) {
	if refused, ok := errors.AsType[*RefusedError](err); ok && refused.StatusCode == http.StatusForbidden && c.options.Token != nil {
		c.end(err) // whoever it is, the stage does not want it
	}
	select {
	case c.first <- err:
	default:
	}
	retry := c.options.random(pause(c.options.MinBackoff, c.options.MaxBackoff, c.failures))
	c.failures++
	c.dialAt = time.Now().Add(retry)
	c.emit(StateChange{State: Offline, Err: err, Retry: retry})
}

// take takes one event or answer.
func (c *Client) take(w wire) {
	switch {
	case w.Event == "":
		// API Gateway's own frame says that some frame was not served, or that its
		// answer was lost, but not which.
		c.hasten()
		c.emit(Foreign{Frame: w.raw})
	case w.answers():
		c.answer(w)
	case w.sequenced():
		c.accept(c.channel(w.ChannelID), w)
	default:
		c.emit(w.public(false))
		if w.Event == "banned" && w.ChannelID == "" {
			c.end(&BannedError{Until: w.Until, Reason: w.Reason})
		}
		if w.SubscriberID != "" && w.SubscriberID == c.link.id {
			c.moved(c.channel(w.ChannelID), w.Event == "subscriber_sub")
		}
	}
}

// emit queues an event that has no place in a channel's order.
func (c *Client) emit(e Event) {
	if _, ok := e.(StateChange); !ok && len(c.queue) >= c.options.Buffer {
		switch e.(type) {
		case Joined, Left, Typing, Foreign:
			if !c.dropped {
				c.dropped = true
				c.queue = append(c.queue, Overflow{})
			}
			return
		}
	}
	c.queue = append(c.queue, e)
}

// drained goes on where the events were not read.
func (c *Client) drained() {
	c.dropped = false
	for _, ch := range c.channels {
		if ch.behind {
			ch.behind = false
			if ch.known && !ch.filling {
				c.fill(ch, ch.pos)
			}
		}
	}
}

// end ends the client by itself.
func (c *Client) end(why error) { c.cancel(fmt.Errorf("%w: %w", ErrClosed, why)) }

// over is ErrClosed, with the reason if the client has ended by itself.
func (c *Client) over() error {
	if why := context.Cause(c.ctx); errors.Is(why, ErrClosed) {
		return why
	}
	return ErrClosed
}

// A BannedError reports that the client has ended because its user is banned
// everywhere.
type BannedError struct {
	Until  time.Time // zero for good
	Reason string
}

func (e *BannedError) Error() string {
	text := "the user is banned from the chat"
	if !e.Until.IsZero() {
		text += " until " + e.Until.UTC().Format(time.RFC3339)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// stop ends all, and waits for it.
func (c *Client) stop() {
	if l := c.link; l != nil {
		c.link = nil
		c.tasks.Go(func() {
			l.conn.Close()
			l.cancel()
		})
	}
	for _, s := range c.sends {
		c.resolve(s, sendResult{err: errors.Join(s.unknown(), c.over())})
	}
	c.dropRequests()
	for _, ch := range c.channels {
		ch.leave(c.over())
	}
	c.tasks.Wait()
}
