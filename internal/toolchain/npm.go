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
	"strings"

	"example.com/chatstack/internal/atomicfile"
)

// npmPack fetches a package, given as NAME@VERSION, and checks it against npm's
// own digest of it; an empty digest takes it as it is served. Whoever calls it
// removes the archive when it is done with.
func npmPack(ctx context.Context, spec, integrity string) (archive string, remove func(), err error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", nil, errors.New("npm is not on PATH: install Node.js with npm")
	}
	dir, err := os.MkdirTemp("", "chatstack-npm-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	out, err := run(ctx, dir, nil, "npm", "pack", "--silent", spec)
	if err == nil {
		archive = filepath.Join(dir, filepath.Base(lastLine(out)))
		if integrity != "" {
			err = checkIntegrity(archive, integrity)
		}
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return archive, remove, nil
}

func checkIntegrity(file, want string) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, opened); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("the package that npm delivered has digest %s, expected %s", got, want)
	}
	return nil
}

// extract writes one member of a .tgz to path, executable, in one step.
func extract(archive, member, path string) error {
	found := false
	err := eachMember(archive, func(name string, content io.Reader) error {
		if name != member || found {
			return nil
		}
		found = true
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return atomicfile.Copy(path, 0o755, content)
	})
	if err == nil && !found {
		err = fmt.Errorf("%s holds no %s", filepath.Base(archive), member)
	}
	return err
}

// extractFolder writes the files of a .tgz whose names begin with folder, which
// ends in a slash, to dir, in one step.
func extractFolder(archive, folder, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(part)
	if err != nil {
		return err
	}
	defer root.Close()
	count := 0
	err = eachMember(archive, func(name string, content io.Reader) error {
		name, below := strings.CutPrefix(name, folder)
		if !below {
			return nil
		}
		count++
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return err
	}
	if count == 0 {
		return fmt.Errorf("%s holds no %s", filepath.Base(archive), folder)
	}
	return os.Rename(part, dir)
}

// eachMember calls do for each file of a .tgz.
func eachMember(archive string, do func(name string, content io.Reader) error) error {
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
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(archive), err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := do(header.Name, members); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(archive), header.Name, err)
		}
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
