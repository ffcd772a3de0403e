package lambda

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// killing is a KillFault that strikes as long as it is armed, and counts.
type killing struct {
	after time.Duration
	armed atomic.Bool
	asked atomic.Int32
}

func (k *killing) fault(function string) (time.Duration, bool) {
	if function == "f" {
		k.asked.Add(1)
	}
	return k.after, k.armed.Load()
}

func TestKillFault(t *testing.T) {
	wantKilled := func(t *testing.T, f *fixture, out Output) {
		t.Helper()
		got := errorOf(t, out)
		if got.Type != "Runtime.ExitError" || !strings.HasSuffix(got.Message, " Error: Runtime exited with error: signal: killed") {
			t.Errorf("%+v", got)
		}
		if log := f.logs.String(); !strings.Contains(log, "\tStatus: error\tError Type: Runtime.ExitError") {
			t.Errorf("log:\n%s", log)
		}
	}
	t.Run("at once", func(t *testing.T) {
		k := &killing{}
		f := newFixture(t, Options{KillFault: k.fault})
		pid := f.pid()
		k.armed.Store(true)
		for range 10 {
			wantKilled(t, f, f.do("echo"))
		}
		k.armed.Store(false)
		if f.pid() == pid {
			t.Error("the process was kept")
		}
		if n := k.asked.Load(); n != 12 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		k := &killing{after: 100 * time.Millisecond}
		k.armed.Store(true)
		f := newFixture(t, Options{KillFault: k.fault})
		h := newHeartbeat(t)
		f.do("leak a process", "text", string(h)) // over before it is due
		began := time.Now()
		wantKilled(t, f, f.do("sleep", "duration", time.Hour))
		if took := time.Since(began); took < k.after {
			t.Errorf("killed after %v", took)
		}
		h.stopped(t) // and what it had started
	})
	t.Run("not asked of what does not come up", func(t *testing.T) {
		k := &killing{}
		f := newFixture(t, Options{KillFault: k.fault}, mode("needs a variable"))
		f.do("echo")
		if n := k.asked.Load(); n != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}
