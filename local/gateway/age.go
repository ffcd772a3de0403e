package gateway

import "time"

// touch notes a message in either direction.
func (c *connection) touch() {
	c.lastActive.Store(c.endpoint.options.Clock.Now().UnixNano())
}

// watch has expire called when the connection may have reached a limit of its
// age. A message does not reset the timer: expire looks again. c.mu is held.
func (c *connection) watch() {
	if c.status != nil {
		return
	}
	clock := c.endpoint.options.Clock
	c.stopTimer = clock.AfterFunc(max(c.expiry().Sub(clock.Now()), 0), c.expire)
}

// expiry is when the connection ends if nothing more happens on it.
func (c *connection) expiry() time.Time {
	limits := c.endpoint.options.Limits
	idle := time.Unix(0, c.lastActive.Load()).Add(limits.Idle)
	life := c.connectedAt.Add(limits.Life)
	if idle.Before(life) {
		return idle
	}
	return life
}

func (c *connection) expire() {
	if !c.endpoint.options.Clock.Now().Before(c.expiry()) {
		c.close(goingAway)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
}
