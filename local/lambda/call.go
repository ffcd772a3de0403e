package lambda

import (
	"time"
)

// A call is an invocation on its way through the service.
type call struct {
	service  *Service
	function *function
	cfg      *Config // what it runs with
	inv      *invocation

	env    *environment  // that it runs in; nil as long as it has none
	stream string        // that its log lines go to
	init   time.Duration // that its environment took to come up; 0 if it was there
	crash  *failure      // of the last process that exited unasked
	peak   int64         // bytes of memory that the last process had in use
}

func newCall(f *function, e *environment, payload []byte) *call {
	now := f.service.opts.Clock.Now()
	c := &call{
		service:  f.service,
		function: f,
		cfg:      f.cfg,
		env:      e,
		inv: &invocation{
			id:       newUUID(),
			traceID:  newTraceID(now),
			payload:  payload,
			finished: make(chan struct{}),
		},
	}
	if e != nil {
		c.stream = e.stream
	} else {
		c.stream = newStream(now)
	}
	return c
}

// run takes the invocation to its end. It returns an error only if the service is
// closed meanwhile.
func (c *call) run() (*Output, error) {
	output, why := c.perform()
	if c.env != nil && why != fine {
		c.env.stop()
		c.env = nil
	}
	c.service.dismiss(c.function, c.env)
	if why == closing {
		return nil, ErrClosed
	}
	return output, nil
}

// perform leaves in c.env the environment that it used last, if that still needs
// to be stopped or can be used again.
func (c *call) perform() (*Output, reason) {
	if c.env == nil && c.initialize() == closing {
		return nil, closing
	}
	logs := c.service.logs
	logs.linef(c.cfg, c.stream, "START RequestId: %s Version: %s", c.inv.id, version)
	began := time.Now()
	c.inv.deadline = began.Add(c.cfg.Timeout)
	timer := time.NewTimer(c.cfg.Timeout)
	defer timer.Stop()

	output, why := c.attempt(timer.C)
	took := time.Since(began)
	if c.env != nil {
		c.peak = c.env.proc.PeakMemory()
	}
	r := report{id: c.inv.id, duration: took, init: c.init, peak: c.peak, status: why.status()}
	switch why {
	case crashed:
		logs.line(c.cfg, c.stream, c.crash.Message)
		logs.line(c.cfg, c.stream, c.crash.Type)
	case late:
		r.duration = c.cfg.Timeout
		logs.linef(c.cfg, c.stream, "%s %s Task timed out after %.2f seconds",
			c.service.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), c.inv.id, c.cfg.Timeout.Seconds())
	case closing:
		return nil, closing
	}
	logs.end(c.cfg, c.stream, r)
	return output, why
}

// initialize starts an environment before the time of the invocation begins. If
// it does not come up, the invocation itself tries once more, as on Lambda.
func (c *call) initialize() reason {
	began := time.Now()
	timer := time.NewTimer(initTimeout)
	defer timer.Stop()
	_, why := c.bringUp(timer.C)
	switch took := time.Since(began); why {
	case fine:
		c.init = took
	case crashed, late:
		c.service.logs.initFailed(c.cfg, c.stream, took, why)
	}
	return why
}

// bringUp starts an environment and waits until it can be used. It leaves none
// behind that cannot.
func (c *call) bringUp(within <-chan time.Time) (*Output, reason) {
	c.refresh()
	env, err := c.service.start(c.function, c.cfg, c.stream)
	for err != nil && c.refresh() {
		env, err = c.service.start(c.function, c.cfg, c.stream)
	}
	if err != nil {
		c.service.opts.Log.Error("function not started", "function", c.cfg.Name, "error", err)
		c.crash = notStarted(c.inv.id, err)
		return c.crash.output(), crashed
	}
	why := env.awaitInit(within)
	if why == fine {
		c.env = env
		return nil, fine
	}
	env.stop()
	c.peak = env.proc.PeakMemory()
	switch why {
	case crashed:
		c.crash = exited(c.inv.id, env.proc.Wait())
		if said := env.api.initOutcome(); said != nil {
			return said, crashed
		}
		return c.crash.output(), crashed
	case late:
		return timedOut(c.inv.id, c.cfg.Timeout).output(), late
	}
	return nil, why
}

// refresh takes over a configuration that was put since, and returns false if there
// is none. The bootstrap of the one before may be gone by now.
func (c *call) refresh() bool {
	c.service.mu.Lock()
	defer c.service.mu.Unlock()
	now := c.function.cfg
	if now == nil || now == c.cfg {
		return false
	}
	c.cfg = now
	return true
}

// attempt has an environment do the invocation. One that ended while it waited for
// work, unnoticed, is replaced: nothing has happened yet.
func (c *call) attempt(within <-chan time.Time) (*Output, reason) {
	for {
		if c.env == nil {
			if output, why := c.bringUp(within); why != fine {
				return output, why
			}
		}
		output, why := c.env.invoke(c.inv, within)
		switch {
		case why == crashed:
			c.crash = exited(c.inv.id, c.env.proc.Wait())
			if output == nil {
				output = c.crash.output()
			}
		case why == late && output == nil:
			output = timedOut(c.inv.id, c.cfg.Timeout).output()
		}
		if why != unheard {
			return output, why
		}
		c.env.stop()
		c.env = nil
	}
}
