package lambda

import (
	"strings"
	"testing"
	"time"
)

func TestMemoryIsReportedForEachInvocation(t *testing.T) {
	f := newFixture(t, Options{})
	before := f.do("echo").Report
	after := f.do("allocate", "size", 64<<20).Report
	if before.MemoryMB != 128 || before.MaxMemoryUsedMB < 1 || before.MaxMemoryUsedMB > 63 || after.MaxMemoryUsedMB < 64 || after.MaxMemoryUsedMB > 128 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if log := f.logs.String(); !strings.Contains(log, "Memory Size: 128 MB\tMax Memory Used: ") {
		t.Errorf("log:\n%s", log)
	}
}

func TestMoreMemoryThanTheFunctionHasKillsIt(t *testing.T) {
	check := func(t *testing.T, f *fixture, out Output) {
		t.Helper()
		got := errorOf(t, out)
		if got.Type != "Runtime.OutOfMemory" || !strings.HasSuffix(got.Message, " Error: Runtime exited with error: signal: killed") {
			t.Errorf("%+v", got)
		}
		log := f.logs.String()
		if !strings.Contains(log, " Error: Runtime exited with error: signal: killed\nRuntime.OutOfMemory\nEND") ||
			!strings.Contains(log, "Memory Size: 128 MB\tMax Memory Used: 128 MB") ||
			!strings.Contains(log, "\tStatus: error\tError Type: Runtime.OutOfMemory") {
			t.Errorf("log:\n%s", log)
		}
	}
	t.Run("while it runs", func(t *testing.T) {
		f := newFixture(t, Options{}, func(cfg *Config) { cfg.Timeout = MaxTimeout })
		check(t, f, f.do("allocate", "size", 256<<20, "duration", time.Hour))
		f.pid() // and the next one works
	})
	t.Run("also if it comes to answer", func(t *testing.T) {
		f := newFixture(t, Options{})
		pid := f.pid()
		check(t, f, f.do("allocate", "size", 256<<20))
		if f.pid() == pid {
			t.Error("the process was kept")
		}
	})
	t.Run("while it comes up", func(t *testing.T) {
		f := newFixture(t, Options{}, mode("allocates"))
		check(t, f, f.do("echo"))
		if log := f.logs.String(); strings.Count(log, "INIT_REPORT") != 2 || !strings.Contains(log, "\tPhase: init\tStatus: error\tError Type: Runtime.OutOfMemory") {
			t.Errorf("log:\n%s", log)
		}
	})
	t.Run("but not if it has enough", func(t *testing.T) {
		f := newFixture(t, Options{}, func(cfg *Config) { cfg.MemoryMB = 512 })
		if out := f.do("allocate", "size", 256<<20); out.FunctionError != "" {
			t.Errorf("%s", out.Payload)
		}
	})
}
