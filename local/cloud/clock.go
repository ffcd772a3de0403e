package cloud

import (
	"context"
	"fmt"
	"time"
)

// MaxAdvanced is how much time can be let pass in all: items that live longer than
// ten years do so for good.
const MaxAdvanced = 10 * 365 * 24 * time.Hour

// Advance lets time pass for all that is in the cloud: connections, items with a
// TTL, stream records, what waits to be tried again. It takes up to a second, since
// time passes at the end of one, and returns when what has expired is deleted.
func (c *Cloud) Advance(ctx context.Context, d time.Duration) error {
	if before := c.Advanced(); d <= 0 || d > MaxAdvanced-before {
		return fmt.Errorf("%v cannot be let pass: time passes forwards, by %v in all, and %v were let pass", d, MaxAdvanced, before)
	}
	c.sweeper.Notice(ctx)
	if err := c.clock.AdvanceOnSecond(ctx, d); err != nil {
		return err
	}
	c.log.Info("time was let pass", "by", d, "inAll", c.clock.Advanced())
	c.sweeper.Sweep(ctx)
	return nil
}

// ResetClock takes back what was let pass: what has not happened by it waits for
// the machine's time again.
func (c *Cloud) ResetClock() {
	c.clock.Reset()
}

// Advanced is how much time was let pass, in all, since the cloud was opened or
// its clock reset.
func (c *Cloud) Advanced() time.Duration { return c.clock.Advanced() }
