package lambda

import "time"

// A fault has the process of an invocation killed.
type fault struct{ after time.Duration }

// askFault asks whether the invocation of a function is to have a fault.
func (s *Service) askFault(function string) *fault {
	if s.opts.KillFault == nil {
		return nil
	}
	after, kill := s.opts.KillFault(function)
	if !kill {
		return nil
	}
	return &fault{after}
}

// strike kills the process when it has had an invocation for after, unless the
// invocation is over by then: what is returned is called at that moment, and says
// whether the process was killed.
func (e *environment) strike(inv *invocation, after time.Duration) (struck func() bool) {
	over, result := make(chan struct{}), make(chan bool, 1)
	proc := e.instance.proc
	go func() {
		select {
		case <-inv.delivered:
		case <-over:
		}
		due := isClosed(inv.delivered) && (after <= 0 || passes(after, over))
		if due {
			proc.Kill()
		}
		result <- due
	}()
	return func() bool {
		close(over)
		return <-result
	}
}

// passes waits for d, and says whether it has passed before over was closed.
func passes(d time.Duration, over <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
