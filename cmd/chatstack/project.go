package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
	"golang.org/x/term"

	"example.com/chatstack/internal/toolchain"
)

// stage is the Pulumi stack that chatstack deploys.
const stage = "local"

// A project is a Pulumi program and the folder that keeps all that belongs to
// it on this machine.
type project struct {
	dir   string // holds Pulumi.yaml
	home  string // .chatstack
	tools toolchain.Toolchain
	steps *steps
}

func openProject(program, home string) (*project, error) {
	start, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	dir, err := findUp(start, "Pulumi.yaml")
	if err != nil {
		return nil, &exitError{code: exitUsage, text: fmt.Sprintf("there is no Pulumi.yaml in %s or above it: run chatstack inside a Pulumi program, or name its folder with --program", start)}
	}
	if home == "" {
		home = filepath.Join(dir, ".chatstack")
	}
	if home, err = filepath.Abs(home); err != nil {
		return nil, err
	}
	steps := &steps{out: os.Stderr, terminal: isTerminal(os.Stderr)}
	return &project{
		dir: dir, home: home, steps: steps,
		tools: toolchain.Toolchain{Dir: toolchain.Find(dir), Step: steps.begin},
	}, nil
}

func findUp(dir, name string) (string, error) {
	for {
		_, err := os.Stat(filepath.Join(dir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		if dir == filepath.Dir(dir) {
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}

func (p *project) path(elem ...string) string {
	return filepath.Join(append([]string{p.home}, elem...)...)
}

var nameLine = regexp.MustCompile(`(?m)^name:\s*["']?([^"'\s#]+)`)

// name is the Pulumi project's, by which its stacks are filed; "*" where it
// cannot be read, and Pulumi will say why.
func (p *project) name() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "Pulumi.yaml"))
	found := nameLine.FindSubmatch(text)
	if err != nil || found == nil {
		return "*"
	}
	return string(found[1])
}

// makeHome makes the project's folder, which git is told to ignore.
func (p *project) makeHome() error {
	if err := os.MkdirAll(p.home, 0o755); err != nil {
		return err
	}
	ignore := p.path(".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	return os.WriteFile(ignore, []byte("*\n"), 0o644)
}

// lock keeps two deployments of one project from running at a time: the second
// waits for the first.
func (p *project) lock(ctx context.Context) (unlock func(), err error) {
	if err := p.makeHome(); err != nil {
		return nil, err
	}
	type result struct {
		unlock func()
		err    error
	}
	locked := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(p.path("deploy.lock")).Lock()
		locked <- result{unlock, err}
	}()
	select {
	case r := <-locked:
		return r.unlock, r.err
	case <-ctx.Done():
		return nil, ctx.Err() // the process ends, and the wait with it
	}
}

// named returns the names that have part in them.
func (p *project) named(what string, names []string, part string) ([]string, error) {
	found := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(name, part) })
	switch {
	case len(found) > 0:
		return found, nil
	case len(names) == 0:
		return nil, fmt.Errorf("no %s is deployed: `%s` deploys the stage", what, p.how("up"))
	}
	return nil, fmt.Errorf("no %s has %q in its name; these are there: %s", what, part, strings.Join(names, ", "))
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }
