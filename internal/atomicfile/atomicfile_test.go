package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	check := func(content string, perm os.FileMode) {
		t.Helper()
		got, err := os.ReadFile(file)
		if err != nil || string(got) != content {
			t.Errorf("%q, %v, want %q", got, err, content)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != perm {
			t.Errorf("%v, %v, want %v", info.Mode(), err, perm)
		}
		if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
			t.Errorf("left beside the file: %v, %v", entries, err)
		}
	}
	if err := Write(file, 0o600, []byte("old")); err != nil {
		t.Fatal(err)
	}
	check("old", 0o600)

	broken := errors.New("broken")
	err := Replace(file, 0o644, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the writer's error", err)
	}
	check("old", 0o600)

	if err := Write(file, 0o755, []byte("new")); err != nil {
		t.Fatal(err)
	}
	check("new", 0o755)
	if err := Write(filepath.Join(file+" is missing", "file"), 0o755, nil); err == nil {
		t.Error("no error where the folder is missing")
	}
}
