package lambda

import (
	"context"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"example.com/chatstack/local/process"
)

// shutdownGrace is what a process gets between SIGTERM and SIGKILL, and after it
// has reported that its initialization failed.
const shutdownGrace = 500 * time.Millisecond

// An instance is one process of a bootstrap and what serves it the Runtime API.
type instance struct {
	api  *runtimeAPI
	proc *process.Process
	// gone is closed when the process has ended and nothing serves it any more.
	gone chan struct{}
}

// startInstance starts a process in an environment.
func (s *Service) startInstance(e *environment) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &instance{api: newRuntimeAPI(e.cfg), gone: make(chan struct{})}
	i.proc, err = process.Start(context.Background(), process.Options{
		Path:   e.cfg.Bootstrap,
		Env:    variables(e.cfg, e.stream, e.dir, listener.Addr().String()),
		Dir:    filepath.Dir(e.cfg.Bootstrap),
		Stdout: func(line string) { s.logs.line(e.cfg, e.stream, line) },
	})
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	server := i.api.server(s.opts.Log)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends when it is closed below
	}()
	s.work.Go(func() {
		<-i.proc.Done()
		_ = server.Close()
		<-served
		close(i.gone)
	})
	return i, nil
}

// alive says whether the process still runs.
func (i *instance) alive() bool {
	select {
	case <-i.proc.Done():
		return false
	default:
		return true
	}
}

// stop ends the process as Lambda does, frozen or not, and returns when nothing is
// left of it.
func (i *instance) stop() {
	if i.api.wantsSIGTERM() && i.proc.Signal(syscall.SIGTERM) == nil {
		i.proc.Thaw()
		i.exitWithin(shutdownGrace)
	}
	i.proc.Kill()
	<-i.gone
}

// exitWithin waits for the process to exit, but no longer than it is given.
func (i *instance) exitWithin(grace time.Duration) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-i.proc.Done():
	case <-timer.C:
	}
}
