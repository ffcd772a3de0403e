package process

import (
	"syscall"
	"testing"
	"time"
)

// count is how many lines have come.
func (l lines) count() int { return len(l) }

// silent waits until nothing more comes, for which a stopped process may need a
// moment, and returns how many lines have.
func (l lines) silent(t *testing.T) int {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for before := -1; ; {
		now := l.count()
		if now == before {
			return now
		}
		if before = now; time.Now().After(deadline) {
			t.Fatal("it never falls silent")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestFrozenProcessDoesNothingUntilThawed(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"heartbeat", "parent of a heartbeat"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			got := make(lines, 1<<20)
			p := start(t, child(role, got.add))
			got.next(t)
			p.Freeze()
			so := got.silent(t)
			time.Sleep(100 * time.Millisecond) // a hundred beats
			if n := got.count(); n != so {
				t.Fatalf("%d lines while it is frozen", n-so)
			}
			p.Thaw()
			for range so + 1 {
				got.next(t)
			}
		})
	}
}

func TestFrozenProcessCanBeKilled(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("deaf", got.add))
	got.next(t)
	p.Freeze()
	p.Kill()
	if err := p.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("Wait: %v", err)
	}
	p.Freeze() // does nothing any more
	p.Thaw()
}

func TestFrozenProcessIsThawedToStop(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("polite", got.add))
	got.next(t)
	p.Freeze()
	if err := p.Stop(time.Minute); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if line := got.next(t); line != "goodbye" {
		t.Errorf("wrote %q", line)
	}
}

// Also where the kernel does not kill the children of a process that is killed.
func TestFrozenChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("parent that freezes", got.add))
	pid := got.nextPID(t)
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}
