//go:build unix && !linux

package process

import (
	"runtime"
	"syscall"
)

// maxRSSUnit is the unit in which the kernel counts memory, in bytes: macOS alone
// counts bytes.
func maxRSSUnit() int64 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 1 << 10
}

// attributes let the child lead a group of its own. Nothing here kills it when
// we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// pin has nothing to do: a child is not tied to the thread that started it.
func pin() (unpin func()) { return func() {} }

// reap waits until the process has exited, then ends its group. There is a moment
// between the two in which the id is nobody's.
func (p *Process) reap() error {
	err := p.cmd.Wait()
	p.endGroup()
	return err
}
