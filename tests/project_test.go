package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/chatstack/internal/toolchain"
	"example.com/chatstack/local/dynamo"
)

// patience bounds every wait. A test that passes never waits so long, but a
// first build on a small machine takes minutes.
const patience = 10 * time.Minute

// chatstack is the command under test, built once.
var chatstack string

func TestMain(m *testing.M) {
	if os.Getenv(bareServerVar) != "" {
		serveBare()
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chatstack-tests-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	chatstack = filepath.Join(dir, "chatstack")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", chatstack, "../cmd/chatstack")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the chatstack command: %v\n%s", err, out)
		return 1
	}
	root, err := filepath.Abs("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(toolchain.DirVar, toolchain.Find(root))
	return m.Run()
}

// A project is a program with a home of its own, so that tests run side by
// side, also on one program.
type project struct {
	t       testing.TB
	program string
	home    string
}

// newProject returns a project of the program in dir. What it starts ends with
// the test.
func newProject(t testing.TB, dir string) *project {
	t.Helper()
	os.Getenv(dynamo.EndpointVar) // so that go test's cache tells results on one engine from another's
	program, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, program: program, home: filepath.Join(t.TempDir(), "home")}
	t.Cleanup(func() {
		if t.Failed() {
			p.showLogs()
		}
		if _, err := os.Stat(p.home); err == nil {
			if out, err := p.try("down"); err != nil {
				t.Errorf("down: %v\n%s", err, out)
				syscall.Kill(p.cloudPID(), syscall.SIGKILL)
			}
		}
	})
	return p
}

// whateverTheEngine skips, where the suite runs on another table engine than its
// own, a test that says nothing of it.
func whateverTheEngine(t *testing.T, why string) {
	t.Helper()
	if os.Getenv(dynamo.EndpointVar) != "" {
		t.Skip("the table engine makes no difference: " + why)
	}
}

// try runs the command and returns all that it printed.
func (p *project) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, chatstack, append([]string{"--program", p.program, "--home", p.home}, args...)...)
	cmd.Dir = p.program
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is try for what must succeed.
func (p *project) run(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("chatstack %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

var resourceCount = regexp.MustCompile(`(?m)^\s+(?:[+~-] |\+- )?(\d+) (created|updated|replaced|deleted|unchanged)$`)

// up deploys and returns how many resources were created, updated and so on.
func (p *project) up() map[string]int {
	p.t.Helper()
	counts := map[string]int{}
	out := p.run("up")
	for _, found := range resourceCount.FindAllStringSubmatch(out, -1) {
		counts[found[2]], _ = strconv.Atoi(found[1])
	}
	if len(counts) == 0 {
		p.t.Fatalf("up tells of no resource:\n%s", out)
	}
	return counts
}

// outputs are the stack's.
func (p *project) outputs() map[string]string {
	p.t.Helper()
	cmd := exec.Command(chatstack, "--program", p.program, "--home", p.home, "outputs", "--json")
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("outputs: %v", err)
	}
	var outputs map[string]string
	if err := json.Unmarshal(out, &outputs); err != nil {
		p.t.Fatalf("outputs: %v\n%s", err, out)
	}
	return outputs
}

// env is what `chatstack env` sets.
func (p *project) env() map[string]string {
	p.t.Helper()
	env := map[string]string{}
	for _, line := range strings.Split(p.run("env"), "\n") {
		if assignment, ok := strings.CutPrefix(line, "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			env[name] = value
		}
	}
	return env
}

// page is the URL of the chat page.
func (p *project) page() string {
	p.t.Helper()
	var address struct{ URL string }
	p.readAddress(&address)
	return address.URL + "/"
}

// cloudPID is the process of the project's local cloud.
func (p *project) cloudPID() int {
	p.t.Helper()
	var address struct{ PID int }
	p.readAddress(&address)
	return address.PID
}

func (p *project) readAddress(address any) {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.home, "cloud.json"))
	if err == nil {
		err = json.Unmarshal(data, address)
	}
	if err != nil {
		p.t.Fatalf("address of the local cloud: %v", err)
	}
}

// processes lists the live processes that have the project's home in their
// command line or environment: all that it started.
func (p *project) processes() []string {
	p.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(dirs) == 0 {
		p.t.Skip("there is no /proc to look for processes in")
	}
	var found []string
	for _, dir := range dirs {
		if dir == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline")) // empty for one that has ended
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if bytes.Contains(command, []byte(p.home)) || bytes.Contains(environment, []byte(p.home)) {
			found = append(found, filepath.Base(dir)+": "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

func (p *project) showLogs() {
	for _, name := range []string{"cloud.log"} {
		if data, err := os.ReadFile(filepath.Join(p.home, name)); err == nil {
			p.t.Logf("%s:\n%s", name, data)
		}
	}
	if out, err := p.try("logs", "--since", "2m"); err == nil {
		if lines := strings.Split(out, "\n"); len(lines) > 200 {
			out = strings.Join(lines[len(lines)-200:], "\n")
		}
		p.t.Logf("functions:\n%s", out)
	}
}

// knowingUsers returns a copy of the project whose stage on this machine knows its
// users, by tokens.
func knowingUsers(t *testing.T) string { return withIdentity(t, "{mode: jwt}") }

// withIdentity returns a copy of the project whose stage on this machine has this
// identity. It shares the project's builds, as its functions are the same.
func withIdentity(t *testing.T, identity string) string {
	t.Helper()
	sources := copySources(t)
	edit(t, filepath.Join(sources, "Pulumi.local.yaml"), "config:\n", "config:\n  chatstack:identity: "+identity+"\n")
	builds, err := filepath.Abs("../.chatstack/build")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(builds, 0o755), os.Mkdir(filepath.Join(sources, ".chatstack"), 0o755),
		os.Symlink(builds, filepath.Join(sources, ".chatstack", "build"))); err != nil {
		t.Fatal(err)
	}
	return sources
}

// copySources copies the repository's sources to a folder that the test may
// change.
func copySources(t *testing.T) string {
	t.Helper()
	from, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "sources")
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".chatstack" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		info, errInfo := entry.Info()
		if err = errors.Join(err, errInfo); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, info.Mode().Perm())
	})
	if err != nil {
		t.Fatalf("copy the sources: %v", err)
	}
	return to
}

// eventually waits until what holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	eventuallyWithin(t, 30*time.Second, what, holds)
}

func eventuallyWithin(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
