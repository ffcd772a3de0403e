package lambda

import (
	"fmt"
	"os"
	"time"
)

// initTimeout is how long a process may take before it first asks for an
// invocation; then it is started again, in the time of the invocation that needs
// it.
const initTimeout = 10 * time.Second

// An environment is an execution environment: a temporary directory, a log stream,
// and one process after the other. It belongs to one invocation, or waits for one.
type environment struct {
	service  *Service
	function *function
	cfg      *Config
	stream   string // its log stream

	dir       string    // its temporary directory; empty until the first process
	instance  *instance // nil before the first process and after a reset
	idleSince time.Time // guarded by Service.mu
}

// newEnvironment needs Service.mu.
func (f *function) newEnvironment() *environment {
	return &environment{service: f.service, function: f, cfg: f.cfg, stream: newStream(time.Now())}
}

// start starts a process.
func (e *environment) start() error {
	if e.dir == "" {
		dir, err := e.service.temporaryDir(e.cfg.Name)
		if err != nil {
			return fmt.Errorf("temporary directory of function %s: %w", e.cfg.Name, err)
		}
		e.dir = dir
	}
	i, err := e.service.startInstance(e)
	if err != nil {
		return fmt.Errorf("process of function %s: %w", e.cfg.Name, err)
	}
	e.instance = i
	return nil
}

// temporaryDir makes a directory for one environment.
func (s *Service) temporaryDir(function string) (string, error) {
	if s.opts.Dir != "" {
		if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(s.opts.Dir, function+"-")
}

// running says whether there is a process to give an invocation to.
func (e *environment) running() bool { return e.instance != nil && e.instance.alive() }

// freeze halts the process until the next invocation: what it left running stands
// still.
func (e *environment) freeze() { e.instance.proc.Freeze() }

// reset ends the process, if there is one. What it left in the temporary directory
// stays for the next.
func (e *environment) reset() {
	if e.instance != nil {
		e.instance.stop()
		e.instance = nil
	}
}

// end leaves nothing of the environment.
func (e *environment) end() {
	e.reset()
	if e.dir == "" {
		return
	}
	if err := os.RemoveAll(e.dir); err != nil {
		e.service.opts.Log.Warn("temporary directory left behind", "function", e.cfg.Name, "error", err)
	}
}

// A reason is why an invocation, or an initialization, is over.
type reason int

const (
	fine      reason = iota // answered, and ready for more
	crashed                 // the process has exited, before or after it answered
	exhausted               // it had more memory in use than the function has
	late                    // the time was over, before or after it answered
	unheard                 // the process has exited without having been told
	closing                 // the service is being closed
)

// awaitInit waits until the process asks for its first invocation, and returns
// fine then. The output is what the process said if it gave up, or nil.
func (e *environment) awaitInit(within <-chan time.Time) (*Output, reason) {
	why := e.watch(e.instance.api.initialized, within)
	said := e.instance.api.initOutcome()
	if said != nil && why == fine {
		e.instance.exitWithin(shutdownGrace) // as a process does that has said it
		e.instance.proc.Kill()
		<-e.instance.proc.Done()
		why = crashed
	}
	e.instance.proc.Flush() // what it wrote while it came up is before what follows
	return said, why
}

// invoke has the process do one invocation. The output is what it answered, also
// if it crashed or was late after that, or nil.
func (e *environment) invoke(inv *invocation, within <-chan time.Time, fault *fault) (*Output, reason) {
	api, proc := e.instance.api, e.instance.proc
	proc.Thaw()
	struck := func() bool { return false }
	if fault != nil {
		struck = e.strike(inv, fault.after)
	}
	api.offer(inv)
	why := e.watch(inv.finished, within)
	killed := struck()
	if killed {
		<-proc.Done()
		why = crashed
	}
	if why == crashed && api.withdraw() {
		why = unheard
	}
	proc.Flush() // what it wrote is before what we write of its end
	if killed || why == exhausted {
		return nil, why // it was not to come to its answer
	}
	return api.outcome(inv), why
}

// watch waits until the process is done with something, and sees to it that it
// keeps within its time and its memory.
func (e *environment) watch(done <-chan struct{}, within <-chan time.Time) reason {
	memory := time.NewTicker(memoryInterval)
	defer memory.Stop()
	for {
		select {
		case <-done:
			if e.exceedsMemory() {
				return exhausted
			}
			return fine
		case <-memory.C:
			if e.exceedsMemory() {
				return exhausted
			}
		case <-e.instance.proc.Done():
			return crashed
		case <-within:
			return late
		case <-e.service.closing:
			return closing
		}
	}
}

// memoryInterval is how often it is looked how much memory a process has in use,
// besides when it is done.
const memoryInterval = 100 * time.Millisecond

// exceedsMemory says whether the process has had more memory in use, at any moment
// of its life, than the function has. It is killed then.
func (e *environment) exceedsMemory() bool {
	proc := e.instance.proc
	if proc.PeakMemory() <= int64(e.cfg.MemoryMB)<<20 {
		return false
	}
	proc.Kill()
	<-proc.Done()
	return true
}
