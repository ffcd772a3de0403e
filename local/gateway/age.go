package gateway

import "time"

// touch notes a message in either direction.
func (c *connection) touch() {
	c.lastActive.Store(c.endpoint.options.Clock.Now().UnixNano())
}

// watch has expire called when the connection may have reached a limit of its
// age. A message does not reset the timer: expire looks again. c.mu is held.
func (c *connection) watch() {
	if c.status == nil {
		c.stopTimer = c.endpoint.options.Clock.AfterFunc(c.left(), c.expire)
	}
}

// left is how long the connection has if nothing more happens on it.
func (c *connection) left() time.Duration {
	clock, limits := c.endpoint.options.Clock, c.endpoint.options.Limits
	idle := limits.Idle - clock.Since(time.Unix(0, c.lastActive.Load()))
	life := limits.Life - clock.Since(c.connectedAt)
	return min(idle, life)
}

func (c *connection) expire() {
	if c.left() <= 0 {
		c.close(goingAway)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
}
