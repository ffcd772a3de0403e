package cloud

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"example.com/chatstack/internal/atomicfile"
)

// unpack takes the bootstrap out of the function's zip, once for each code.
func (c *Cloud) unpack(r *Resource) (string, error) {
	code := r.Inputs.sub("code")
	path := c.path("functions", r.ID, code.text("hash"), "bootstrap")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	archive, err := zip.OpenReader(code.text("path"))
	if err != nil {
		return "", fmt.Errorf("open its zip: %w", err)
	}
	defer archive.Close()
	for _, member := range archive.File {
		if member.Name != "bootstrap" {
			continue
		}
		if member.Mode()&0o111 == 0 {
			return "", fmt.Errorf("%s: bootstrap is not executable; Lambda would not start it", code.text("path"))
		}
		content, err := member.Open()
		if err != nil {
			return "", err
		}
		defer content.Close()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		return path, atomicfile.Copy(path, 0o755, content)
	}
	return "", fmt.Errorf("%s holds no file named bootstrap at its root, which provided.al2023 starts", code.text("path"))
}

// dropOldCode removes the code that a function had before, but for the latest:
// an invocation that was let in before the change may be about to start it.
func dropOldCode(c *Cloud, r *Resource) error {
	entries, err := os.ReadDir(c.path("functions", r.ID))
	if err != nil {
		return nil // the function itself was deleted
	}
	type code struct {
		path string
		at   time.Time
	}
	var old []code
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.Name() != r.Inputs.sub("code").text("hash") {
			old = append(old, code{c.path("functions", r.ID, entry.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(old, func(a, b code) int { return b.at.Compare(a.at) })
	for _, code := range old[min(1, len(old)):] {
		if err := os.RemoveAll(code.path); err != nil {
			return err
		}
	}
	return nil
}
