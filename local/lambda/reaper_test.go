package lambda

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/chatstack/local/clock"
)

func TestUnusedEnvironmentsEndExceptOne(t *testing.T) {
	clk := &clock.Clock{}
	f := newFixture(t, Options{Clock: clk, Idle: 10 * time.Minute})
	gate := filepath.Join(t.TempDir(), "gate")
	var running []<-chan result
	for range 3 {
		running = append(running, f.begin("wait for file", "text", gate))
	}
	waitFor(t, "all have started", func() bool { return strings.Count(f.logs.String(), "START") == 3 })
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, r := range running {
		pid, err := strconv.Atoi(string((<-r).Payload))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	clk.Advance(8 * time.Minute)
	used := f.pid()
	if n := f.idle(); n != 3 {
		t.Fatalf("%d environments after eight minutes", n)
	}
	clk.Advance(2 * time.Minute)
	waitFor(t, "one is left after ten", func() bool { return f.idle() == 1 })
	clk.Advance(24 * time.Hour)
	if pid := f.pid(); pid != used {
		t.Error("the one used last was not kept")
	}
	for _, pid := range pids {
		if pid != used {
			waitFor(t, "the others have ended", func() bool { return syscall.Kill(pid, 0) != nil })
		}
	}
}
