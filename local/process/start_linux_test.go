package process

import (
	"bytes"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("parent by the package", got.add))
	pid := got.nextPID(t)
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

// The kernel takes the end of the thread that started a child for the end of its
// parent. Here the thread of the caller of Start ends.
func TestChildOutlivesTheThreadThatAskedForIt(t *testing.T) {
	t.Parallel()
	got := newLines()
	started := make(chan error)
	var p *Process
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		var err error
		p, err = Start(t.Context(), child("sleep", got.add))
		started <- err
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	got.next(t)
	var threads sync.WaitGroup
	for range 50 {
		threads.Go(runtime.LockOSThread)
	}
	threads.Wait()
	select {
	case <-p.Done():
		t.Errorf("the child has ended: %v", p.Wait())
	default:
	}
	p.Kill()
	<-p.Done()
}

func TestPeakMemory(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("memory", got.add))
	got.next(t)
	const least = 64 << 20
	if n := p.PeakMemory(); n < least || n > 10*least {
		t.Errorf("%d bytes while it runs", n)
	}
	p.Kill()
	<-p.Done()
	if n := p.PeakMemory(); n < least || n > 10*least {
		t.Errorf("%d bytes at its end", n)
	}
}

// On Linux what the kernel counted of a process that has exited begins with what
// its parent had, at the moment at which it was started.
func TestPeakMemoryIsNotThatOfTheParent(t *testing.T) {
	t.Parallel()
	ours := bytes.Repeat([]byte{1}, 256<<20)
	got := newLines()
	p := start(t, child("sleep", got.add))
	got.next(t)
	p.Kill()
	<-p.Done()
	if n := p.PeakMemory(); n == 0 || n >= int64(len(ours)) {
		t.Errorf("%d bytes", n)
	}
	runtime.KeepAlive(ours)
}
