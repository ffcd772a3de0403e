// Package gobuild turns a Go main package into the zip that AWS Lambda runs:
// one entry, bootstrap, whose bytes depend on the source alone. Package
// components calls it while a program is previewed, so that code which does
// not compile stops a deployment before it starts, and unchanged code makes no
// difference in it.
//
// Every build runs inside the module that holds the package, with that
// module's own go.mod and go.sum. This is what lets a program which only
// imports components deploy the functions that come with them: its own go.sum
// does not list what those functions import, but theirs does, and the folder
// may well be the read-only module cache.
package gobuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"example.com/chatstack/internal/atomicfile"
)

// A Target is one main package to build for one platform.
type Target struct {
	// Package is a directory ("./functions/vote", "../x", "/abs/x") or an
	// import path ("example.com/app/functions/vote") that the program's module
	// requires.
	Package string
	// GOOS and GOARCH name the platform, as in `go tool dist list`.
	GOOS, GOARCH string
}

// An Artifact is a finished build.
type Artifact struct {
	// Zip is the absolute path of the archive. It is the same for every build
	// of the same package and platform.
	Zip string
	// SHA256 is the archive's checksum in hexadecimal.
	SHA256 string
}

// A Builder builds packages with the go command found on PATH. Builds may run
// at the same time, in one process or in several: those with the same output
// wait for each other.
type Builder struct {
	// Dir is the program's directory: relative packages start there, and import
	// paths are looked up from its module. Empty means the working directory.
	Dir string
	// CacheDir keeps binaries and zips from one build to the next. Empty means
	// .chatstack/build under Dir, or the user's cache directory where Dir cannot
	// be written.
	CacheDir string
}

// Build compiles the target's package and zips it. What has not changed since
// the last build is neither linked nor zipped again. The error holds the
// compiler's own words if the package does not compile, and is a
// *NotMainError if it is no program.
func (b *Builder) Build(ctx context.Context, t Target) (Artifact, error) {
	dir, err := filepath.Abs(b.Dir) // the working directory if empty
	if err != nil {
		return Artifact{}, fmt.Errorf("find the program's directory: %w", err)
	}
	pkg, err := resolve(ctx, dir, t.Package)
	if err != nil {
		return Artifact{}, err
	}
	cache, err := b.cacheDir(dir)
	if err != nil {
		return Artifact{}, err
	}
	out := filepath.Join(cache, pkg.key(), t.GOOS+"-"+t.GOARCH)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return Artifact{}, fmt.Errorf("make the build directory: %w", err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(out, "lock")).Lock()
	if err != nil {
		return Artifact{}, fmt.Errorf("lock the build directory: %w", err)
	}
	defer unlock()

	bootstrap := filepath.Join(out, "bootstrap")
	if err := compile(ctx, pkg, t, bootstrap); err != nil {
		return Artifact{}, err
	}
	zip := filepath.Join(out, "function.zip")
	if err := writeZip(zip, bootstrap); err != nil {
		return Artifact{}, fmt.Errorf("zip %s: %w", t.Package, err)
	}
	sum, err := checksum(zip)
	if err != nil {
		return Artifact{}, fmt.Errorf("read the zip of %s: %w", t.Package, err)
	}
	return Artifact{Zip: zip, SHA256: sum}, nil
}

// cacheDir returns the absolute directory that keeps the builds, made if it
// was not there, with a .gitignore so that no one commits a binary.
func (b *Builder) cacheDir(program string) (string, error) {
	if b.CacheDir != "" {
		dir, err := filepath.Abs(b.CacheDir)
		if err != nil {
			return "", fmt.Errorf("find the build directory: %w", err)
		}
		return dir, makeCache(dir)
	}
	dir := filepath.Join(program, ".chatstack", "build")
	errProgram := makeCache(dir)
	if errProgram == nil {
		return dir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", errors.Join(errProgram, err)
	}
	dir = filepath.Join(user, "chatstack", "build")
	if err := makeCache(dir); err != nil {
		return "", errors.Join(errProgram, err)
	}
	return dir, nil
}

// makeCache makes dir and proves that it can be written.
func makeCache(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the build directory: %w", err)
	}
	// Written through a rename each time: a probe that two builds may share.
	if err := atomicfile.Write(filepath.Join(dir, ".gitignore"), 0o644, []byte("*\n")); err != nil {
		return fmt.Errorf("write to the build directory: %w", err)
	}
	return nil
}

// key names the package's folder in the cache: readable, and different for
// each directory, so that checkouts which share a cache do not undo each
// other's builds.
func (p goPackage) key() string {
	sum := sha256.Sum256([]byte(p.Dir))
	return path.Base(p.ImportPath) + "-" + hex.EncodeToString(sum[:4])
}

func checksum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
