package cloud

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFunctionWhoseCodeCannotRunIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.role("r", writeLogs)
	dir := t.TempDir()
	file := func(name, member string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := writeZip(path, member, mode, []byte("no program")); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct{ path, says string }{
		"a zip that is not there":        {filepath.Join(dir, "none.zip"), "none.zip"},
		"a zip without a bootstrap":      {file("a.zip", "main", 0o755), "holds no file named bootstrap at its root"},
		"one that is not executable":     {file("b.zip", "bootstrap", 0o644), "bootstrap is not executable"},
		"a bootstrap that is no program": {file("c.zip", "bootstrap", 0o755), "function f"},
	} {
		t.Run(name, func(t *testing.T) {
			in := functionInputs("f", "1").with(Properties{"code": map[string]any{"hash": name, "path": test.path}})
			_, err := r.Put(t.Context(), declared(typeFunction, "f", in))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
			if r.Get(typeFunction, "f") != nil {
				t.Error("it is noted")
			}
		})
	}
}

// TestOneOldCodeIsKeptForInvocationsThatAreAboutToStartIt changes the code of a
// function again and again.
func TestOneOldCodeIsKeptForInvocationsThatAreAboutToStartIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	function := r.put(typeFunction, "f", functionInputs("f", "1"))
	for _, hash := range []string{"b", "c", "d"} {
		function = r.update(function, Properties{"code": map[string]any{"hash": hash, "path": filepath.Join(code, "2.zip")}})
	}
	entries, err := os.ReadDir(filepath.Join(r.dir, "functions", "f"))
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, entry := range entries {
		kept = append(kept, entry.Name())
	}
	if diff := cmp.Diff([]string{"c", "d"}, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}
