package toolchain

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pack writes a .tgz with one member.
func pack(t *testing.T, path, member, content string) {
	t.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: member, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fakeNPM puts an npm on PATH that delivers an archive for any package, after a
// warning.
func fakeNPM(t *testing.T, archive string) {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\ncp '" + archive + "' ./package.tgz\necho 'a warning' >&2\necho 'a notice'\necho package.tgz\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestAPackageThatWasTamperedWithIsRefused(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "tampered.tgz")
	pack(t, archive, "package/dynoxide", "not the engine")
	fakeNPM(t, archive)
	path := filepath.Join(t.TempDir(), "dynoxide")
	err := fetchDynoxide(t.Context(), "linux-x64", path)
	if err == nil || !strings.Contains(err.Error(), "has digest sha512-") {
		t.Errorf("%v, want the digests", err)
	}
	if exists(path) {
		t.Error("it was installed all the same")
	}
}

func TestTheEngineIsTakenOutOfItsPackage(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "engine.tgz")
	pack(t, archive, "package/dynoxide", "the engine")
	fakeNPM(t, archive)
	path := filepath.Join(t.TempDir(), "new", "dynoxide")
	if err := fetchDynoxide(t.Context(), "darwin-arm64", path); err != nil { // whose digest is not pinned
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "the engine" {
		t.Errorf("installed: %q, %v", content, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("mode %v, %v; want it executable", info.Mode(), err)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestANPMThatFailsIsQuoted(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\necho 'E404 no such package' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	err := fetchDynoxide(t.Context(), "linux-x64", filepath.Join(t.TempDir(), "dynoxide"))
	if err == nil || !strings.Contains(err.Error(), "E404 no such package") || !strings.Contains(err.Error(), "CHATSTACK_DYNAMODB_ENDPOINT") {
		t.Errorf("%v, want what npm said, and the way around it", err)
	}
}

func TestExtractSaysWhatIsWrongWithAnArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other, text := filepath.Join(dir, "other.tgz"), filepath.Join(dir, "text.tgz")
	pack(t, other, "package/../dynoxide", "x")
	if err := os.WriteFile(text, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	for archive, want := range map[string]string{
		other:                            "other.tgz holds no package/dynoxide",
		text:                             "text.tgz: gzip: invalid header",
		filepath.Join(dir, "absent.tgz"): "absent.tgz: no such file",
	} {
		path := filepath.Join(dir, "dynoxide")
		if err := extract(archive, "package/dynoxide", path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if exists(path) {
			t.Errorf("%s: something was installed", archive)
		}
	}
}

func TestPlatformsAreNamedAsByNPM(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ goos, goarch, want string }{
		{"linux", "amd64", "linux-x64"},
		{"linux", "arm64", "linux-arm64"},
		{"darwin", "arm64", "darwin-arm64"},
		{"windows", "amd64", "win32-x64"},
	} {
		if got, err := npmPlatform(test.goos, test.goarch); err != nil || got != test.want {
			t.Errorf("%s/%s is %q, %v; want %q", test.goos, test.goarch, got, err, test.want)
		}
	}
	if _, err := npmPlatform("linux", "riscv64"); err == nil || !strings.Contains(err.Error(), "linux/riscv64") {
		t.Errorf("linux/riscv64: %v, want a refusal that names it", err)
	}
}
