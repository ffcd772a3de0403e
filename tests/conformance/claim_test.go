package conformance

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A certainty says how a claim is known.
type certainty string

const (
	documented certainty = "DOC" // AWS documentation
	source     certainty = "SRC" // source that AWS published
	captured   certainty = "CAP" // captured from AWS, or a suite that ran on it
	tried      certainty = "EXP" // tried with AWS's libraries against a stub
	inferred   certainty = "INF" // inferred from what is documented beside it
	remembered certainty = "MEM" // from memory, not verified
)

// When a case runs.
type when int

const (
	beside when = iota // with all the others, at once
	alone              // after them, one by one: it lets time pass or takes all there is to have
)

// A claim is one sentence of the reference, and the case that holds it.
type claim struct {
	rows  string    // of the reference, as in "A3.2 B1.1"; the first decides where it is listed
	says  string    // the sentence
	how   certainty // weakest of its parts
	check []string  // lines of the checklist that it is for

	run  func(c *check, s *subject)
	when when
	long bool // on AWS it waits for a limit, minutes or hours

	differs string // why the claim is known not to hold on this machine; it is run and must fail
	local   string // why it does not run on this machine
	aws     string // why it does not run on AWS
	without string // why it has no case
}

// claims are all of them, in the order of the reference.
func claims() []claim {
	return slices.Concat(
		upgradeClaims(), selectionClaims(), authorizerClaims(), frameClaims(), responseClaims(), subprotocolClaims(),
		eventClaims(), inboundClaims(), closingClaims(), idleClaims(),
		managementClaims(), quotaClaims(),
		runtimeClaims(), environmentClaims(), lifecycleClaims(), scheduleClaims(),
		streamEventClaims(), parameterClaims(), failureClaims(), destinationClaims(), filterClaims(), orderClaims(),
		tableClaims(), permissionClaims(),
	)
}

// A check is a case while it runs. Its failures are kept, so that a claim that
// is known to differ may fail.
type check struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (c *check) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, where()+fmt.Sprintf(format, args...))
}

func (c *check) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	runtime.Goexit()
}

// where is the way from the case to its failure, by files and lines.
func where() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	way := ""
	for {
		frame, more := frames.Next()
		file := filepath.Base(frame.File)
		if !strings.HasSuffix(file, "_test.go") || file == "claim_test.go" && strings.HasSuffix(frame.Function, "ask.func1") {
			return way
		}
		if file != "claim_test.go" {
			way = fmt.Sprintf("%s:%d: ", file, frame.Line) + way
		}
		if !more {
			return way
		}
	}
}

func (c *check) Fatal(args ...any) { c.Fatalf("%s", strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

func (c *check) Error(args ...any) { c.Errorf("%s", strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// A result is how a case ended.
type result string

const (
	pass    result = "pass"
	fails   result = "FAILS"
	differs result = "differs"
	notRun  result = "not run"
)

// ask runs a claim's case.
func ask(t *testing.T, s *subject, c claim) result {
	t.Helper()
	switch {
	case c.without != "":
		return notRun
	case s.cloud != nil && c.local != "":
		t.Skip(c.local)
	case s.cloud == nil && c.aws != "":
		t.Skip(c.aws)
	case s.cloud == nil && c.long && !*long:
		t.Skip("waits for long: see the flag -long")
	}
	run := &check{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(run, s)
	}()
	<-done
	failure := strings.Join(run.failures, "\n")
	switch known := s.cloud != nil && c.differs != ""; {
	case known && failure == "":
		t.Errorf("holds, but is listed as different: %s", c.differs)
		return fails
	case known:
		t.Logf("known to differ: %s\n%s", c.differs, failure)
		return differs
	case failure != "":
		t.Errorf("%s %s\n%s", c.rows, c.says, failure)
		return fails
	}
	return pass
}

// patience bounds every wait for something to happen.
const patience = 30 * time.Second

// eventually polls until what holds.
func eventually(c *check, what string, holds func() bool) {
	c.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("%s: not within %v", what, patience)
		}
	}
}
