package tests

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLifecycle is a day with one stage: deployed, deployed again, changed,
// killed, recovered, destroyed.
func TestLifecycle(t *testing.T) {
	whateverTheEngine(t, "it is about deployments")
	t.Parallel()
	p := newProject(t, copySources(t))
	if got := p.up(); got["created"] < 40 || len(got) != 1 {
		t.Fatalf("the first up: %v, want everything created", got)
	}
	all := p.up()["unchanged"]

	t.Run("a second up finds no changes", func(t *testing.T) {
		p.t = t
		if diff := cmp.Diff(map[string]int{"unchanged": all}, p.up()); diff != "" {
			t.Errorf("up (-want +got):\n%s", diff)
		}
	})

	t.Run("a changed handler updates its function and nothing else, and open connections stay", func(t *testing.T) {
		p.t = t
		c := connect(t, p.outputs()["endpoint"])
		c.send(event{"action": "wave", "id": "before"})
		c.expect(event{"event": "error", "id": "before", "code": "unknown_action"})

		edit(t, filepath.Join(p.program, "functions", "fallback", "main.go"), "func main() {", "func main() {\n\tprintln(\"changed\")")
		if diff := cmp.Diff(map[string]int{"updated": 1, "unchanged": all - 1}, p.up()); diff != "" {
			t.Errorf("up (-want +got):\n%s", diff)
		}
		c.send(event{"action": "wave", "id": "after"})
		c.expect(event{"event": "error", "id": "after", "code": "unknown_action"})
		name := regexp.MustCompile(`chat-fallback-\w+`).FindString(p.run("status"))
		if out := p.run("logs", name); !strings.Contains(out, name+"  changed") {
			t.Errorf("the new code of %s has not run:\n%s", name, out)
		}
	})

	t.Run("a preview shows what would change and changes nothing", func(t *testing.T) {
		p.t = t
		out := p.run("pulumi", "--", "preview", "--non-interactive")
		if !strings.Contains(out, "unchanged") || strings.Contains(out, "to create") {
			t.Errorf("preview:\n%s", out)
		}
	})

	t.Run("after a kill, up recovers by itself and the data is there", func(t *testing.T) {
		p.t = t
		before := p.outputs()
		c := connect(t, before["endpoint"])
		c.send(event{"action": "sendMessage", "channelId": "kept", "name": "anna", "content": "first"})
		c.expect(event{"event": "ack", "channelId": "kept", "seq": 1.0})
		cloud := p.cloudPID()
		if err := syscall.Kill(cloud, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "every process ends with the local cloud", func() bool { return len(p.processes()) == 0 })
		if out, err := p.try("status"); exitCode(err) != 3 {
			t.Errorf("status of a dead cloud: %v, want exit code 3\n%s", err, out)
		}

		if diff := cmp.Diff(map[string]int{"unchanged": all}, p.up()); diff != "" {
			t.Errorf("up after the kill (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, p.outputs()); diff != "" {
			t.Errorf("outputs have moved (-before +after):\n%s", diff)
		}
		c = connect(t, p.outputs()["endpoint"])
		c.send(event{"action": "sendMessage", "channelId": "kept", "name": "anna", "content": "second"})
		c.expect(event{"event": "ack", "channelId": "kept", "seq": 2.0})
	})

	t.Run("a deployment that was killed neither locks the stage nor leaves it in doubt", func(t *testing.T) {
		p.t = t
		p.run("down")
		pulumi := filepath.Join(p.home, "state", ".pulumi")
		deployment := exec.Command(chatstack, "--program", p.program, "--home", p.home, "up")
		if err := deployment.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the deployment makes resources", func() bool {
			state, _ := os.ReadFile(filepath.Join(pulumi, "stacks", "chatstack", "local.json"))
			return strings.Contains(string(state), "aws:iam/role:Role") // early: most is still to come
		})
		for _, process := range p.processes() { // the command, Pulumi, the program, the local cloud
			if pid, err := strconv.Atoi(process[:strings.Index(process, ":")]); err == nil {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		deployment.Wait()
		eventually(t, "every process ends", func() bool { return len(p.processes()) == 0 })
		if locks, _ := filepath.Glob(filepath.Join(pulumi, "locks", "*", "*", "local", "*.json")); len(locks) == 0 {
			t.Error("the killed deployment has left no lock: this test kills too late")
		}

		out := p.run("up")
		if strings.Contains(out, "pending operations") {
			t.Errorf("up is in doubt:\n%s", out)
		}
		if diff := cmp.Diff(map[string]int{"unchanged": all}, p.up()); diff != "" {
			t.Errorf("the next up (-want +got):\n%s", diff)
		}
	})

	t.Run("a function that does not compile fails with the compiler's words, and the stage runs on", func(t *testing.T) {
		p.t = t
		file := filepath.Join(p.program, "functions", "fallback", "main.go")
		edit(t, file, "println(\"changed\")", "undefinedName()")
		out, err := p.try("up")
		if exitCode(err) != 1 || !strings.Contains(out, "undefined: undefinedName") {
			t.Errorf("up: %v, want exit code 1 and the compiler's words:\n%s", err, out)
		}
		c := connect(t, p.outputs()["endpoint"])
		c.send(event{"action": "ping"})
		c.expect(event{"event": "pong"})
		edit(t, file, "undefinedName()", "println(\"changed\")")
	})

	t.Run("down destroys the stage and leaves no process", func(t *testing.T) {
		p.t = t
		p.run("down")
		if left := p.processes(); len(left) > 0 {
			t.Errorf("still there:\n%s", strings.Join(left, "\n"))
		}
		if out := p.run("down"); strings.Contains(out, "deleted") {
			t.Errorf("a second down finds something to delete:\n%s", out)
		}
		if out, err := p.try("outputs"); exitCode(err) != 1 || !strings.Contains(out, "not deployed") {
			t.Errorf("outputs of what was destroyed: %v\n%s", err, out)
		}
	})
	p.t = t
}

func TestTwoStacksInOneProgram(t *testing.T) {
	whateverTheEngine(t, "it is about deployments")
	t.Parallel()
	p := newProject(t, "programs/two")
	p.up()
	if got := p.up(); len(got) != 1 || got["unchanged"] == 0 {
		t.Errorf("a second up: %v, want everything unchanged", got)
	}
	outputs := p.outputs()
	blue, green := connect(t, outputs["blue"]), connect(t, outputs["green"])
	for name, c := range map[string]*chatter{"blue": blue, "green": green} {
		c.send(event{"action": "whoami", "id": "default"})
		you := c.expect(event{"event": "you", "id": "default"})
		if diff := cmp.Diff([]any{name}, you["channels"]); diff != "" {
			t.Errorf("default channels of %s (-want +got):\n%s", name, diff)
		}
	}
	blue.send(event{"action": "subscribeChannel", "channelId": "green", "id": "s"})
	blue.expect(event{"event": "subscribed", "id": "s"})
	blue.send(event{"action": "sendMessage", "channelId": "green", "name": "blue", "content": "not for the other stack"})
	blue.expect(event{"event": "channel_message", "channelId": "green"})
	green.never(event{"event": "channel_message"})
}

func TestUnsupportedIsRefusedByName(t *testing.T) {
	t.Parallel()
	whateverTheEngine(t, "no table is made")
	for declare, want := range map[string]string{
		"type":     "the local cloud does not run aws:sqs/queuePolicy:QueuePolicy",
		"property": "the local cloud does not run the property fifoQueue of aws:sqs/queue:Queue",
		"part":     `protocolType is "HTTP": the local cloud runs WEBSOCKET APIs only`,
	} {
		t.Run(declare, func(t *testing.T) {
			t.Parallel()
			dir := copyProgram(t, "programs/unsupported")
			p := newProject(t, dir)
			appendTo(t, filepath.Join(dir, "Pulumi.local.yaml"), "config:\n  unsupported:declare: "+declare+"\n")
			out, err := p.try("up")
			if exitCode(err) != 1 || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("up: %v, want exit code 1 and %q:\n%s", err, want, out)
			}
		})
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	whateverTheEngine(t, "nothing runs")
	empty := t.TempDir()
	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"an unknown command", []string{"upp"}, 2, `did you mean "up"`},
		{"an unknown flag", []string{"up", "--quick"}, 2, "--quick"},
		{"no program", []string{"--program", empty, "up"}, 2, "there is no Pulumi.yaml"},
		{"status where nothing runs", []string{"--program", "..", "--home", filepath.Join(empty, "home"), "status"}, 3, "nothing runs"},
		{"outputs of what is not deployed", []string{"--program", "..", "--home", filepath.Join(empty, "home"), "outputs"}, 1, "not deployed"},
		{"env where nothing runs", []string{"--program", "..", "--home", filepath.Join(empty, "home"), "env"}, 1, "does not run"},
		{"help of pulumi", []string{"--program", "..", "pulumi", "--help"}, 0, "chatstack pulumi -- ARGS"},
		{"help", []string{"--help"}, 0, "Run any Pulumi command against the stage"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command(chatstack, test.args...).CombinedOutput()
			if exitCode(err) != test.code || !strings.Contains(string(out), test.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", exitCode(err), test.code, test.says, out)
			}
		})
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func edit(t *testing.T, file, from, to string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), from) {
		t.Fatalf("%s does not contain %q", file, from)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// copyProgram copies one program into a folder beside it, inside the module,
// that goes with the test.
func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp(filepath.Dir(dir), "copy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(to) })
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
