package tests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A transcript is what a command has printed so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func TestDev(t *testing.T) {
	whateverTheEngine(t, "it is about deployments")
	t.Parallel()
	p := newProject(t, copySources(t))
	// It begins with a mistake, as days do.
	fallback := filepath.Join(p.program, "functions", "fallback", "main.go")
	edit(t, fallback, "func main() {", "func main() {\n\tundefinedName()")
	dev := exec.Command(chatstack, "--program", p.program, "--home", p.home, "dev")
	var printed transcript
	dev.Stdout, dev.Stderr = &printed, &printed
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Wait() }()
	defer dev.Process.Kill()
	says := func(what string) {
		t.Helper()
		eventually(t, "dev says "+what+", after:\n"+printed.String(), func() bool { return strings.Contains(printed.String(), what) })
	}

	eventuallyWithin(t, patience, "dev shows the mistake", func() bool { return strings.Contains(printed.String(), "the next change is deployed again") })
	says("undefined: undefinedName")
	edit(t, fallback, "undefinedName()", "println(\"first edition\")")
	eventuallyWithin(t, patience, "dev deploys", func() bool { return strings.Contains(printed.String(), "Ctrl-C") })
	c := connect(t, p.outputs()["endpoint"])
	c.send(event{"action": "wave"})
	c.expect(event{"event": "error"})
	says("chat-fallback") // a line of the function's log

	edit(t, fallback, "first edition", "second edition")
	eventuallyWithin(t, patience, "dev deploys the change", func() bool { return strings.Contains(printed.String(), "1 updated") })
	c.send(event{"action": "wave"})
	says("second edition")

	if err := dev.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("dev ends with %v:\n%s", err, printed.String())
	}
	if left := p.processes(); len(left) > 0 {
		t.Errorf("still there:\n%s", strings.Join(left, "\n"))
	}
}
