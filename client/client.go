package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"example.com/chatstack/chat"
)

// A Client is in a chat until it is closed. Its methods may be called by several
// goroutines at once.
type Client struct {
	endpoint string
	options  Options
	prefix   string // of the ids of frames

	commands chan func()
	events   chan Event
	first    chan error // what became of the first connection
	done     chan struct{}
	cancel   context.CancelCauseFunc
	tasks    sync.WaitGroup

	// What follows is the loop's own.
	ctx       context.Context
	user      string    // who the client was on its last connection
	expiresAt time.Time // when the token of that one expires
	frames    int       // counts ids
	queue     []Event
	dropped   bool // an Overflow was told, and the queue is still long
	link      *link
	dialed    chan dialResult
	dialing   bool
	dialAt    time.Time
	failures  int
	requests  map[string]*request
	sends     map[string]*send
	channels  map[string]*channel
	wake      time.Time
}

// A Receipt says where a sent message is stored.
type Receipt struct {
	MessageID string
	Seq       int64
	At        time.Time
}

// Dial connects to a stage's endpoint, a ws or wss URL, and returns once the
// client is online. An error is of this first attempt; afterwards the client
// reconnects by itself. The end of ctx closes the client, also later.
func Dial(ctx context.Context, endpoint string, options *Options) (*Client, error) {
	if options == nil {
		options = &Options{}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c := &Client{
		endpoint: endpoint, options: options.withDefaults(), prefix: strings.ToLower(rand.Text()[:8]),
		commands: make(chan func()), events: make(chan Event), first: make(chan error, 1), done: make(chan struct{}),
		ctx: ctx, cancel: cancel, dialed: make(chan dialResult),
		requests: map[string]*request{}, sends: map[string]*send{}, channels: map[string]*channel{},
	}
	go c.run()
	var err error
	select {
	case err = <-c.first:
	case <-c.done:
		err = context.Cause(ctx)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to the chat: %w", err)
	}
	return c, nil
}

// Close ends the client and waits for all that it started, up to ten seconds if
// the connection is dead. Events that were not read are dropped.
func (c *Client) Close() error {
	c.cancel(nil)
	<-c.done
	return nil
}

// Events gives what happens. It is closed with the client. One who does not read
// loses no message: see Options.Buffer.
func (c *Client) Events() <-chan Event { return c.events }

// Subscribe puts the client into a channel, now and after each reconnect. Its
// messages come from then on. An error of the stage is a *chat.Error.
func (c *Client) Subscribe(ctx context.Context, channelID string) error {
	return c.subscribe(ctx, channelID, -1)
}

// SubscribeAfter is Subscribe for one who has the channel's messages up to the
// number after: what is beyond comes. With 0, all that are stored do.
func (c *Client) SubscribeAfter(ctx context.Context, channelID string, after int64) error {
	return c.subscribe(ctx, channelID, max(after, 0))
}

func (c *Client) subscribe(ctx context.Context, channelID string, after int64) error {
	result := make(chan error, 1)
	return await(ctx, c, result, func() {
		ch := c.channel(channelID)
		if after >= 0 && !ch.wanted {
			ch.leave(nil)
			ch.known, ch.pos = true, after
		}
		ch.wanted, ch.out = true, false
		ch.waiters = append(ch.waiters, result)
		c.resubscribe(ch)
	})
}

// Unsubscribe takes the client out of a channel. What it knew of it is forgotten.
func (c *Client) Unsubscribe(ctx context.Context, channelID string) error {
	result := make(chan error, 1)
	return await(ctx, c, result, func() {
		ch := c.channel(channelID)
		ch.leave(ErrClosed)
		ch.asked, ch.out = true, true
		c.request(kept, fields{"action": chat.ActionUnsubscribeChannel, "channelId": channelID}, func(_ wire, _ time.Time, err error) {
			result <- err
		})
	})
}

// Send sends a message and returns once it is stored. An error of the stage is a
// *chat.Error and says that it is not; ErrNotSent says that it never was on its
// way; ErrNotKnown that it may be stored or not. The end of ctx gives one of the
// latter two: a message that is on its way is not called back. Where the stage lets
// it wait, for its rate or for slow mode, it is tried again within Options.SendFor.
func (c *Client) Send(ctx context.Context, channelID, content string) (Receipt, error) {
	return c.send(ctx, &send{
		outbox: channelID,
		frame:  fields{"action": chat.ActionSendMessage, "channelId": channelID, "name": c.options.Name, "content": content},
	})
}

// SendDirect sends a message to a user, as Send.
func (c *Client) SendDirect(ctx context.Context, user, content string) (Receipt, error) {
	return c.send(ctx, &send{
		outbox: "|" + user, // no channel has such a name
		frame:  fields{"action": chat.ActionSendDirect, "user": user, "content": content},
	})
}

func (c *Client) send(ctx context.Context, s *send) (Receipt, error) {
	s.result = make(chan sendResult, 1)
	if err := c.do(ctx, func() { c.enqueue(s) }); err != nil {
		return Receipt{}, fmt.Errorf("send to %q: %w: %w", s.outbox, ErrNotSent, err)
	}
	var r sendResult
	select {
	case r = <-s.result:
	case <-ctx.Done():
		select {
		case c.commands <- func() { c.abandon(s, context.Cause(ctx)) }:
		case <-c.done:
		}
		r = <-s.result
	}
	if r.err != nil {
		return Receipt{}, fmt.Errorf("send to %q: %w", s.outbox, r.err)
	}
	return r.receipt, nil
}

// Edit gives a message another content: one that this connection sent or, where
// there is identity, that its user did.
func (c *Client) Edit(ctx context.Context, channelID string, seq int64, content string) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionEditMessage, "channelId": channelID, "seq": seq, "content": content})
}

// Delete deletes the content of a message for good, as Edit.
func (c *Client) Delete(ctx context.Context, channelID string, seq int64) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionDeleteMessage, "channelId": channelID, "seq": seq})
}

// EditDirect is Edit for a message to a user.
func (c *Client) EditDirect(ctx context.Context, user string, seq int64, content string) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionEditMessage, "user": user, "seq": seq, "content": content})
}

// DeleteDirect is Delete for a message to a user.
func (c *Client) DeleteDirect(ctx context.Context, user string, seq int64) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionDeleteMessage, "user": user, "seq": seq})
}

func (c *Client) revise(ctx context.Context, frame fields) (Receipt, error) {
	answer, err := c.ask(ctx, ofUser, frame)
	return Receipt{MessageID: answer.MessageID, Seq: answer.Seq, At: answer.At}, err
}

// Typing shows the others in a channel that the client writes. Call it every 3
// seconds as long as it does.
func (c *Client) Typing(ctx context.Context, channelID string) error {
	_, err := c.ask(ctx, lost, fields{"action": chat.ActionTyping, "channelId": channelID, "name": c.options.Name})
	return err
}

// Err says why the client has ended: nil as long as it has not, and ErrClosed,
// with a *BannedError or a *RefusedError if it has ended by itself.
func (c *Client) Err() error {
	select {
	case <-c.done:
		return c.over()
	default:
		return nil
	}
}

// ask sends a frame and waits for its answer.
func (c *Client) ask(ctx context.Context, kept keep, frame fields) (wire, error) {
	var answer wire
	result := make(chan error, 1)
	err := await(ctx, c, result, func() {
		c.request(kept, frame, func(w wire, _ time.Time, err error) {
			answer = w
			result <- err
		})
	})
	if err != nil {
		return wire{}, fmt.Errorf("%s: %w", frame.about(), err)
	}
	return answer, nil
}

// do lets the loop run f.
func (c *Client) do(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case c.commands <- f:
		return nil
	case <-c.done:
		return c.over()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// await lets the loop run f, and waits for what f leads to.
func await(ctx context.Context, c *Client, result <-chan error, f func()) error {
	if err := c.do(ctx, f); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.done:
		select {
		case err := <-result:
			return err
		default:
			return c.over()
		}
	}
}
