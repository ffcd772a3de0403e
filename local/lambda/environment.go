package lambda

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"example.com/chatstack/local/process"
)

const (
	// initTimeout is how long a process may take before it first asks for an
	// invocation; then it is started again, in the time of the invocation that
	// needs it.
	initTimeout = 10 * time.Second
	// shutdownGrace is what a process gets between SIGTERM and SIGKILL.
	shutdownGrace = 500 * time.Millisecond
	// maxHeaderBytes of a runtime's request. The description of an error for
	// X-Ray may be 1 MiB alone, which is Go's limit for all headers.
	maxHeaderBytes = 4 << 20
)

// An environment is an execution environment: a process and what serves it.
type environment struct {
	function *function
	cfg      *Config
	stream   string // its log stream

	api  *runtimeAPI
	proc *process.Process

	idleSince time.Time // guarded by Service.mu
	// gone is closed when nothing is left of it.
	gone chan struct{}
}

// start starts a process for a function. When the process ends, whatever the
// reason, so does the environment.
func (s *Service) start(f *function, cfg *Config, stream string) (*environment, error) {
	dir, err := s.temporaryDir(cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("temporary directory of function %s: %w", cfg.Name, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("runtime API of function %s: %w", cfg.Name, err)
	}
	e := &environment{
		function: f,
		cfg:      cfg,
		stream:   stream,
		api:      newRuntimeAPI(cfg),
		gone:     make(chan struct{}),
	}
	e.proc, err = process.Start(context.Background(), process.Options{
		Path:   cfg.Bootstrap,
		Env:    variables(cfg, stream, dir, listener.Addr().String()),
		Dir:    filepath.Dir(cfg.Bootstrap),
		Stdout: func(line string) { s.logs.line(cfg, stream, line) },
	})
	if err != nil {
		_ = listener.Close()
		_ = os.RemoveAll(dir)
		return nil, err
	}
	server := &http.Server{
		Handler:        e.api.handler(),
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends when it is closed below
	}()
	s.work.Go(func() {
		<-e.proc.Done()
		_ = server.Close()
		<-served
		if err := os.RemoveAll(dir); err != nil {
			s.opts.Log.Warn("temporary directory left behind", "function", cfg.Name, "error", err)
		}
		s.forget(e)
		close(e.gone)
	})
	return e, nil
}

// temporaryDir makes a directory for one process.
func (s *Service) temporaryDir(function string) (string, error) {
	if s.opts.Dir != "" {
		if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(s.opts.Dir, function+"-")
}

// awaitInit waits until the process asks for its first invocation, and returns
// fine then.
func (e *environment) awaitInit(within <-chan time.Time) reason {
	select {
	case <-e.api.initialized:
		e.proc.Flush() // what it wrote while it came up is before what follows
		return fine
	case <-e.proc.Done():
		return crashed
	case <-within:
		return late
	case <-e.function.service.closing:
		return closing
	}
}

// A reason is why an invocation, or an initialization, is over.
type reason int

const (
	fine    reason = iota // answered, and ready for more
	crashed               // the process has exited, before or after it answered
	late                  // the time was over, before or after it answered
	unheard               // the process has exited without having been told
	closing               // the service is being closed
)

// invoke has the process do one invocation. The output is what it answered, also
// if it crashed or was late after that, or nil.
func (e *environment) invoke(inv *invocation, within <-chan time.Time) (*Output, reason) {
	e.api.offer(inv)
	why := fine
	select {
	case <-inv.finished:
	case <-e.proc.Done():
		why = crashed
		if e.api.withdraw() {
			why = unheard
		}
	case <-within:
		why = late
	case <-e.function.service.closing:
		why = closing
	}
	e.proc.Flush() // what it wrote is before what we write of its end
	return e.api.outcome(inv), why
}

// alive says whether the process still runs.
func (e *environment) alive() bool {
	select {
	case <-e.proc.Done():
		return false
	default:
		return true
	}
}

// stop ends the process as Lambda does, and returns when nothing is left of it.
func (e *environment) stop() {
	if e.api.wantsSIGTERM() && e.proc.Signal(syscall.SIGTERM) == nil {
		grace := time.NewTimer(shutdownGrace)
		defer grace.Stop()
		select {
		case <-e.proc.Done():
		case <-grace.C:
		}
	}
	e.proc.Kill()
	<-e.gone
}
