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
	cancel   context.CancelFunc
	tasks    sync.WaitGroup

	// What follows is the loop's own.
	ctx      context.Context
	frames   int // counts ids
	queue    []Event
	dropped  bool // an Overflow was told, and the queue is still long
	link     *link
	dialed   chan dialResult
	dialing  bool
	dialAt   time.Time
	failures int
	requests map[string]*request
	sends    map[string]*send
	channels map[string]*channel
	wake     time.Time
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
	ctx, cancel := context.WithCancel(ctx)
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
	c.cancel()
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
		c.request(true, fields{"action": chat.ActionUnsubscribeChannel, "channelId": channelID}, func(_ wire, _ time.Time, err error) {
			result <- err
		})
	})
}

// Send sends a message and returns once it is stored. An error of the stage is a
// *chat.Error and says that it is not; ErrNotSent says that it never was on its
// way; ErrNotKnown that it may be stored or not. The end of ctx gives one of the
// latter two: a message that is on its way is not called back.
func (c *Client) Send(ctx context.Context, channelID, content string) (Receipt, error) {
	s := &send{channelID: channelID, content: content, result: make(chan sendResult, 1)}
	if err := c.do(ctx, func() { c.enqueue(s) }); err != nil {
		return Receipt{}, fmt.Errorf("send to %q: %w: %w", channelID, ErrNotSent, err)
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
		return Receipt{}, fmt.Errorf("send to %q: %w", channelID, r.err)
	}
	return r.receipt, nil
}

// Edit gives a message that this connection sent another content. After a
// reconnect the stage takes the client for another: then it is not_author.
func (c *Client) Edit(ctx context.Context, channelID string, seq int64, content string) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionEditMessage, "channelId": channelID, "seq": seq, "content": content})
}

// Delete deletes the content of a message that this connection sent, as Edit.
func (c *Client) Delete(ctx context.Context, channelID string, seq int64) (Receipt, error) {
	return c.revise(ctx, fields{"action": chat.ActionDeleteMessage, "channelId": channelID, "seq": seq})
}

func (c *Client) revise(ctx context.Context, frame fields) (Receipt, error) {
	var receipt Receipt
	result := make(chan error, 1)
	err := await(ctx, c, result, func() {
		c.request(false, frame, func(answer wire, _ time.Time, err error) {
			receipt = Receipt{MessageID: answer.MessageID, Seq: answer.Seq, At: answer.At}
			result <- err
		})
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("%s %d of %q: %w", frame["action"], frame["seq"], frame["channelId"], err)
	}
	return receipt, nil
}

// A Page is a part of a channel's history.
type Page struct {
	// Messages are Message and Revision values in the order asked for.
	Messages []Event
	// More says that there are more: go on from the last number.
	More bool
}

// HistoryBefore gives stored messages with numbers below before, the newest
// first; with 0, the latest. limit is from 1 to 100.
func (c *Client) HistoryBefore(ctx context.Context, channelID string, before int64, limit int) (Page, error) {
	frame := fields{"limit": limit}
	if before > 0 {
		frame["before"] = before
	}
	return c.history(ctx, channelID, frame)
}

// HistoryAfter gives stored messages with numbers above after, the oldest first.
func (c *Client) HistoryAfter(ctx context.Context, channelID string, after int64, limit int) (Page, error) {
	return c.history(ctx, channelID, fields{"after": after, "limit": limit})
}

func (c *Client) history(ctx context.Context, channelID string, frame fields) (Page, error) {
	frame["action"], frame["channelId"] = chat.ActionGetHistory, channelID
	var page Page
	result := make(chan error, 1)
	err := await(ctx, c, result, func() {
		c.request(true, frame, func(answer wire, _ time.Time, err error) {
			for _, item := range answer.items {
				page.Messages = append(page.Messages, item.public(false))
			}
			page.More = answer.More
			result <- err
		})
	})
	if err != nil {
		return Page{}, fmt.Errorf("history of %q: %w", channelID, err)
	}
	return page, nil
}

// A Member is who is in a channel. As long as users are anonymous, each
// connection is one, without User and Name.
type Member struct {
	User, Name  string
	Connections []string
	Since       time.Time
}

// Members gives up to 100 of a channel, and the cursor with which the next ones
// are asked for, empty if there are no more. The first cursor is empty.
func (c *Client) Members(ctx context.Context, channelID, cursor string) (members []Member, next string, err error) {
	frame := fields{"action": chat.ActionListMembers, "channelId": channelID}
	if cursor != "" {
		frame["cursor"] = cursor
	}
	result := make(chan error, 1)
	err = await(ctx, c, result, func() {
		c.request(true, frame, func(answer wire, _ time.Time, err error) {
			for _, m := range answer.Members {
				members = append(members, Member(m))
			}
			next = answer.Cursor
			result <- err
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("members of %q: %w", channelID, err)
	}
	return members, next, nil
}

// Typing shows the others in a channel that the client writes. Call it every 3
// seconds as long as it does.
func (c *Client) Typing(ctx context.Context, channelID string) error {
	result := make(chan error, 1)
	return await(ctx, c, result, func() {
		frame := fields{"action": chat.ActionTyping, "channelId": channelID, "name": c.options.Name}
		c.request(false, frame, func(_ wire, _ time.Time, err error) { result <- err })
	})
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
		return ErrClosed
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
			return ErrClosed
		}
	}
}
