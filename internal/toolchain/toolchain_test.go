package toolchain

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mkdir(t *testing.T, elem ...string) string {
	t.Helper()
	dir := filepath.Join(elem...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFind(t *testing.T) {
	t.Setenv(DirVar, "")
	root := t.TempDir()
	program := mkdir(t, root, "examples", "poll")

	t.Run("own where there are none", func(t *testing.T) {
		if got, want := Find(program), filepath.Join(program, ".chatstack", "tools"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
	above := mkdir(t, root, ".chatstack", "tools")
	t.Run("those above", func(t *testing.T) {
		if got := Find(program); got != above {
			t.Errorf("%s, want %s", got, above)
		}
	})
	t.Run("not a file of that name", func(t *testing.T) {
		file := filepath.Join(mkdir(t, program, ".chatstack"), "tools")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := Find(program); got != above {
			t.Errorf("%s, want %s", got, above)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	})
	nearest := mkdir(t, program, ".chatstack", "tools")
	t.Run("the nearest", func(t *testing.T) {
		if got := Find(program); got != nearest {
			t.Errorf("%s, want %s", got, nearest)
		}
	})
	t.Run("those of the environment before all", func(t *testing.T) {
		t.Setenv(DirVar, "/given")
		if got := Find(program); got != "/given" {
			t.Errorf("%s, want /given", got)
		}
	})
	t.Run("a relative one from here", func(t *testing.T) {
		t.Chdir(root)
		t.Setenv(DirVar, "given")
		if got, want := Find(program), filepath.Join(root, "given"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestOneInstallsAndTheOthersWait(t *testing.T) {
	t.Parallel()
	tools := Toolchain{Dir: filepath.Join(t.TempDir(), "tools")}
	path := filepath.Join(tools.Dir, "tool")
	var installs atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := tools.once(path, func() error {
				installs.Add(1)
				return writeTool(path, "tool")
			})
			if err != nil || !exists(path) {
				t.Errorf("after once: %v, exists %v", err, exists(path))
			}
		})
	}
	all.Wait()
	if got := installs.Load(); got != 1 {
		t.Errorf("installed %d times, want once", got)
	}
}

func TestAFailedInstallationIsTriedAgain(t *testing.T) {
	t.Parallel()
	tools := Toolchain{Dir: t.TempDir()}
	path := filepath.Join(tools.Dir, "tool")
	broken := errors.New("broken")
	if err := tools.once(path, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want the installation's error", err)
	}
	if err := tools.once(path, func() error { return writeTool(path, "tool") }); err != nil {
		t.Error(err)
	}
}

func TestAnInstalledPulumiIsTakenUnlessItIsTooOld(t *testing.T) {
	bin := t.TempDir()
	installed := filepath.Join(bin, exeName("pulumi"))
	t.Setenv("PATH", bin)
	tools := Toolchain{Dir: t.TempDir()}
	own := filepath.Join(tools.Dir, "pulumi-"+pulumiVersion, exeName("pulumi"))
	if err := writeTool(own, "our own"); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		pulumiOldest: installed,
		"v3.1000.0":  installed,
		"v4.0.0":     installed,
		"v3.99.9":    own,
		"v2.900.0":   own,
		"dev":        own,
	} {
		if err := os.WriteFile(installed, []byte("#!/bin/sh\necho "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := tools.Pulumi(t.Context()); err != nil || got != want {
			t.Errorf("installed %s: %s, %v; want %s", version, got, err, want)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	tools := Toolchain{Dir: t.TempDir()}
	if _, err := tools.Dynoxide(t.Context()); err == nil || !strings.Contains(err.Error(), "npm is not on PATH") {
		t.Errorf("without npm: %v", err)
	}
	if _, err := tools.DynamoDBLocal(t.Context()); err == nil || !strings.Contains(err.Error(), "npm is not on PATH") {
		t.Errorf("without npm: %v", err)
	}
	if _, err := tools.Pulumi(t.Context()); err == nil || !strings.Contains(err.Error(), "go is not on PATH") {
		t.Errorf("without Go: %v", err)
	}
}

func TestTheStepIsAnnouncedOnlyWhenSomethingIsDone(t *testing.T) {
	var began, ended int
	tools := Toolchain{Dir: t.TempDir(), Step: func(string) func() { began++; return func() { ended++ } }}
	path := filepath.Join(tools.Dir, "dynoxide-"+dynoxideVersion, exeName("dynoxide"))
	t.Setenv("PATH", t.TempDir()) // nothing can be fetched
	if _, err := tools.Dynoxide(t.Context()); err == nil || began != 1 || ended != 1 {
		t.Errorf("%v; began %d, ended %d; want a failure, announced once", err, began, ended)
	}
	if err := writeTool(path, "engine"); err != nil {
		t.Fatal(err)
	}
	if got, err := tools.Dynoxide(t.Context()); err != nil || got != path || began != 1 {
		t.Errorf("%s, %v; began %d; want %s without an announcement", got, err, began, path)
	}
}

// writeTool puts an executable in its place.
func writeTool(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o755)
}
