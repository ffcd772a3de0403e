package toolchain

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pulumiVersion is the release of the Pulumi CLI that is built where none is
// installed. Its module has replace directives, so that `go install` refuses
// it: it is built from a module of ours that requires it.
const pulumiVersion = "v3.200.0"

const pulumiPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

//go:embed pulumi/cli.mod pulumi/cli.sum
var pulumiModule embed.FS

// pulumiOldest is the oldest installed release that is used: older ones do not
// know what Pulumi.yaml says of its settings, or cannot be attached.
const pulumiOldest = pulumiVersion

// Pulumi returns the path of a Pulumi CLI: the one on PATH unless it is too old,
// or else our own, which is built on first use.
func (t Toolchain) Pulumi(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("pulumi"); err == nil {
		version, err := run(ctx, "", []string{"PULUMI_SKIP_UPDATE_CHECK=true"}, path, "version")
		if err == nil && !older(strings.TrimSpace(version), pulumiOldest) {
			return path, nil
		}
	}
	path := filepath.Join(t.Dir, "pulumi-"+pulumiVersion, exeName("pulumi"))
	err := t.once(path, func() error {
		defer t.step("building the Pulumi CLI " + pulumiVersion + " from its Go module (once; about two minutes on two cores, plus the download)")()
		return buildPulumi(ctx, path)
	})
	if err != nil {
		return "", fmt.Errorf("pulumi CLI: %w", err)
	}
	return path, nil
}

// older compares two versions such as v3.200.0. What is no version is old.
func older(version, than string) bool {
	a, b := numbers(version), numbers(than)
	return slices.Compare(a[:], b[:]) < 0
}

func numbers(version string) (n [3]int) {
	fmt.Sscanf(version, "v%d.%d.%d", &n[0], &n[1], &n[2])
	return n
}

func buildPulumi(ctx context.Context, path string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("go is not on PATH: install Go, or the Pulumi CLI itself")
	}
	dir, err := os.MkdirTemp("", "chatstack-pulumi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := "//go:build tools\n\npackage pulumicli\n\nimport _ \"" + pulumiPackage + "\"\n"
	files := map[string][]byte{"cli.go": []byte(source)}
	for _, name := range []string{"mod", "sum"} {
		content, err := pulumiModule.ReadFile("pulumi/cli." + name)
		if err != nil {
			return err
		}
		files["go."+name] = content
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// The Automation API and plugins ask a CLI for its version, which only the
	// linker can give it.
	ldflags := "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + pulumiVersion
	built := path + ".part"
	_, err = run(ctx, dir, []string{"GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0"},
		"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", built, pulumiPackage)
	if err != nil {
		return err
	}
	return os.Rename(built, path)
}
