// Package toolchain installs the programs that chatstack runs but does not
// hold: the Pulumi CLI, built from its Go module where none is on PATH, and
// Dynoxide, the DynamoDB-compatible table engine, from npm; for tests also
// Amazon's own engine, DynamoDB Local. All land in one folder of the project
// (.chatstack/tools) and nowhere else.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// DirVar names the environment variable that overrides where tools live.
const DirVar = "CHATSTACK_TOOLS"

// A Toolchain installs what is missing into Dir.
type Toolchain struct {
	Dir string // absolute path of the folder that holds the tools

	// Step announces work that takes more than a moment and returns what is
	// to be called when it ends; nil announces nothing.
	Step func(doing string) (done func())
}

// Find returns the folder of tools for a program in dir, which is absolute:
// $CHATSTACK_TOOLS, or the nearest .chatstack/tools at or above dir, so that
// programs in one repository share what was built once, or else dir's own.
func Find(dir string) string {
	if env := os.Getenv(DirVar); env != "" {
		if absolute, err := filepath.Abs(env); err == nil {
			return absolute // tools are built and run in other folders than this
		}
		return env
	}
	for at := dir; ; at = filepath.Dir(at) {
		candidate := filepath.Join(at, ".chatstack", "tools")
		if info, err := os.Stat(candidate); err == nil && info.IsDir() {
			return candidate
		}
		if at == filepath.Dir(at) {
			return filepath.Join(dir, ".chatstack", "tools")
		}
	}
}

func (t Toolchain) step(doing string) func() {
	if t.Step == nil {
		return func() {}
	}
	return t.Step(doing)
}

// once runs install unless path is there already. Several processes may ask
// at the same time: one installs, the others wait for it.
func (t Toolchain) once(path string, install func() error) error {
	if exists(path) {
		return nil
	}
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return fmt.Errorf("create the tools folder: %w", err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(t.Dir, ".lock")).Lock()
	if err != nil {
		return fmt.Errorf("lock the tools folder: %w", err)
	}
	defer unlock()
	if exists(path) {
		return nil
	}
	return install()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// waitDelay is how long what a command started may hold on to its output after
// the command itself was stopped.
const waitDelay = 5 * time.Second

// run runs a command in dir and returns what it printed on standard output;
// its error holds what it printed on standard error.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = waitDelay
	cmd.Env = append(os.Environ(), env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}
