package lambda

import (
	"time"

	"example.com/chatstack/internal/uuid"
)

// A call is an invocation on its way through the service.
type call struct {
	service  *Service
	function *function
	inv      *invocation

	env     *environment  // that it has
	cold    bool          // its environment is a new one
	init    time.Duration // that a new environment took to come up
	started bool          // the START line is written
	fault   *fault        // that it is to have, or nil
	crash   *failure      // of the last process that ended unasked
	peak    int64         // bytes of memory that the last process had in use
}

func newCall(f *function, e *environment, payload []byte) *call {
	c := &call{
		service:  f.service,
		function: f,
		inv:      newInvocation(uuid.New(), newTraceID(time.Now()), payload),
		env:      e,
	}
	if e == nil {
		c.env, c.cold = f.newEnvironment(), true
	}
	return c
}

// run takes the invocation to its end. It returns an error only if the service is
// closed meanwhile.
func (c *call) run() (*Output, error) {
	output, why := c.perform()
	if why == fine {
		c.env.freeze()
	} else {
		c.env.reset()
	}
	c.service.dismiss(c.function, c.env)
	if why == closing {
		return nil, ErrClosed
	}
	return output, nil
}

// perform leaves in c.env the environment that it used.
func (c *call) perform() (*Output, reason) {
	if c.cold && c.initialize() == closing {
		return nil, closing
	}
	began := time.Now()
	c.inv.deadline = began.Add(c.env.cfg.Timeout)
	timer := time.NewTimer(c.env.cfg.Timeout)
	defer timer.Stop()

	output, why := c.attempt(timer.C)
	if why == closing {
		return nil, closing
	}
	return c.conclude(output, why, time.Since(began)), why
}

// conclude writes the last lines of an invocation, and completes its output.
func (c *call) conclude(output *Output, why reason, took time.Duration) *Output {
	c.start()
	cfg, logs := c.env.cfg, c.service.logs
	switch why {
	case crashed, exhausted:
		logs.line(cfg, c.env.stream, c.crash.Message)
		logs.line(cfg, c.env.stream, c.crash.Type)
	case late:
		took = cfg.Timeout
		logs.linef(cfg, c.env.stream, "%s %s Task timed out after %.2f seconds",
			time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), c.inv.id, cfg.Timeout.Seconds())
	}
	output.Report = newReport(c.inv.id, cfg.MemoryMB, took, c.init, c.peak)
	logs.end(cfg, c.env.stream, output.Report, why)
	return output
}

// start writes the first line of the invocation, once.
func (c *call) start() {
	if !c.started {
		c.started = true
		c.service.logs.linef(c.env.cfg, c.env.stream, "START RequestId: %s Version: %s", c.inv.id, version)
	}
}

// initialize lets an environment come up before the time of the invocation begins.
// If it does not, the invocation itself tries once more, as on Lambda.
func (c *call) initialize() reason {
	began := time.Now()
	timer := time.NewTimer(initTimeout)
	defer timer.Stop()
	_, why := c.bringUp(timer.C)
	switch took := time.Since(began); why {
	case fine:
		c.init = took
	case closing:
	default:
		c.service.logs.initFailed(c.env.cfg, c.env.stream, took, "init", why)
	}
	return why
}

// bringUp lets the environment come up. It leaves no process in it that cannot be
// used.
func (c *call) bringUp(within <-chan time.Time) (*Output, reason) {
	c.refresh()
	err := c.env.start()
	for err != nil && c.refresh() {
		err = c.env.start()
	}
	if err != nil {
		c.service.opts.Log.Error("function not started", "function", c.env.cfg.Name, "error", err)
		c.crash = notStarted(c.inv.id, err)
		return c.crash.output(), crashed
	}
	said, why := c.env.awaitInit(within)
	output := c.explain(said, why)
	if why != fine {
		c.env.reset()
	}
	return output, why
}

// refresh moves to a new environment if the function's configuration was replaced
// since, and says whether it did. The bootstrap of the one before may be gone by
// now.
func (c *call) refresh() bool {
	c.service.mu.Lock()
	f := c.function
	same := f.cfg == nil || f.cfg == c.env.cfg
	var another *environment
	if !same {
		another = f.newEnvironment()
	}
	c.service.mu.Unlock()
	if same {
		return false
	}
	c.env.end()
	c.env = another
	return true
}

// attempt has the environment do the invocation. A process that was reset comes up
// in the time of the invocation. So does one that ended while it waited for work,
// unnoticed: nothing has happened yet.
func (c *call) attempt(within <-chan time.Time) (*Output, reason) {
	for asked := false; ; asked = true {
		if !c.env.running() {
			c.env.reset()
			began := time.Now()
			if output, why := c.bringUp(within); why != fine {
				if why != closing {
					c.service.logs.initFailed(c.env.cfg, c.env.stream, time.Since(began), "invoke", why)
				}
				return output, why
			}
		}
		c.start()
		if !asked {
			c.fault = c.service.askFault(c.env.cfg.Name)
		}
		output, why := c.env.invoke(c.inv, within, c.fault)
		if why != unheard {
			return c.explain(output, why), why
		}
	}
}

// explain notes what became of the process, and returns the output if there is one,
// or else what Lambda says in place of it.
func (c *call) explain(output *Output, why reason) *Output {
	proc := c.env.instance.proc
	var instead *failure
	switch why {
	case crashed:
		c.crash = exited(c.inv.id, proc.Wait())
		instead = c.crash
	case exhausted:
		c.crash = outOfMemory(c.inv.id)
		instead = c.crash
	case late:
		instead = timedOut(c.inv.id, c.env.cfg.Timeout)
	}
	c.peak = proc.PeakMemory()
	if why == exhausted {
		c.peak = int64(c.env.cfg.MemoryMB) << 20 // it did not get more on AWS
	}
	if output == nil && instead != nil {
		return instead.output()
	}
	return output
}
