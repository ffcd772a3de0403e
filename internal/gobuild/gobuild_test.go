package gobuild

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const helloMain = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

// writeFiles makes a directory that holds files, by slash-separated path.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// helloModule makes a module with one program in functions/hello.
func helloModule(t *testing.T) string {
	return writeFiles(t, map[string]string{
		"go.mod":                  "module example.com/app\n\ngo 1.26.0\n",
		"functions/hello/main.go": helloMain,
	})
}

func hostTarget(pkg string) Target {
	return Target{Package: pkg, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH}
}

func mustBuild(t *testing.T, b *Builder, target Target) Artifact {
	t.Helper()
	a, err := b.Build(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestZipHoldsOneExecutableForThePlatform(t *testing.T) {
	t.Parallel()
	b := &Builder{Dir: helloModule(t)}
	a := mustBuild(t, b, Target{Package: "./functions/hello", GOOS: "linux", GOARCH: "arm64"})

	if !filepath.IsAbs(a.Zip) {
		t.Errorf("zip path %q is not absolute", a.Zip)
	}
	z, err := zip.OpenReader(a.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" {
		t.Fatalf("zip holds %d entries, the first %q; want bootstrap alone", len(z.File), z.File[0].Name)
	}
	entry := z.File[0]
	if got := entry.Mode().Perm(); got != 0o755 {
		t.Errorf("bootstrap has mode %v, want 0755", got)
	}
	if !entry.Modified.Equal(zipTime()) {
		t.Errorf("bootstrap was modified %v, want %v", entry.Modified, zipTime())
	}
	r, err := entry.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	binary, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatalf("bootstrap is no ELF file: %v", err)
	}
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("bootstrap is for %v, want arm64", f.Machine)
	}
}

func TestSameSourceGivesSameBytesInAnyFolder(t *testing.T) {
	t.Parallel()
	var zips [][]byte
	var sums []string
	for range 2 {
		a := mustBuild(t, &Builder{Dir: helloModule(t)}, hostTarget("./functions/hello"))
		text, err := os.ReadFile(a.Zip)
		if err != nil {
			t.Fatal(err)
		}
		zips, sums = append(zips, text), append(sums, a.SHA256)
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Errorf("two folders gave different zips: %s and %s", sums[0], sums[1])
	}
	if sums[0] != sums[1] {
		t.Errorf("checksums differ: %s and %s", sums[0], sums[1])
	}
}

func TestOnlyChangedCodeIsZippedAgain(t *testing.T) {
	t.Parallel()
	dir := helloModule(t)
	b := &Builder{Dir: dir}
	main := filepath.Join(dir, "functions", "hello", "main.go")
	stat := func(a Artifact) os.FileInfo {
		info, err := os.Stat(a.Zip)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}

	first := mustBuild(t, b, hostTarget("./functions/hello"))
	before := stat(first)

	if err := os.Chtimes(main, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	same := mustBuild(t, b, hostTarget("./functions/hello"))
	if same != first || !os.SameFile(before, stat(same)) {
		t.Error("the zip of unchanged code was written again")
	}

	if err := os.WriteFile(main, []byte(strings.Replace(helloMain, "hello", "good bye", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	changed := mustBuild(t, b, hostTarget("./functions/hello"))
	if changed.SHA256 == first.SHA256 {
		t.Error("changed code gave the same checksum")
	}
	if changed.Zip != first.Zip {
		t.Errorf("the zip moved from %s to %s", first.Zip, changed.Zip)
	}

	if err := os.WriteFile(main, []byte(helloMain), 0o644); err != nil {
		t.Fatal(err)
	}
	if back := mustBuild(t, b, hostTarget("./functions/hello")); back.SHA256 != first.SHA256 {
		t.Error("code changed back gave another checksum")
	}
}

func TestDamagedZipIsWrittenAgain(t *testing.T) {
	t.Parallel()
	b := &Builder{Dir: helloModule(t)}
	first := mustBuild(t, b, hostTarget("./functions/hello"))
	if err := os.Truncate(first.Zip, 1000); err != nil {
		t.Fatal(err)
	}
	if again := mustBuild(t, b, hostTarget("./functions/hello")); again != first {
		t.Errorf("a truncated zip was rebuilt as %v, want %v", again, first)
	}
}

func TestCompilerErrorComesBackVerbatim(t *testing.T) {
	t.Parallel()
	b := &Builder{Dir: writeFiles(t, map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n",
		"main.go": "package main\n\nfunc main() { missing() }\n",
	})}
	_, err := b.Build(t.Context(), hostTarget("."))
	var failed *CommandError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a CommandError", err)
	}
	want := "# example.com/app\n./main.go:3:15: undefined: missing"
	if failed.Output != want {
		t.Errorf("compiler said\n%s\nwant\n%s", failed.Output, want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not hold the compiler's words", err)
	}
}

func TestPackagesThatAreNoFunction(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"go.mod":           "module example.com/app\n\ngo 1.26.0\n",
		"rules/rules.go":   "package rules\n",
		"empty/readme.txt": "no Go here\n",
	})
	for _, test := range []struct{ pkg, want string }{
		{"./rules", "./rules is package rules, not a main package"},
		{"example.com/app/rules", "example.com/app/rules is package rules, not a main package"},
		{"./absent", "there is no directory " + filepath.Join(dir, "absent")},
		{"./empty", "no Go files in"},
		{"example.com/app/absent", "example.com/app/absent"},
		{"example.com/other/x", "example.com/other/x"},
	} {
		t.Run(test.pkg, func(t *testing.T) {
			t.Parallel()
			_, err := (&Builder{Dir: dir}).Build(t.Context(), hostTarget(test.pkg))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			var notMain *NotMainError
			if got, want := errors.As(err, &notMain), strings.Contains(test.want, "not a main"); got != want {
				t.Errorf("error %v is a NotMainError: %v, want %v", err, got, want)
			}
		})
	}
}

func TestParallelBuildsShareAFolder(t *testing.T) {
	t.Parallel()
	dir := helloModule(t)
	const builders = 6
	artifacts := make([]Artifact, builders)
	errs := make([]error, builders)
	var wg sync.WaitGroup
	for i := range builders {
		wg.Go(func() {
			// A Builder of its own: nothing but the file lock keeps them apart,
			// as in processes of their own.
			artifacts[i], errs[i] = (&Builder{Dir: dir}).Build(t.Context(), hostTarget("./functions/hello"))
		})
	}
	wg.Wait()
	for i := range builders {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if artifacts[i] != artifacts[0] {
			t.Errorf("build %d gave %v, want %v", i, artifacts[i], artifacts[0])
		}
	}
}

func TestCancelledBuildStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&Builder{Dir: helloModule(t)}).Build(ctx, hostTarget("./functions/hello"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestCancelledBuildDoesNotWaitForCompilers stands a program in for the go
// command that starts another one, which holds its output open and goes on.
func TestCancelledBuildDoesNotWaitForCompilers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	dir := t.TempDir()
	pid := filepath.Join(dir, "pid")
	script := "#!/bin/sh\nsleep 60 &\necho $! >" + pid + ".new\nmv " + pid + ".new " + pid + "\nwait\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	program := helloModule(t)
	go func() {
		_, err := (&Builder{Dir: program}).Build(ctx, hostTarget("./functions/hello"))
		result <- err
	}()
	t.Cleanup(func() { stopProcess(t, waitForFile(t, pid)) })
	waitForFile(t, pid)
	cancel()
	select {
	case err := <-result:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the build still waits for what the go command started")
	}
}

// waitForFile returns a file's text once it is there.
func waitForFile(t *testing.T, file string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("%s is not there", file)
	return ""
}

// stopProcess ends a process, given its id as text.
func stopProcess(t *testing.T, id string) {
	t.Helper()
	pid, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

func TestCacheIsIgnoredByGit(t *testing.T) {
	t.Parallel()
	dir := helloModule(t)
	a := mustBuild(t, &Builder{Dir: dir}, hostTarget("./functions/hello"))
	cache := filepath.Join(dir, ".chatstack", "build")
	if !strings.HasPrefix(a.Zip, cache+string(filepath.Separator)) {
		t.Errorf("zip %s is not under %s", a.Zip, cache)
	}
	text, err := os.ReadFile(filepath.Join(cache, ".gitignore"))
	if err != nil || string(text) != "*\n" {
		t.Errorf(".gitignore holds %q, %v; want a star", text, err)
	}
}

func TestCacheFallsBackToTheUsersOwn(t *testing.T) {
	dir := helloModule(t)
	// A file where the folder should be: a directory that cannot be written
	// would not stop root.
	if err := os.WriteFile(filepath.Join(dir, ".chatstack"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, home)
	}
	t.Setenv("GOCACHE", goEnv(t, "GOCACHE"))
	a := mustBuild(t, &Builder{Dir: dir}, hostTarget("./functions/hello"))
	if !strings.HasPrefix(a.Zip, home) {
		t.Errorf("zip %s is not under the user's cache %s", a.Zip, home)
	}
}

func TestUsersGoFlagsDoNotCount(t *testing.T) {
	dir := helloModule(t)
	plain := mustBuild(t, &Builder{Dir: dir}, hostTarget("./functions/hello"))

	config := filepath.Join(t.TempDir(), "env")
	text := fmt.Sprintf("GOFLAGS=-tags=x -mod=vendor\nGOCACHE=%s\n", goEnv(t, "GOCACHE"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOENV", config) // what `go env -w` writes
	for _, flags := range []string{"", "-tags=y -ldflags=-X=main.x=1"} {
		t.Setenv("GOFLAGS", flags)
		if got := mustBuild(t, &Builder{Dir: dir}, hostTarget("./functions/hello")); got != plain {
			t.Errorf("GOFLAGS=%q gave %v, want %v", flags, got, plain)
		}
	}
}
