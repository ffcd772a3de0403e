package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/control"
)

func TestStepsSayWhatTakesTimeAndHowLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &steps{out: &out}
		s.begin("blinking")()
		done := s.begin("building")
		time.Sleep(31 * time.Second)
		done()
		done() // a second end says nothing more
		want := "· blinking\n· building\n  … 15.0 s so far\n  … 30.0 s so far\n  done in 31.0 s\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

func TestStepsOnATerminalWriteOverTheirLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		done := (&steps{out: &out, terminal: true}).begin("building")
		time.Sleep(90 * time.Second)
		done()
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "✓ building  1m30s\n") {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestQuotedValuesReachTheShellAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"plain", "/a path/with spaces", `quotes ' and "`, "$HOME `x` \\", "new\nline", "a;b&c|d<e>f(g)h", "*?[x]{y}~#!", ""} {
		out, err := exec.Command("sh", "-c", "export X="+quote(value)+`; printf %s "$X"`).CombinedOutput()
		if err != nil || string(out) != value {
			t.Errorf("%q comes out as %q, %v", value, out, err)
		}
	}
}

func TestChangesThatAreDeployed(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"main.go": true, "functions/message/main.go": true, "go.mod": true, "go.sum": true, "Pulumi.local.yaml": true,
		"chat/send_test.go": false, "README.md": false, ".main.go.swp": false, ".hidden.go": false, "main.go~": false,
	} {
		if got := isSource(path); got != want {
			t.Errorf("isSource(%q) is %v", path, got)
		}
	}
}

func TestOpenProject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	below := filepath.Join(dir, "functions", "message")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openProject(below, ""); err == nil || !strings.Contains(err.Error(), "there is no Pulumi.yaml") {
		t.Errorf("without Pulumi.yaml: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: p\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := openProject(below, "")
	if err != nil {
		t.Fatal(err)
	}
	if p.dir != dir || p.home != filepath.Join(dir, ".chatstack") {
		t.Errorf("program %s, home %s", p.dir, p.home)
	}
	if p, err = openProject(dir, filepath.Join(dir, "elsewhere")); err != nil || p.home != filepath.Join(dir, "elsewhere") {
		t.Errorf("home %s, %v", p.home, err)
	}
}

func TestLogsAreNamedAfterTheirFunction(t *testing.T) {
	t.Parallel()
	asked := 0
	source := &logSource{names: map[string]string{}, lookup: func() map[string]string {
		asked++
		return map[string]string{"chat-message-logs-1": "chat-message-2"}
	}}
	for group, want := range map[string]string{"chat-message-logs-1": "chat-message-2", "/aws/lambda/gone": "gone"} {
		for range 3 {
			if got := source.name(group); got != want {
				t.Errorf("%s is named %s, want %s", group, got, want)
			}
		}
	}
	if asked > 2 {
		t.Errorf("asked %d times for two groups", asked)
	}
}

func TestGitIgnoresTheProjectsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &project{dir: dir, home: filepath.Join(dir, ".chatstack")}
	unlock, err := p.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if out, err := exec.Command("git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("git", "-C", dir, "status", "--porcelain").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("git sees %s, %v", out, err)
	}
}

func TestStateOfTheStacks(t *testing.T) {
	t.Parallel()
	p := &project{home: t.TempDir()}
	if held, err := p.heldResources(); err != nil || held != nil {
		t.Errorf("before the first deployment: %v, %v", held, err)
	}
	write := func(name, text string) {
		t.Helper()
		file := p.path("state", ".pulumi", "stacks", "project", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("local.json", `{"version":3,"checkpoint":{"latest":{"resources":[{"urn":"u","type":"aws:sqs/queue:Queue","id":"q"}]}}}`)
	write("other.json", `{"version":3,"checkpoint":{"latest":{"resources":[{"type":"aws:iam/role:Role","id":"r"}]}}}`)
	write("local.json.bak", "not read")
	resources, err := p.heldResources()
	want := []control.Reference{{Type: "aws:sqs/queue:Queue", ID: "q"}, {Type: "aws:iam/role:Role", ID: "r"}}
	if diff := cmp.Diff(want, resources); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if killed, err := p.interrupted(); killed || err != nil {
		t.Errorf("interrupted: %v, %v", killed, err)
	}
	write("local.json", `{"version":3,"checkpoint":{"latest":{"resources":[],"pending_operations":[{}]}}}`)
	if killed, err := p.interrupted(); !killed || err != nil {
		t.Errorf("with a pending operation, interrupted: %v, %v", killed, err)
	}
	write("local.json", "{")
	if _, err := p.heldResources(); err == nil || !strings.Contains(err.Error(), "local.json") {
		t.Errorf("of a broken file: %v", err)
	}
}

func TestACloudThatDoesNotAnswerIsNotRunning(t *testing.T) {
	t.Parallel()
	p := &project{home: t.TempDir()}
	if cloud, err := p.running(context.Background()); cloud != nil || err != nil {
		t.Errorf("without an address: %v, %v", cloud, err)
	}
	killed := control.Address{PID: os.Getpid(), URL: "http://127.0.0.1:1", Token: "t"}
	if err := killed.Write(p.addressFile()); err != nil {
		t.Fatal(err)
	}
	if cloud, err := p.running(context.Background()); cloud != nil || err != nil {
		t.Errorf("with the address of a killed one: %v, %v", cloud, err)
	}
}
