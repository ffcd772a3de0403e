package process

import "syscall"

// Freeze stops the process and its group where they stand, until Thaw. What they
// do meanwhile is nothing: no timer of theirs fires and no connection is read. A
// frozen process can be killed, also by Kill and by the end of Start's context,
// and does not outlive us; any other signal waits for Thaw. It does nothing to a
// process that has exited.
//
// What a process started and put in a group of its own goes on.
func (p *Process) Freeze() { p.signalGroup(syscall.SIGSTOP) }

// Thaw lets a frozen process and its group go on. It does nothing to others.
func (p *Process) Thaw() { p.signalGroup(syscall.SIGCONT) }

// signalGroup sends sig to the process and its group, if it has not exited.
func (p *Process) signalGroup(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		// ESRCH says that none is left, and there is nothing more to do then.
		_ = syscall.Kill(-p.cmd.Process.Pid, sig)
	}
}
