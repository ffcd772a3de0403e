package toolchain

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"example.com/chatstack/internal/atomicfile"
)

// dynoxideVersion is the release that the tests run against.
const dynoxideVersion = "1.2.1"

// dynoxideIntegrity pins the packages that were tried, by npm's own digest.
// The siblings for other platforms are taken as npm serves them.
var dynoxideIntegrity = map[string]string{
	"linux-x64": "sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==",
}

// Dynoxide returns the path of the table engine, and fetches it with npm when
// it is not there yet.
func (t Toolchain) Dynoxide(ctx context.Context) (string, error) {
	platform, err := npmPlatform(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	path := filepath.Join(t.Dir, "dynoxide-"+dynoxideVersion, exeName("dynoxide"))
	err = t.once(path, func() error {
		defer t.step("fetching the table engine, Dynoxide " + dynoxideVersion + ", from npm")()
		return fetchDynoxide(ctx, platform, path)
	})
	if err != nil {
		return "", fmt.Errorf("table engine: %w", err)
	}
	return path, nil
}

func fetchDynoxide(ctx context.Context, platform, path string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm is not on PATH: install Node.js with npm, " +
			"or set CHATSTACK_DYNAMODB_ENDPOINT to a DynamoDB-compatible endpoint of your own")
	}
	dir, err := os.MkdirTemp("", "chatstack-dynoxide-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out, err := run(ctx, dir, nil, "npm", "pack", "--silent", "@dynoxide/"+platform+"@"+dynoxideVersion)
	if err != nil {
		return fmt.Errorf("no Dynoxide for %s could be fetched (CHATSTACK_DYNAMODB_ENDPOINT takes any DynamoDB-compatible endpoint instead): %w", platform, err)
	}
	archive := filepath.Join(dir, filepath.Base(lastLine(out)))
	if want := dynoxideIntegrity[platform]; want != "" {
		if err := checkIntegrity(archive, want); err != nil {
			return err
		}
	}
	return extract(archive, "package/"+filepath.Base(path), path)
}

func checkIntegrity(file, want string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha512.Sum512(data)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("the package that npm delivered has digest %s, expected %s", got, want)
	}
	return nil
}

// extract writes one member of a .tgz to path, executable, in one step.
func extract(archive, member, path string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	for members := tar.NewReader(unzipped); ; {
		header, err := members.Next()
		if err == io.EOF {
			return fmt.Errorf("%s holds no %s", filepath.Base(archive), member)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(archive), err)
		}
		if header.Name == member {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			return atomicfile.Copy(path, 0o755, members)
		}
	}
}

// npmPlatform names a platform as npm's binary packages do.
func npmPlatform(goos, goarch string) (string, error) {
	arch, ok := map[string]string{"amd64": "x64", "arm64": "arm64"}[goarch]
	if !ok {
		return "", fmt.Errorf("there is no Dynoxide for %s/%s: set CHATSTACK_DYNAMODB_ENDPOINT to a DynamoDB-compatible endpoint", goos, goarch)
	}
	if goos == "windows" {
		goos = "win32"
	}
	return goos + "-" + arch, nil
}

func exeName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
