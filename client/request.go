package client

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"example.com/chatstack/chat"
)

// fields are those of a frame.
type fields map[string]any

// about says in short what a frame asks for, without what people write.
func (f fields) about() string {
	text := fmt.Sprint(f["action"])
	for _, name := range []string{"channelId", "user", "seq"} {
		if value, ok := f[name]; ok {
			text += fmt.Sprintf(" %s %v", name, value)
		}
	}
	return text
}

// A request is a frame that may be sent again as often as need be, because a
// repetition changes nothing.
type request struct {
	frame    []byte
	kept     keep
	firstAt  time.Time
	due      time.Time
	attempts int
	// answered gets the answer and the time at which it was first asked for, or
	// an error: of the stage a *chat.Error.
	answered func(answer wire, asked time.Time, err error)
}

// A keep says whether a request is sent again on the next connection.
type keep int

const (
	lost   keep = iota // it ends with its connection, with ErrNotKnown
	ofUser             // it is if the stage knows the user: then the next connection is as good as this one
	kept               // it is
)

// maxRetry is the longest time between two attempts.
const maxRetry = 30 * time.Second

// request sends a frame and waits for its answer, without waiting here.
func (c *Client) request(kept keep, frame fields, answered func(wire, time.Time, error)) {
	id := c.nextID()
	frame = maps.Clone(frame)
	frame["id"] = id
	c.requests[id] = &request{frame: encode(frame), kept: kept, answered: answered, due: time.Now()}
	c.at(time.Now())
}

func (c *Client) nextID() string {
	c.frames++
	return c.prefix + "-" + strconv.Itoa(c.frames)
}

func encode(frame fields) []byte {
	data, err := json.Marshal(frame)
	if err != nil {
		panic("client: frame does not encode: " + err.Error()) // only strings and numbers in it
	}
	return data
}

func (c *Client) stepRequests(now time.Time) {
	if c.link == nil {
		return
	}
	for _, r := range c.requests {
		if !c.due(r.due, now) {
			continue
		}
		if r.attempts == 0 {
			r.firstAt = now
		} else if c.isSilent(r.firstAt, now) {
			c.lose(errSilent)
			c.at(now)
			return
		}
		c.transmit(r.frame)
		r.attempts++
		r.due = now.Add(c.nextRetry(r.attempts))
		c.at(r.due)
	}
}

// isSilent reports whether the connection has said nothing for too long since a
// frame was sent.
func (c *Client) isSilent(sent, now time.Time) bool {
	return now.Sub(sent) >= c.options.Silence && c.link.lastRead.Before(sent)
}

func (c *Client) nextRetry(attempts int) time.Duration {
	most := pause(c.options.Retry, maxRetry, attempts-1)
	return most - c.options.random(most/4)
}

func (c *Client) transmit(frame []byte) { c.link.waiting = append(c.link.waiting, frame) }

// answer takes an answer to whatever asked.
func (c *Client) answer(w wire) {
	if s, ok := c.sends[w.ID]; ok {
		c.answerSend(s, w)
		return
	}
	r, ok := c.requests[w.ID]
	if !ok {
		return // its other copy has been answered
	}
	switch w.Code {
	case chat.CodeInternal:
		c.again(&r.due, r.attempts)
		return
	case chat.CodeRateLimited:
		r.due = c.allowed(w)
		return
	}
	delete(c.requests, w.ID)
	r.answered(w, r.firstAt, w.err())
}

// again brings an attempt forward to a short random pause from now.
func (c *Client) again(due *time.Time, attempts int) {
	soon := time.Now().Add(c.options.random(pause(c.options.MinBackoff, maxRetry, attempts)))
	if soon.Before(*due) {
		*due = soon
	}
}

// allowed gives the time at which what was too fast may be tried again.
func (c *Client) allowed(w wire) time.Time {
	wait := max(time.Duration(w.RetryAfterMs)*time.Millisecond, c.options.MinBackoff/4)
	return time.Now().Add(wait + c.options.random(c.options.MinBackoff/4))
}

// isOver reports whether an error says that the connection can be used no more.
func isOver(code chat.Code) bool {
	return code == chat.CodeConnectionOver || code == chat.CodeTokenExpired
}

// hasten brings everything forward that has been sent and not answered.
func (c *Client) hasten() {
	for _, r := range c.requests {
		if r.attempts > 0 {
			c.again(&r.due, r.attempts)
		}
	}
	for _, s := range c.sends {
		if s.link != nil {
			c.again(&s.due, s.attempts)
		}
	}
}

// dropRequests ends those that do not outlive the connection; as the client is
// closed, all.
func (c *Client) dropRequests() {
	for id, r := range c.requests {
		switch {
		case c.ctx.Err() != nil:
			delete(c.requests, id)
			r.answered(wire{}, r.firstAt, c.over())
		case r.kept == lost || r.kept == ofUser && c.user == "":
			delete(c.requests, id)
			r.answered(wire{}, r.firstAt, notKnown{errLost})
		default:
			r.attempts, r.due = 0, time.Now()
		}
	}
}

// notKnown is ErrNotKnown with a reason.
type notKnown struct{ why error }

func (e notKnown) Error() string   { return ErrNotKnown.Error() + ": " + e.why.Error() }
func (e notKnown) Unwrap() []error { return []error{ErrNotKnown, e.why} }
