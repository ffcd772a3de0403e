package lambda

import "fmt"

// minUnreserved is how much concurrency reservations must leave to the functions
// that have none.
const minUnreserved = 100

// hasRoom says whether a function may run once more. What is reserved for one is
// no other's, used or not. s.mu is held.
func (s *Service) hasRoom(f *function) bool {
	if own := f.cfg.ReservedConcurrency; own != NoReservedConcurrency {
		return f.busy < own
	}
	running, room := s.running, s.opts.Concurrency
	for _, other := range s.functions {
		if own := other.cfg.ReservedConcurrency; own != NoReservedConcurrency {
			running -= other.busy
			room -= own
		}
	}
	return running < room
}

// checkReservation says why a function cannot have the concurrency that it is to
// have for itself. s.mu is held.
func (s *Service) checkReservation(cfg *Config) error {
	if cfg.ReservedConcurrency <= 0 {
		return nil
	}
	left := s.opts.Concurrency - cfg.ReservedConcurrency
	for name, other := range s.functions {
		if own := other.cfg.ReservedConcurrency; name != cfg.Name && own != NoReservedConcurrency {
			left -= own
		}
	}
	if left < minUnreserved {
		return fmt.Errorf("function %s: specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d]", cfg.Name, minUnreserved)
	}
	return nil
}
