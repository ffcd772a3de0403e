package lambda

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A heartbeat is a file that grows as long as something runs.
type heartbeat string

func newHeartbeat(t *testing.T) heartbeat {
	return heartbeat(filepath.Join(t.TempDir(), "heartbeat"))
}

func (h heartbeat) beats() int {
	info, err := os.Stat(string(h))
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// stopped waits until it stands still, for which a process may need a moment, and
// returns how far it has come.
func (h heartbeat) stopped(t *testing.T) int {
	t.Helper()
	before := -1
	waitFor(t, "it stands still", func() bool {
		now := h.beats()
		still := now == before
		before = now
		time.Sleep(50 * time.Millisecond)
		return still
	})
	return before
}

func TestLeakStandsStillUntilTheNextInvocation(t *testing.T) {
	for _, leak := range []string{"leak", "leak a process"} {
		t.Run(leak, func(t *testing.T) {
			f := newFixture(t, Options{})
			h := newHeartbeat(t)
			var pid, again int
			f.value(&pid, leak, "text", string(h))
			for range 3 {
				idle := h.stopped(t)
				time.Sleep(100 * time.Millisecond) // a hundred beats
				if n := h.beats(); n != idle {
					t.Fatalf("%d beats while nothing is invoked", n-idle)
				}
				f.value(&again, "wait for growth", "text", string(h), "size", idle)
				if again != pid {
					t.Fatal("another process")
				}
			}
		})
	}
}

func TestFrozenProcessEndsWithTheService(t *testing.T) {
	f := newFixture(t, Options{})
	h := newHeartbeat(t)
	f.do("leak a process", "text", string(h))
	f.Close()
	h.stopped(t) // and its child with it
}
