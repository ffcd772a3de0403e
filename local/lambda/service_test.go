package lambda

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInvoke(t *testing.T) {
	f := newFixture(t, Options{})
	if out := f.do("echo", "text", "hello"); string(out.Payload) != `"hello"` || out.FunctionError != "" {
		t.Errorf("%s %s", out.Payload, out.FunctionError)
	}
	if out := f.do("nothing"); string(out.Payload) != "null" {
		t.Errorf("nothing is %s", out.Payload)
	}
}

func TestProcessIsReused(t *testing.T) {
	f := newFixture(t, Options{})
	first := f.pid()
	for range 20 {
		if pid := f.pid(); pid != first {
			t.Fatalf("another process: %d, not %d", pid, first)
		}
	}
}

func TestHandlerErrorKeepsTheProcess(t *testing.T) {
	f := newFixture(t, Options{})
	pid := f.pid()
	got := errorOf(t, f.do("fail", "text", "out of luck"))
	if want := (failure{"errorString", "out of luck"}); got != want {
		t.Errorf("%+v", got)
	}
	if f.pid() != pid {
		t.Error("the process was replaced")
	}
}

func TestPanicIsAnErrorAndEndsTheProcess(t *testing.T) {
	f := newFixture(t, Options{})
	pid := f.pid()
	out := f.do("panic", "text", "oh no")
	if got := errorOf(t, out); got.Message != "oh no" || got.Type != "string" || !bytes.Contains(out.Payload, []byte("stackTrace")) {
		t.Errorf("%s", out.Payload)
	}
	// The exit that follows must not spoil the next one.
	if f.pid() == pid {
		t.Error("the process was kept")
	}
	if !strings.Contains(f.logs.String(), "Runtime exited with error: exit status 1") {
		t.Errorf("log:\n%s", f.logs)
	}
}

// The library describes a panic for X-Ray in a header that may be almost 1 MiB.
func TestLargeErrorHeaderIsTaken(t *testing.T) {
	f := newFixture(t, Options{})
	if got := errorOf(t, f.do("deep panic", "text", "12345678")); len(got.Message) != 800<<10 {
		t.Errorf("a message of %d bytes", len(got.Message))
	}
}

func TestExitAsOnAWS(t *testing.T) {
	f := newFixture(t, Options{})
	got := errorOf(t, f.do("exit", "text", "3"))
	if got.Type != "Runtime.ExitError" || !strings.HasSuffix(got.Message, " Error: Runtime exited with error: exit status 3") || !strings.HasPrefix(got.Message, "RequestId: ") {
		t.Errorf("%+v", got)
	}
	got = errorOf(t, f.do("exit", "text", "0"))
	if !strings.HasSuffix(got.Message, " Error: Runtime exited without providing a reason") {
		t.Errorf("%+v", got)
	}
	f.pid() // and the next one works
	if log := f.logs.String(); !strings.Contains(log, "Error: Runtime exited with error: exit status 3\nRuntime.ExitError\nEND") {
		t.Errorf("log:\n%s", log)
	}
	if !strings.Contains(f.logs.String(), "leaving") {
		t.Errorf("log:\n%s", f.logs)
	}
}

func TestTimeoutAsOnAWS(t *testing.T) {
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.Timeout = time.Second })
	pid := f.pid()
	got := errorOf(t, f.do("sleep", "duration", time.Minute))
	if got.Type != "Sandbox.Timedout" || !strings.HasSuffix(got.Message, " Error: Task timed out after 1.00 seconds") {
		t.Errorf("%+v", got)
	}
	log := f.logs.String()
	if !strings.Contains(log, " Task timed out after 1.00 seconds\n") || !strings.Contains(log, "Duration: 1000.00 ms\tBilled Duration: 1000 ms") {
		t.Errorf("log:\n%s", log)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("the process still runs")
	}
	if f.pid() == pid {
		t.Error("the process was kept")
	}
}

func TestDeadlineIsTheTimeout(t *testing.T) {
	f := newFixture(t, Options{})
	var left int
	f.value(&left, "deadline")
	if left > 20_000 || left < 10_000 {
		t.Errorf("%d ms left", left)
	}
}

func TestContextAsOnAWS(t *testing.T) {
	f := newFixture(t, Options{})
	var got struct{ ID, ARN, Trace string }
	f.value(&got, "context")
	if len(got.ID) != 36 || got.ARN != testARN || !strings.HasPrefix(got.Trace, "Root=1-") {
		t.Errorf("%+v", got)
	}
}

func TestOneInvocationAProcessAndMoreProcessesWhenBusy(t *testing.T) {
	f := newFixture(t, Options{})
	gate := filepath.Join(t.TempDir(), "gate")
	const n = 5
	var running []<-chan result
	for range n {
		running = append(running, f.begin("wait for file", "text", gate))
	}
	waitFor(t, "all have started", func() bool { return strings.Count(f.logs.String(), "START") == n })
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pids := map[string]bool{}
	for _, r := range running {
		out := <-r
		if out.err != nil {
			t.Fatal(out.err)
		}
		pids[string(out.Payload)] = true
	}
	if len(pids) != n {
		t.Errorf("%d invocations ran in %d processes", n, len(pids))
	}
	first := f.pid()
	for range 5 {
		if f.pid() != first {
			t.Error("not the process used last")
		}
	}
}

func TestManyInvocationsAtOnce(t *testing.T) {
	f := newFixture(t, Options{})
	var running []<-chan result
	for i := range 60 {
		what := []string{"echo", "echo", "fail", "echo", "exit", "panic"}[i%6]
		running = append(running, f.begin(what, "text", "1"))
		if i%8 == 7 {
			<-running[i]
			running[i] = nil
		}
	}
	for i, r := range running {
		if r == nil {
			continue
		}
		out := <-r
		if out.err != nil {
			t.Fatal(out.err)
		}
		if fails := i%6 == 2 || i%6 > 3; fails != (out.FunctionError != "") {
			t.Errorf("invocation %d: %s", i, out.Payload)
		}
	}
}

func TestPutSwapsWithoutLosingAnInvocation(t *testing.T) {
	f := newFixture(t, Options{})
	gate := filepath.Join(t.TempDir(), "gate")
	idle := f.pid()
	running := f.begin("wait for file", "text", gate)
	waitFor(t, "it runs", func() bool { return strings.Count(f.logs.String(), "START") == 2 })
	f.put(mode("", "REVISION", "2"))
	var env []string
	f.value(&env, "environment")
	if !slices.Contains(env, "REVISION=2") {
		t.Error("a new invocation got the old configuration")
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := <-running; out.err != nil || out.FunctionError != "" {
		t.Errorf("the one that ran: %s %v", out.Payload, out.err)
	}
	waitFor(t, "the old process has ended", func() bool { return syscall.Kill(idle, 0) != nil })
}

func TestPutUnderLoadLosesNothing(t *testing.T) {
	f := newFixture(t, Options{})
	stop := make(chan struct{})
	failed := make(chan error, 3)
	for range 3 {
		go func() {
			for {
				select {
				case <-stop:
					failed <- nil
					return
				default:
				}
				out, err := f.Invoke(context.Background(), "f", eventOf("echo"))
				if err == nil && out.FunctionError != "" {
					err = errors.New(string(out.Payload))
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range 20 {
		time.Sleep(20 * time.Millisecond) // let some through between two changes
		f.put()
	}
	close(stop)
	for range 3 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestInvocationThatPutOvertakesUsesTheNewBootstrap(t *testing.T) {
	old := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.Link(bootstrap, old); err != nil {
		t.Skip("no links here: ", err)
	}
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.Bootstrap = old })
	overtaken, err := f.admit("f", eventOf("echo", "text", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	f.put()
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	out, err := overtaken.run()
	f.work.Done()
	if err != nil || string(out.Payload) != `"hello"` {
		t.Errorf("%s %v", out.Payload, err)
	}
}

func TestDelete(t *testing.T) {
	f := newFixture(t, Options{})
	gate := filepath.Join(t.TempDir(), "gate")
	idle := f.begin("wait for file", "text", gate)
	waitFor(t, "it runs", func() bool { return strings.Contains(f.logs.String(), "START") })
	pid := f.pid()
	f.Delete("f")
	f.Delete("f")
	if _, err := f.Invoke(t.Context(), "f", []byte("{}")); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "invoke function f") {
		t.Errorf("Invoke: %v", err)
	}
	waitFor(t, "the idle process has ended", func() bool { return syscall.Kill(pid, 0) != nil })
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := <-idle; out.err != nil || out.FunctionError != "" {
		t.Errorf("the one that ran: %s %v", out.Payload, out.err)
	}
}

func TestReservedConcurrency(t *testing.T) {
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.ReservedConcurrency = 1 })
	gate := filepath.Join(t.TempDir(), "gate")
	running := f.begin("wait for file", "text", gate)
	waitFor(t, "it runs", func() bool { return strings.Contains(f.logs.String(), "START") })
	if _, err := f.Invoke(t.Context(), "f", []byte("{}")); !errors.Is(err, ErrThrottled) {
		t.Errorf("the second: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-running
	f.pid()
	f.put(func(cfg *Config) { cfg.ReservedConcurrency = 0 })
	if _, err := f.Invoke(t.Context(), "f", []byte("{}")); !errors.Is(err, ErrThrottled) {
		t.Errorf("with none: %v", err)
	}
}

func TestReservedConcurrencyIsTakenFromTheOthers(t *testing.T) {
	f := newFixture(t, Options{Concurrency: 101})
	if err := f.Put(config(func(cfg *Config) { cfg.Name, cfg.ReservedConcurrency = "g", 2 })); err == nil || !strings.Contains(err.Error(), "below its minimum value of [100]") {
		t.Errorf("two reserved of 101: %v", err)
	}
	if err := f.Put(config(func(cfg *Config) { cfg.Name, cfg.ReservedConcurrency = "g", 1 })); err != nil {
		t.Error(err)
	}
	if err := f.Put(config(func(cfg *Config) { cfg.Name, cfg.ReservedConcurrency = "h", 0 })); err != nil {
		t.Error(err)
	}
	// admit is how often a function is let in, at most n times.
	admit := func(name string, n int) (admitted int) {
		for range n {
			call, err := f.admit(name, []byte("{}"))
			if err != nil {
				return admitted
			}
			admitted++
			t.Cleanup(func() {
				f.dismiss(call.function, call.env)
				f.work.Done()
			})
		}
		return admitted
	}
	if n := admit("f", 50); n != 50 {
		t.Errorf("%d of the function without a reservation", n)
	}
	if n := admit("g", 2); n != 1 {
		t.Errorf("%d of the function with a reservation of 1", n)
	}
	if n := admit("h", 1); n != 0 {
		t.Errorf("%d of the function with a reservation of 0", n)
	}
	if n := admit("f", 51); n != 50 {
		t.Errorf("%d more of the function without a reservation", n)
	}
}

func TestConcurrencyOfTheService(t *testing.T) {
	f := newFixture(t, Options{Concurrency: 1})
	gate := filepath.Join(t.TempDir(), "gate")
	running := f.begin("wait for file", "text", gate)
	waitFor(t, "it runs", func() bool { return strings.Contains(f.logs.String(), "START") })
	if _, err := f.Invoke(t.Context(), "f", []byte("{}")); !errors.Is(err, ErrThrottled) {
		t.Errorf("the second: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-running
}

func TestInvocationOutlivesWhoWaitsForIt(t *testing.T) {
	f := newFixture(t, Options{})
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := f.Invoke(ctx, "f", eventOf("wait for file", "text", gate))
		done <- err
	}()
	waitFor(t, "it runs", func() bool { return strings.Contains(f.logs.String(), "START") })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "it has come to its end", func() bool { return strings.Contains(f.logs.String(), "REPORT") })
	if _, err := f.Invoke(ctx, "f", []byte("{}")); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke in an ended context: %v", err)
	}
}

func TestPayloadIsChecked(t *testing.T) {
	f := newFixture(t, Options{})
	if _, err := f.Invoke(t.Context(), "f", []byte("{")); !errors.Is(err, ErrInvalidPayload) {
		t.Errorf("no JSON: %v", err)
	}
	large := []byte(`"` + strings.Repeat("x", MaxPayload) + `"`)
	if _, err := f.Invoke(t.Context(), "f", large); !errors.Is(err, ErrPayloadTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestResponseOfSixMegabytes(t *testing.T) {
	f := newFixture(t, Options{})
	if out := f.do("big", "size", maxResponse-2); len(out.Payload) != maxResponse || out.FunctionError != "" {
		t.Errorf("%d bytes, %s", len(out.Payload), out.FunctionError)
	}
	got := errorOf(t, f.do("big", "size", maxResponse))
	if got.Type != "Function.ResponseSizeTooLarge" || !strings.Contains(got.Message, "(6291556 bytes)") {
		t.Errorf("%+v", got)
	}
	f.pid() // and the next one works
}

func TestStreamThatBreaksIsAnError(t *testing.T) {
	f := newFixture(t, Options{})
	if got := errorOf(t, f.do("stream", "text", "the source is dry")); got.Message != "the source is dry" || got.Type != "errorString" {
		t.Errorf("%+v", got)
	}
	f.pid()
}

func TestProcessThatDiesUnusedIsReplaced(t *testing.T) {
	f := newFixture(t, Options{})
	for range 3 {
		if err := syscall.Kill(f.pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the service knows", func() bool { return f.dead() == 1 })
		if out := f.do("echo"); out.FunctionError != "" {
			t.Errorf("%s", out.Payload)
		}
	}
}

func TestCloseStopsEverything(t *testing.T) {
	f := newFixture(t, Options{})
	pid := f.pid()
	running := []<-chan result{f.begin("sleep", "duration", time.Minute), f.begin("sleep", "duration", time.Minute)}
	waitFor(t, "they run", func() bool { return strings.Count(f.logs.String(), "START") == 3 })
	f.Close()
	for _, r := range running {
		if out := <-r; !errors.Is(out.err, ErrClosed) {
			t.Errorf("an invocation that ran: %v", out.err)
		}
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("a process still runs")
	}
	left, err := os.ReadDir(f.opts.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if _, err := f.Invoke(t.Context(), "f", []byte("{}")); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke: %v", err)
	}
	if err := f.Put(config()); !errors.Is(err, ErrClosed) {
		t.Errorf("Put: %v", err)
	}
	f.Close()
}
