package gateway

import "errors"

// receive hands a message to its route, concurrently with those before it. It
// waits while too many are under way, and reports false if the connection
// closes meanwhile.
func (c *connection) receive(message []byte) bool {
	select {
	case <-c.closing: // what comes after a close frame of ours is not looked at
		return false
	default:
	}
	c.touch()
	select {
	case c.slots <- struct{}{}:
	case <-c.closing:
		return false
	}
	c.endpoint.running.Go(func() {
		defer func() { <-c.slots }()
		c.handle(message)
	})
	return true
}

// handle runs the route of a message and sends the client what it is due.
func (c *connection) handle(message []byte) {
	e := c.endpoint
	requestID := e.ids.request()
	if !e.throttles.requests.Allow() {
		c.answer(tooManyRequests.encode(c.id, requestID))
		return
	}
	d := e.deployment.Load()
	selected, ok := d.selectRoute(message)
	if !ok {
		c.answer(forbidden.encode(c.id, requestID))
		return
	}
	if !d.stages[c.stage].takes(selected.key) {
		c.answer(tooManyRequests.encode(c.id, requestID))
		return
	}
	event := c.messageEvent(selected.key, requestID, e.ids.message(c.id), e.options.Clock.Now(), message)
	response, err := c.exchange(selected, event)
	switch {
	case errors.Is(err, errTimeout):
		c.answer(requestTimedOut.encode(c.id, requestID))
	case err != nil:
		c.answer(internalServerError.encode(c.id, requestID))
	case selected.twoWay && len(response.body) > e.options.Limits.Message:
		err = errors.New("the route response is larger than a message may be")
		c.answer(internalServerError.encode(c.id, requestID))
	case selected.twoWay && response.body != "":
		c.answer([]byte(response.body))
	}
	if err != nil {
		c.log().Warn("message failed", "routeKey", selected.key, "error", err)
	}
}

// answer sends a text that nobody waits for.
func (c *connection) answer(text []byte) {
	if err := c.send(text); err != nil && !errors.Is(err, errClosed) {
		c.log().Warn("answer not sent", "error", err)
	}
}

// send queues a text message to the client. The error is errFull or errClosed.
func (c *connection) send(text []byte) error {
	return c.outbox.send(textFrames(text, c.endpoint.options.Limits.Frame), c.touch)
}

// pong answers a ping, which is no activity. A client that does not read its
// pongs gets no more of them than the outbox holds.
func (c *connection) pong(payload []byte) {
	_ = c.outbox.send(pongFrame(payload), func() {})
}
