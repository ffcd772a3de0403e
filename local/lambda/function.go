package lambda

// A function is a name's configuration and its environments that wait for work.
// Its fields are guarded by Service.mu.
type function struct {
	service *Service

	cfg  *Config        // nil once deleted
	idle []*environment // the one used last at the end
	busy int            // invocations

	stopReaper func() bool // of the timer for the first in idle, if there is one
}

// admit lets an invocation in, or says why not. One that is let in has been added
// to s.work.
func (s *Service) admit(name string, payload []byte) (*call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	f := s.functions[name]
	if f == nil {
		return nil, ErrNotFound
	}
	if !s.hasRoom(f) {
		return nil, ErrThrottled
	}
	s.work.Add(1)
	s.running++
	f.busy++
	return newCall(f, f.takeIdle(), payload), nil
}

// takeIdle returns the environment used last, or nil if none is free.
func (f *function) takeIdle() *environment {
	if len(f.idle) == 0 {
		return nil
	}
	last := len(f.idle) - 1
	e := f.idle[last]
	f.idle = f.idle[:last]
	return e
}

// dismiss ends an invocation, and keeps its environment for another if the
// function has not changed.
func (s *Service) dismiss(f *function, e *environment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	f.busy--
	if s.closed || f.cfg != e.cfg {
		s.work.Go(e.end)
		return
	}
	e.idleSince = s.opts.Clock.Now()
	f.idle = append(f.idle, e)
	f.scheduleReaper()
}

// stopIdle ends all that wait for work.
func (f *function) stopIdle() {
	if f.stopReaper != nil {
		f.stopReaper()
		f.stopReaper = nil
	}
	for _, e := range f.idle {
		f.service.work.Go(e.end)
	}
	f.idle = nil
}

// scheduleReaper sees to it that environments do not wait for work for ever. The
// one used last does: the next event then finds the function warm.
func (f *function) scheduleReaper() {
	if f.stopReaper != nil || len(f.idle) < 2 {
		return
	}
	s := f.service
	wait := s.opts.Idle - s.opts.Clock.Since(f.idle[0].idleSince)
	f.stopReaper = s.opts.Clock.AfterFunc(wait, func() { s.reap(f) })
}

// reap ends what has waited too long.
func (s *Service) reap(f *function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.stopReaper = nil
	if s.closed || f.cfg == nil {
		return
	}
	for len(f.idle) > 1 && s.opts.Clock.Since(f.idle[0].idleSince) >= s.opts.Idle {
		s.work.Go(f.idle[0].end)
		f.idle = f.idle[1:]
	}
	f.scheduleReaper()
}
