package lambda

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestInitCrashSaysWhy(t *testing.T) {
	f := newFixture(t, Options{}, mode("needs a variable"))
	got := errorOf(t, f.do("echo"))
	if got.Type != "Runtime.ExitError" || !strings.HasSuffix(got.Message, "Error: Runtime exited with error: exit status 1") {
		t.Errorf("%+v", got)
	}
	log := f.logs.String()
	// Once before the invocation began, and once in it.
	if strings.Count(log, "the environment variable TABLE_NAME is not set") != 2 {
		t.Errorf("log:\n%s", log)
	}
	if !strings.Contains(log, "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError") {
		t.Errorf("log:\n%s", log)
	}
	if !strings.Contains(log, "\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\nSTART") {
		t.Errorf("log:\n%s", log)
	}
	f.put(mode("needs a variable", "TABLE_NAME", "t"))
	f.pid()
}

func TestInitIsTriedOnceMoreInTheInvocation(t *testing.T) {
	f := newFixture(t, Options{}, mode("comes up the second time", "MARK", filepath.Join(t.TempDir(), "mark")))
	f.pid()
	if log := f.logs.String(); strings.Count(log, "the first time") != 1 || strings.Count(log, "REPORT") != 2 {
		t.Errorf("log:\n%s", log)
	}
}

func TestInitMayTakeTenSecondsAndThenTheTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 11 s")
	}
	f := newFixture(t, Options{}, mode("comes up late", "WAIT", "1m"), func(cfg *Config) { cfg.Timeout = time.Second })
	began := time.Now()
	got := errorOf(t, f.do("echo"))
	if took := time.Since(began); got.Type != "Sandbox.Timedout" || took < initTimeout+time.Second {
		t.Errorf("after %v: %+v", took, got)
	}
	log := f.logs.String()
	if !strings.Contains(log, "\tPhase: init\tStatus: timeout\n") || !strings.Contains(log, "\tPhase: invoke\tStatus: timeout\nSTART") || !strings.Contains(log, "Task timed out after 1.00 seconds") {
		t.Errorf("log:\n%s", log)
	}
}

func TestBootstrapThatCannotBeStarted(t *testing.T) {
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.Bootstrap = script })
	got := errorOf(t, f.do("echo"))
	if got.Type != "Runtime.InvalidEntrypoint" || !strings.Contains(got.Message, script) {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(f.logs.String(), script) {
		t.Errorf("log:\n%s", f.logs)
	}
}

// A bootstrap may be a script.
func TestInitErrorThatTheRuntimeReports(t *testing.T) {
	curl := "/usr/bin/curl"
	if _, err := os.Stat(curl); err != nil {
		t.Skip("curl is not installed")
	}
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte(`#!/bin/sh
curl -s -d '{"errorMessage":"no configuration","errorType":"ConfigError"}' "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error"
exit 1
`), 0o700); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.Bootstrap = script })
	if got, want := errorOf(t, f.do("echo")), (failure{"ConfigError", "no configuration"}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestInitErrorEndsTheInitialization(t *testing.T) {
	for name, linger := range map[string]string{"and the process": "", "and a process that stays": "yes"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{}, mode("cannot come up", "LINGER", linger))
			if got, want := errorOf(t, f.do("echo")), (failure{"ConfigError", "no configuration"}); got != want {
				t.Errorf("%+v", got)
			}
			log := f.logs.String()
			if strings.Count(log, "giving up") != 2 || strings.Count(log, "INIT_REPORT") != 2 {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}
