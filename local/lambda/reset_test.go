package lambda

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestTemporaryDirectorySurvivesAReset(t *testing.T) {
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.Timeout = time.Second })
	var dir string
	f.value(&dir, "write temporary", "text", "mine")
	pid := f.pid()
	for _, end := range []string{"crash", "timeout", "panic"} {
		switch end {
		case "crash":
			f.do("exit", "text", "1")
		case "timeout":
			f.do("sleep", "duration", time.Minute)
		case "panic":
			f.do("panic")
		}
		var kept string
		if f.value(&kept, "read temporary"); kept != "mine" {
			t.Errorf("after a %s there is %q", end, kept)
		}
		if now := f.pid(); now == pid {
			t.Errorf("after a %s the process is the same", end)
		} else {
			pid = now
		}
	}
	// A new configuration is a new environment.
	f.put()
	var kept string
	if f.value(&kept, "read temporary"); kept != "" {
		t.Errorf("in a new environment there is %q", kept)
	}
	waitFor(t, "the directory is gone", func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	})
}

// After a crash Lambda lets the environment come up in the time of the invocation
// that needs it: no init is reported, and the function's timeout holds for both.
func TestResetComesUpInTheTimeOfTheInvocation(t *testing.T) {
	f := newFixture(t, Options{}, mode("comes up late", "WAIT", "1s"))
	if r := f.do("echo").Report; r.InitDuration < time.Second || r.Duration > r.InitDuration {
		t.Errorf("a new environment: %+v", r)
	}
	f.do("exit", "text", "1")
	if r := f.do("echo").Report; r.InitDuration != 0 || r.Duration < time.Second {
		t.Errorf("after a crash: %+v", r)
	}
	if r := f.do("echo").Report; r.InitDuration != 0 || r.Duration > time.Second {
		t.Errorf("and then: %+v", r)
	}
}

func TestResetThatNeedsMoreThanTheTimeoutNeverComesUp(t *testing.T) {
	f := newFixture(t, Options{}, mode("comes up late", "WAIT", "1500ms"), func(cfg *Config) { cfg.Timeout = time.Second })
	f.pid() // the first time there are ten seconds
	f.do("exit", "text", "1")
	for range 2 {
		if got := errorOf(t, f.do("echo")); got.Type != "Sandbox.Timedout" {
			t.Errorf("%+v", got)
		}
	}
	if log := f.logs.String(); strings.Count(log, "\tPhase: invoke\tStatus: timeout\nSTART") != 2 {
		t.Errorf("log:\n%s", log)
	}
}

func TestAnswerCountsAlsoIfTheProcessThenEnds(t *testing.T) {
	for _, how := range []string{"answers and exits", "answers and lingers"} {
		t.Run(how, func(t *testing.T) {
			f := newFixture(t, Options{}, mode(how), func(cfg *Config) { cfg.Timeout = time.Second })
			for range 2 {
				if out := f.do("echo"); string(out.Payload) != `"answered"` || out.FunctionError != "" {
					t.Errorf("%s %s", out.Payload, out.FunctionError)
				}
			}
			want := "\tStatus: error\tError Type: Runtime.ExitError"
			if how == "answers and lingers" {
				want = "\tStatus: timeout" // it is not finished before it asks for more
			}
			if log := f.logs.String(); strings.Count(log, want) != 2 {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}
