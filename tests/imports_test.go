package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// Rules of who may depend on what, in packages of production code. A rule's
// packages are named below the module; "..." at the end takes what is below.
var importRules = []struct {
	packages []string
	except   []string
	never    []string // import path prefixes
	why      string
}{
	{
		packages: []string{"functions/...", "chat/...", "internal/..."},
		never:    []string{"github.com/pulumi/"},
		why:      "functions run on Lambda and back ends import chat: neither deploys anything",
	},
	{
		packages: []string{"components"},
		never:    []string{"github.com/aws/"},
		why:      "a program that declares resources makes no calls to AWS itself",
	},
	{
		packages: []string{"client"},
		never:    []string{"github.com/pulumi/", "github.com/aws/"},
		why:      "a client knows the protocol and nothing of where it is served",
	},
	{
		packages: []string{"chat/...", "client", "components", "functions/...", "internal/...", "."},
		never:    []string{"local/"},
		why:      "nothing that is deployed knows the local cloud",
	},
}

// Rules of what a package's own files may import.
var directRules = []struct {
	packages []string
	except   []string
	never    []string
	why      string
}{
	{
		packages: []string{"..."},
		except:   []string{"chat/chattable", "internal/connections", "internal/function", "local/...", "functions/...", "cmd/chatstack", "examples/...", "tests/..."},
		never:    []string{"github.com/aws/aws-sdk-go-v2"},
		why:      "the AWS SDK stays behind chattable, connections and the local cloud; what starts functions and commands makes the clients",
	},
	{
		packages: []string{"..."},
		except:   []string{"components", ".", "tests/..."},
		never:    []string{"github.com/pulumi/pulumi-aws"},
		why:      "AWS resources are declared by components alone",
	},
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	whateverTheEngine(t, "nothing runs")
	module := strings.TrimSpace(goOutput(t, "list", "-m"))
	packages := listPackages(t, "./...")
	std := map[string]bool{}
	for _, path := range strings.Fields(goOutput(t, "list", "std")) {
		std[path] = true
	}

	for _, p := range packages {
		name := below(module, p.ImportPath)
		for _, rule := range importRules {
			if matches(name, rule.packages) && !matches(name, rule.except) {
				refuse(t, module, name, p.Deps, rule.never, rule.why)
			}
		}
		for _, rule := range directRules {
			if matches(name, rule.packages) && !matches(name, rule.except) {
				refuse(t, module, name, p.Imports, rule.never, rule.why)
			}
		}
		if name == "chat" {
			for _, dep := range p.Deps {
				if !std[dep] && !strings.HasPrefix(dep, "vendor/") {
					t.Errorf("chat depends on %s: it is the rules alone, with nothing but the standard library", dep)
				}
			}
		}
	}
}

func refuse(t *testing.T, module, name string, imports, never []string, why string) {
	t.Helper()
	for _, path := range imports {
		for _, prefix := range never {
			if strings.HasPrefix(path, prefix) || strings.HasPrefix(below(module, path), prefix) {
				t.Errorf("%s depends on %s: %s", name, path, why)
			}
		}
	}
}

// below returns a package's path below the module, "." for the module's own,
// and a path elsewhere as it is.
func below(module, path string) string {
	if path == module {
		return "."
	}
	if rest, inside := strings.CutPrefix(path, module+"/"); inside {
		return rest
	}
	return path
}

func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		prefix, wild := strings.CutSuffix(pattern, "...")
		if name == strings.TrimSuffix(prefix, "/") || wild && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func listPackages(t *testing.T, pattern string) []goPackage {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(goOutput(t, "list", "-json=ImportPath,Standard,Imports,Deps", pattern)))
	var packages []goPackage
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// goOutput runs the go command in the module's root.
func goOutput(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}
