package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// bootstrap is the function that the tests run, built once.
var bootstrap string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "bootstrap-")
	if err != nil {
		panic(err)
	}
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./testdata/bootstrap")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build of the test function:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

const testARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"

// config is one that works, with changes.
func config(changes ...func(*Config)) Config {
	cfg := Config{
		Name:                "f",
		ARN:                 testARN,
		Bootstrap:           bootstrap,
		Timeout:             20 * time.Second,
		ReservedConcurrency: NoReservedConcurrency,
		Service:             map[string]string{"AWS_REGION": "eu-west-1"},
	}
	for _, change := range changes {
		change(&cfg)
	}
	return cfg
}

func mode(name string, variables ...string) func(*Config) {
	return func(cfg *Config) {
		cfg.Environment = map[string]string{"MODE": name}
		for i := 0; i < len(variables); i += 2 {
			cfg.Environment[variables[i]] = variables[i+1]
		}
	}
}

// A fixture is a service with the function f.
type fixture struct {
	*Service
	t    *testing.T
	logs *recorder
}

func newFixture(t *testing.T, opts Options, changes ...func(*Config)) *fixture {
	t.Helper()
	t.Parallel()
	logs := &recorder{}
	opts.Logs = logs
	opts.Dir = filepath.Join(t.TempDir(), "made", "when", "needed")
	opts.Log = slog.New(slog.DiscardHandler)
	f := &fixture{Service: New(opts), t: t, logs: logs}
	t.Cleanup(f.Close)
	f.put(changes...)
	return f
}

func (f *fixture) put(changes ...func(*Config)) {
	f.t.Helper()
	if err := f.Put(config(changes...)); err != nil {
		f.t.Fatal(err)
	}
}

// do invokes f; rest are more fields of the event, as "key", value.
func (f *fixture) do(what string, rest ...any) Output {
	f.t.Helper()
	out, err := f.Invoke(f.t.Context(), "f", eventOf(what, rest...))
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// value invokes f and reads what it returned.
func (f *fixture) value(v any, what string, rest ...any) {
	f.t.Helper()
	out := f.do(what, rest...)
	if out.FunctionError != "" {
		f.t.Fatalf("%s: %s", what, out.Payload)
	}
	if err := json.Unmarshal(out.Payload, v); err != nil {
		f.t.Fatalf("%s returned %s: %v", what, out.Payload, err)
	}
}

func (f *fixture) pid() int {
	f.t.Helper()
	var pid int
	f.value(&pid, "pid")
	return pid
}

// idle is how many environments of f wait for work.
func (f *fixture) idle() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.functions["f"].idle)
}

// dead is how many environments of f wait for work without a process.
func (f *fixture) dead() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.functions["f"].idle {
		if !e.running() {
			n++
		}
	}
	return n
}

// begin invokes f without waiting for it.
func (f *fixture) begin(what string, rest ...any) <-chan result {
	results := make(chan result, 1)
	go func() {
		out, err := f.Invoke(context.Background(), "f", eventOf(what, rest...))
		results <- result{out, err}
	}()
	return results
}

type result struct {
	Output
	err error
}

func eventOf(what string, rest ...any) []byte {
	fields := map[string]any{"do": what}
	for i := 0; i < len(rest); i += 2 {
		fields[rest[i].(string)] = rest[i+1]
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return data
}

// errorOf is the error in an output.
func errorOf(t *testing.T, out Output) failure {
	t.Helper()
	if out.FunctionError != "Unhandled" {
		t.Fatalf("the function did not fail: %s", out.Payload)
	}
	var f failure
	if err := json.Unmarshal(out.Payload, &f); err != nil {
		t.Fatalf("%s: %v", out.Payload, err)
	}
	return f
}

// A recorder keeps log lines.
type recorder struct {
	mu    sync.Mutex
	lines []line
}

type line struct {
	group, stream, text string
	at                  time.Time
}

func (r *recorder) Log(_, group, stream string, at time.Time, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line{group, stream, text, at})
}

func (r *recorder) all() []line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

func (r *recorder) texts() []string {
	var texts []string
	for _, l := range r.all() {
		texts = append(texts, l.text)
	}
	return texts
}

func (r *recorder) String() string { return strings.Join(r.texts(), "\n") }

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
