package gobuild

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goEnv returns a setting of the go command.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// runGo runs the go command in dir and returns everything it wrote.
func runGo(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// library is a module like this one: a package that programs import, and a
// function that imports a module which the program knows nothing of.
func library(t *testing.T) map[string]string {
	t.Helper()
	const dep = "github.com/google/go-cmp"
	version, err := runGo(".", "list", "-m", "-f", "{{.Version}}", dep)
	if err != nil {
		t.Fatal(version)
	}
	version = strings.TrimSpace(version)
	root, err := runGo(".", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		t.Fatal(root)
	}
	sums, err := os.ReadFile(filepath.Join(strings.TrimSpace(root), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	var sum strings.Builder
	for line := range strings.Lines(string(sums)) {
		if strings.HasPrefix(line, dep+" "+version) {
			sum.WriteString(line)
		}
	}
	return map[string]string{
		"go.mod":               fmt.Sprintf("module example.com/lib\n\ngo 1.26.0\n\nrequire %s %s\n", dep, version),
		"go.sum":               sum.String(),
		"components/lib.go":    "package components\n",
		"functions/vote/v.go":  "package main\n\nimport (\n\t\"fmt\"\n\n\t\"" + dep + "/cmp\"\n)\n\nfunc main() { fmt.Println(cmp.Equal(1, 1)) }\n",
		"functions/vote/x_.md": "not code\n",
	}
}

const consumerMain = "package main\n\nimport _ \"example.com/lib/components\"\n\nfunc main() {}\n"

func TestBuildsFromAModuleThatOnlyImportsTheComponents(t *testing.T) {
	t.Parallel()
	lib := writeFiles(t, library(t))
	app := writeFiles(t, map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => " + lib + "\n",
		"main.go": consumerMain,
	})
	if out, err := runGo(app, "mod", "tidy"); err != nil {
		t.Fatal(out)
	}
	if out, err := runGo(app, "build", "-o", os.DevNull, "example.com/lib/functions/vote"); err == nil {
		t.Fatalf("the plain go build that this package avoids works after all: %s", out)
	}

	a := mustBuild(t, &Builder{Dir: app}, hostTarget("example.com/lib/functions/vote"))
	own := mustBuild(t, &Builder{Dir: lib}, hostTarget("./functions/vote"))
	if a.SHA256 != own.SHA256 {
		t.Error("the consumer's build differs from the module's own")
	}
	if !strings.HasPrefix(a.Zip, app) {
		t.Errorf("zip %s is not under the program's directory %s", a.Zip, app)
	}
}

func TestBuildsInTheReadOnlyModuleCache(t *testing.T) {
	modcache := goEnv(t, "GOMODCACHE")
	files := library(t)
	proxy := t.TempDir()
	publish(t, proxy, "example.com/lib", "v1.2.3", files)

	cache := t.TempDir()
	t.Cleanup(func() { makeWritable(t, cache) })
	t.Setenv("GOMODCACHE", cache)
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(filepath.Join(modcache, "cache", "download")))
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOFLAGS", "")

	app := writeFiles(t, map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/lib v1.2.3\n",
		"main.go": consumerMain,
	})
	if out, err := runGo(app, "mod", "tidy"); err != nil {
		t.Fatal(out)
	}
	dir := filepath.Join(cache, "example.com", "lib@v1.2.3")
	before := listing(t, dir)

	a := mustBuild(t, &Builder{Dir: app}, hostTarget("example.com/lib/functions/vote"))
	own := mustBuild(t, &Builder{Dir: writeFiles(t, files)}, hostTarget("./functions/vote"))
	if a.SHA256 != own.SHA256 {
		t.Error("the build in the module cache differs from one in a checkout")
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the module cache changed from\n%s\nto\n%s", before, after)
	}
}

func TestVendoredProgramStillFindsTheFunctions(t *testing.T) {
	t.Parallel()
	lib := writeFiles(t, library(t))
	app := writeFiles(t, map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => " + lib + "\n",
		"main.go": consumerMain,
	})
	for _, args := range [][]string{{"mod", "tidy"}, {"mod", "vendor"}} {
		if out, err := runGo(app, args...); err != nil {
			t.Fatal(out)
		}
	}
	mustBuild(t, &Builder{Dir: app}, hostTarget("example.com/lib/functions/vote"))
}

// publish puts a version of a module into a file-system module proxy.
func publish(t *testing.T, proxy, module, version string, files map[string]string) {
	t.Helper()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range files {
		w, err := z.Create(module + "@" + version + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		version + ".info": fmt.Sprintf(`{"Version":%q}`, version),
		version + ".mod":  files["go.mod"],
		version + ".zip":  archive.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// listing names every file under dir with its mode and size.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s %v %d\n", file, info.Mode(), info.Size())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// makeWritable lets the test's folder be removed: the go command makes the
// module cache read-only.
func makeWritable(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(file, 0o755)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
