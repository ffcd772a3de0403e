package process

import (
	"errors"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxRSSUnit is the unit in which the kernel counts memory, in bytes.
func maxRSSUnit() int64 { return 1 << 10 }

// attributes let the child lead a group of its own and die with us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// pin keeps the goroutine on its thread until the returned function is called.
// The kernel takes the end of the thread that started a child for the end of its
// parent, and the Go runtime ends threads as it likes. So the goroutine that
// starts a child keeps its thread as long as the child lives; reap blocks one for
// that time in any case.
func pin() (unpin func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// reap waits until the process has exited, ends its group, and only then lets the
// kernel forget it: until that its id is its own and cannot be another group's.
func (p *Process) reap() error {
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break // any other error says that there is nothing to wait for
		}
	}
	p.endGroup()
	return p.cmd.Wait()
}
