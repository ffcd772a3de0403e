package lambda

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLogLinesAsOnAWS(t *testing.T) {
	f := newFixture(t, Options{})
	f.do("echo", "text", "one")
	f.do("echo", "text", "two")
	const id = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	const report = `REPORT RequestId: (` + id + `)\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: (\d+) MB`
	want := []string{
		`coming up`,
		`START RequestId: (` + id + `) Version: \$LATEST`,
		`echo one`,
		`END RequestId: (` + id + `)`,
		report + `\tInit Duration: \d+\.\d\d ms`,
		`START RequestId: (` + id + `) Version: \$LATEST`,
		`echo two`,
		`END RequestId: (` + id + `)`,
		report,
	}
	lines := f.logs.all()
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), f.logs)
	}
	ids := map[string]int{}
	for i, l := range lines {
		match := regexp.MustCompile("^" + want[i] + "$").FindStringSubmatch(l.text)
		if match == nil {
			t.Errorf("line %d: %q", i, l.text)
			continue
		}
		if l.group != "/aws/lambda/f" || l.stream != lines[0].stream {
			t.Errorf("line %d is in %s %s", i, l.group, l.stream)
		}
		if len(match) > 1 {
			ids[match[1]]++
		}
		if len(match) > 2 {
			if mb, err := strconv.Atoi(match[2]); err != nil || mb < 1 || mb > 500 {
				t.Errorf("memory used: %s MB", match[2])
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("request ids %v", ids)
	}
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(lines[0].stream) {
		t.Errorf("stream %s", lines[0].stream)
	}
}

func TestEachEnvironmentHasItsStream(t *testing.T) {
	f := newFixture(t, Options{}, func(cfg *Config) { cfg.LogGroup = "/own/group" })
	gate := filepath.Join(t.TempDir(), "gate")
	running := f.begin("wait for file", "text", gate)
	waitFor(t, "it runs", func() bool { return strings.Contains(f.logs.String(), "START") })
	f.do("exit", "text", "1")
	f.do("echo") // in the same environment
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-running
	streams := map[string]bool{}
	for _, l := range f.logs.all() {
		streams[l.stream] = true
		if l.group != "/own/group" {
			t.Errorf("group %s", l.group)
		}
	}
	if len(streams) != 2 {
		t.Errorf("streams %v", streams)
	}
}

// Everything that a process wrote is between START and END.
func TestLinesOfAnInvocationComeBeforeItsEnd(t *testing.T) {
	f := newFixture(t, Options{})
	f.Service.logs.sink = slowSink{f.logs}
	f.do("write much")
	if !strings.Contains(f.logs.String(), "1999\nEND") {
		t.Error("the last line came after the end")
	}
}

// A slowSink takes longer for a line than a process does to write it.
type slowSink struct{ LogSink }

func (s slowSink) Log(function, group, stream string, at time.Time, line string) {
	time.Sleep(50 * time.Microsecond)
	s.LogSink.Log(function, group, stream, at, line)
}

// Also when it wrote it right before the end of the process.
func TestLinesOfACrashComeBeforeItsEnd(t *testing.T) {
	f := newFixture(t, Options{})
	f.do("write much and exit")
	texts := f.logs.texts()
	if len(texts) != 2000+6 || texts[2001] != "1999" || !strings.HasPrefix(texts[2002], "RequestId: ") ||
		texts[2003] != "Runtime.ExitError" || !strings.HasPrefix(texts[2004], "END") ||
		!strings.HasSuffix(texts[2005], "\tStatus: error\tError Type: Runtime.ExitError") {
		t.Errorf("%d lines, the last:\n%s", len(texts), strings.Join(texts[max(0, len(texts)-6):], "\n"))
	}
}
