package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A NotMainError reports a package that cannot become a function because it
// is not a program.
type NotMainError struct {
	Package string // as asked for
	Name    string // what its package clause says
}

func (e *NotMainError) Error() string {
	return fmt.Sprintf("%s is package %s, not a main package", e.Package, e.Name)
}

// A CommandError reports that the go command failed.
type CommandError struct {
	Package string // as asked for
	Args    []string
	Output  string // what it wrote to standard error, unchanged
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("go %s of %s failed:\n%s", e.Args[0], e.Package, e.Output)
}

// goPackage is what the go command knows of a package.
type goPackage struct {
	Dir        string
	ImportPath string
	Name       string
}

// resolve finds the package's directory. An import path is looked up with the
// modules (and the go.work) of the program in dir; the program needs go.sum
// entries for the module that holds it, not for what the package imports.
func resolve(ctx context.Context, dir, pkg string) (goPackage, error) {
	where, arg := dir, pkg
	if isDirectory(pkg) {
		where, arg = pkg, "."
		if !filepath.IsAbs(pkg) {
			where = filepath.Join(dir, pkg)
		}
		if info, err := os.Stat(where); err != nil || !info.IsDir() {
			return goPackage{}, fmt.Errorf("package %s: there is no directory %s", pkg, where)
		}
	}
	out, err := goCommand(ctx, pkg, nil,
		"list", "-C", where, "-mod=readonly", "-find", "-json=Dir,ImportPath,Name", arg)
	if err != nil {
		return goPackage{}, err
	}
	var p goPackage
	if err := json.Unmarshal(out, &p); err != nil {
		return goPackage{}, fmt.Errorf("read what go list says of %s: %w", pkg, err)
	}
	if p.Name != "main" {
		return goPackage{}, &NotMainError{Package: pkg, Name: p.Name}
	}
	return p, nil
}

// isDirectory tells a directory from an import path, as the go command does:
// it is rooted, or begins with a dot element.
func isDirectory(pkg string) bool {
	if filepath.IsAbs(pkg) {
		return true
	}
	first, _, _ := strings.Cut(filepath.ToSlash(pkg), "/")
	return first == "." || first == ".."
}

// compile links the package into the file out, which must keep its name from
// one build to the next: the go command leaves an up-to-date file as it is.
func compile(ctx context.Context, p goPackage, t Target, out string) error {
	env := []string{
		"CGO_ENABLED=0",
		"GOOS=" + t.GOOS,
		"GOARCH=" + t.GOARCH,
		// The lowest levels, which every Lambda host has.
		"GOAMD64=v1",
		"GOARM64=v8.0",
		// What is deployed depends on the module, not on a workspace around it.
		"GOWORK=off",
	}
	_, err := goCommand(ctx, t.Package, env,
		"build", "-C", p.Dir, "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", out, ".")
	return err
}

// pipesDelay is how long a go command that has ended, or was stopped, is waited
// for because compilers that it started still hold its output open. They end by
// themselves; nobody reads what they write.
const pipesDelay = 2 * time.Second

// goCommand runs the go command without the flags that the user's environment
// may add, and returns its standard output.
func goCommand(ctx context.Context, pkg string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	// An empty GOFLAGS would let those of `go env -w` through, so set one that
	// changes nothing: -trimpath is asked for anyway.
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-trimpath"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = pipesDelay
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("go %s of %s: %w", args[0], pkg, ctx.Err())
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, &CommandError{Package: pkg, Args: args, Output: strings.TrimRight(stderr.String(), "\n")}
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("build %s: the go command is not on PATH: %w", pkg, err)
	case err != nil:
		return nil, fmt.Errorf("go %s of %s: %w", args[0], pkg, err)
	}
	return stdout.Bytes(), nil
}
