package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start runs a role and waits for its end when the test is over.
func start(t *testing.T, opts Options) *Process {
	t.Helper()
	p, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p
}

// lines collects what a process writes.
type lines chan string

func newLines() lines { return make(lines, 1000) }

func (l lines) add(line string) { l <- line }

// next is the next line, for which it waits.
func (l lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		return line
	case <-time.After(20 * time.Second):
		t.Fatal("no line came")
		return ""
	}
}

// rest are the lines that have come.
func (l lines) rest() []string {
	close(l)
	var all []string
	for line := range l {
		all = append(all, line)
	}
	return all
}

func (l lines) nextPID(t *testing.T) int {
	t.Helper()
	for range 2 {
		if pid, err := strconv.Atoi(l.next(t)); err == nil {
			return pid
		}
	}
	t.Fatal("no process id came")
	return 0
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// alive says whether a process runs; one that is dead and waits for its parent to
// notice does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	return !strings.Contains(string(stat), ") Z ")
}

func TestLinesKeepTheirOrderAcrossBothOutputs(t *testing.T) {
	t.Parallel()
	got := newLines()
	if err := start(t, child("hello", got.add)).Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"out 1", "err 1", "out 2", "no end"}, got.rest()); diff != "" {
		t.Error(diff)
	}
}

func TestOutputsApart(t *testing.T) {
	t.Parallel()
	out, errs := newLines(), newLines()
	opts := child("hello", out.add)
	opts.Stderr = errs.add
	if err := start(t, opts).Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"out 1", "out 2"}, out.rest()); diff != "" {
		t.Errorf("stdout: %s", diff)
	}
	if diff := cmp.Diff([]string{"err 1", "no end"}, errs.rest()); diff != "" {
		t.Errorf("stderr: %s", diff)
	}
}

func TestOutputsDiscarded(t *testing.T) {
	t.Parallel()
	if err := start(t, child("hello", nil)).Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestLongLineComesInPieces(t *testing.T) {
	t.Parallel()
	got := newLines()
	if err := start(t, child("long line", got.add)).Wait(); err != nil {
		t.Fatal(err)
	}
	all := got.rest()
	if len(all) != 2 || len(all[0]) != MaxLine || all[1] != "b" {
		t.Errorf("%d pieces, the last %q", len(all), all[len(all)-1])
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	err := start(t, child("exit 3", nil)).Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || err.Error() != "exit status 3" {
		t.Errorf("Wait: %v", err)
	}
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Parallel()
	got := newLines()
	if err := start(t, child("environment", got.add, "A=1")).Wait(); err != nil {
		t.Fatal(err)
	}
	all := got.rest()
	slices.Sort(all)
	if diff := cmp.Diff([]string{"A=1", "ROLE=environment"}, all); diff != "" {
		t.Error(diff)
	}
}

func TestWorkingDirectory(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got := newLines()
	opts := child("directory", got.add)
	opts.Dir = dir
	start(t, opts)
	if line := got.next(t); line != dir {
		t.Errorf("runs in %s, not %s", line, dir)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := Start(t.Context(), Options{Path: missing, Stdout: func(string) {}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("Start: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, child("sleep", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("Start in an ended context: %v", err)
	}
}

func TestContextEndKills(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, child("deaf", nil))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("Wait: %v", err)
	}
}

func TestKillReachesTheGroup(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("parent that waits", got.add))
	pid := got.nextPID(t)
	p.Kill()
	waitGone(t, pid)
}

func TestGroupEndsWithItsLeader(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("parent that exits", got.add))
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	waitGone(t, got.nextPID(t))
}

func TestEscapeeDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	got := newLines()
	p := start(t, child("parent of an escapee", got.add))
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	pid := got.nextPID(t)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the escapee %d was to be alive: %v", pid, err)
	}
}

func TestFlushSeesWhatWasWritten(t *testing.T) {
	t.Parallel()
	var got []string // guarded by the order of events: Flush returns after the calls
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := newOutput(func(line string) { got = append(got, line) })
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	defer r.Close()
	defer w.Close()
	p := &Process{outputs: []*output{o}}
	for i := range 100 {
		line := strings.Repeat("x", i)
		if _, err := o.w.WriteString(line + "\npart"); err != nil {
			t.Fatal(err)
		}
		p.Flush()
		want := line
		if i > 0 {
			want = "part" + line
		}
		if got[len(got)-1] != want {
			t.Fatalf("after the flush the last line is %q, want %q", got[len(got)-1], want)
		}
	}
	_ = o.w.Close()
}

func TestFlushOfAFloodReturns(t *testing.T) {
	t.Parallel()
	p := start(t, child("flood", func(string) {}))
	for range 10 {
		p.Flush()
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	t.Run("by SIGTERM", func(t *testing.T) {
		t.Parallel()
		got := newLines()
		p := start(t, child("polite", got.add))
		got.next(t)
		if err := p.Stop(time.Minute); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if line := got.next(t); line != "goodbye" {
			t.Errorf("wrote %q", line)
		}
	})
	t.Run("by SIGKILL after the grace", func(t *testing.T) {
		t.Parallel()
		got := newLines()
		p := start(t, child("deaf", got.add))
		got.next(t)
		if err := p.Stop(10 * time.Millisecond); err == nil || err.Error() != "signal: killed" {
			t.Errorf("Stop: %v", err)
		}
	})
}

func TestSignalAfterTheEnd(t *testing.T) {
	t.Parallel()
	p := start(t, child("exit 3", nil))
	<-p.Done()
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal: %v", err)
	}
	p.Kill() // must not reach a stranger; that it returns is all that can be seen
}
