package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.com/chatstack/local/clock"
)

// Options are what a Service works with. The zero value works.
type Options struct {
	// Logs takes what functions write; nil discards it.
	Logs LogSink
	// Log takes what the service itself has to say; nil discards it.
	Log *slog.Logger
	// Clock decides when an unused environment is stopped; nil means a new one.
	// The time in which a function runs is not the clock's: timeouts and
	// deadlines are those of this machine, since its processes know no other.
	Clock *clock.Clock
	// Dir is where each environment gets a temporary directory of its own,
	// removed at its end; it is made where needed, and empty means the system's.
	// What is in it when the service begins was left by one that was killed.
	Dir string
	// Concurrency is how many invocations may run at once, of all functions
	// together; 0 means 1,000, as in an AWS account. What functions reserve for
	// themselves is taken from it, used or not.
	Concurrency int
	// Idle is how long an environment that is not the last of its function may
	// stay unused; 0 means 10 minutes. AWS states no time.
	Idle time.Duration
	// KillFault is asked about each invocation once, when it has its process. If
	// kill is true the process gets SIGKILL as soon as it has had the event for
	// after, unless the invocation is over by then; 0 means at once. What comes
	// of it is what comes of a crash. Nil means none. It must not wait.
	KillFault func(function string) (after time.Duration, kill bool)
}

// A Service runs functions. Its methods may be called from many goroutines at once.
type Service struct {
	opts Options
	logs logger

	closing chan struct{}  // closed by Close
	work    sync.WaitGroup // invocations and environments

	mu        sync.Mutex
	closed    bool
	functions map[string]*function
	running   int
}

// New returns a service without functions. Close it when done.
func New(opts Options) *Service {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Clock == nil {
		opts.Clock = &clock.Clock{}
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = 1000
	}
	if opts.Idle == 0 {
		opts.Idle = 10 * time.Minute
	}
	return &Service{
		opts:      opts,
		logs:      logger{opts.Logs},
		closing:   make(chan struct{}),
		functions: map[string]*function{},
	}
}

// Put creates a function or replaces its configuration. Invocations that begin
// after it use the new configuration; those that run finish on the process they
// have, which is stopped then. A configuration that AWS or this machine would not
// take is refused and changes nothing.
func (s *Service) Put(config Config) error {
	cfg := config.withDefaults()
	if err := cfg.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("put function %s: %w", cfg.Name, ErrClosed)
	}
	if err := s.checkReservation(cfg); err != nil {
		return err
	}
	f := s.functions[cfg.Name]
	if f == nil {
		f = &function{service: s}
		s.functions[cfg.Name] = f
	}
	f.cfg = cfg
	f.stopIdle()
	return nil
}

// Delete removes a function, if there is one. Its invocations that run finish.
func (s *Service) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.functions[name]; f != nil {
		delete(s.functions, name)
		f.cfg = nil
		f.stopIdle()
	}
}

// Invoke runs a function synchronously. Its error says that the service did not
// run it, or that ctx has ended; what goes wrong in the function is in the Output.
//
// The end of ctx does not end the invocation, only the waiting for it: as on AWS,
// where a gateway gives up at its integration timeout, the function goes on until
// it is done or its own timeout is over, and has all of its effects.
func (s *Service) Invoke(ctx context.Context, name string, payload []byte) (Output, error) {
	out, err := s.invoke(ctx, name, payload)
	if err != nil {
		return Output{}, fmt.Errorf("invoke function %s: %w", name, err)
	}
	return out, nil
}

func (s *Service) invoke(ctx context.Context, name string, payload []byte) (Output, error) {
	switch {
	case ctx.Err() != nil:
		return Output{}, ctx.Err()
	case len(payload) > MaxPayload:
		return Output{}, ErrPayloadTooLarge
	case !json.Valid(payload):
		return Output{}, ErrInvalidPayload
	}
	call, err := s.admit(name, payload)
	if err != nil {
		return Output{}, err
	}
	type result struct {
		out *Output
		err error
	}
	results := make(chan result, 1)
	go func() {
		defer s.work.Done()
		out, err := call.run()
		results <- result{out, err}
	}()
	select {
	case r := <-results:
		if r.err != nil {
			return Output{}, r.err
		}
		return *r.out, nil
	case <-ctx.Done():
		return Output{}, fmt.Errorf("no longer waited for: %w", ctx.Err())
	}
}

// Close stops every process, ends the invocations that run with ErrClosed, and
// returns when nothing is left.
func (s *Service) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
		for _, f := range s.functions {
			f.stopIdle()
		}
	}
	s.mu.Unlock()
	s.work.Wait()
}
