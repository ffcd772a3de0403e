package tests

import (
	"os/exec"
	"strings"
	"testing"
)

// TestRenameModule gives the module another path, as its owner will, and
// builds, checks and tests what came of it.
func TestRenameModule(t *testing.T) {
	t.Parallel()
	whateverTheEngine(t, "nothing runs")
	if testing.Short() {
		t.Skip("compiles everything once more")
	}
	sources := copySources(t)
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = sources
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	old := strings.TrimSpace(goOutput(t, "list", "-m"))
	run("make", "module", "MODULE=chat.example.org/Team/our-chat")
	if left, err := exec.Command("grep", "-rIl", "--exclude-dir=.chatstack", old, sources).Output(); err == nil {
		t.Errorf("still named %s:\n%s", old, left)
	}
	if unsorted := run("gofmt", "-l", "."); unsorted != "" {
		t.Errorf("not in order any more:\n%s", unsorted)
	}
	run("go", "vet", "./...")
	run("go", "test", "-run", "TestTokensAreAskedFor", "./components") // which find the functions by the module's path
	run("go", "test", "./functions/message", "./internal/toolchain", "./local/langhost")
	run("go", "-C", "examples/poll", "test", "./...")
	run("go", "-C", "examples/echo", "vet", "./...")
}
