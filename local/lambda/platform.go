package lambda

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"fmt"
	"io"
	"os"
	"runtime"
)

// A platform is an operating system and an architecture by Go's names.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

func thisMachine() platform { return platform{runtime.GOOS, runtime.GOARCH} }

// checkPlatform says what an executable was built for, if that is not this
// machine. A script runs wherever its interpreter does.
func checkPlatform(path string, here platform) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	defer f.Close()
	start := make([]byte, 4)
	n, err := f.ReadAt(start, 0)
	if n < len(start) && err != nil && err != io.EOF {
		return fmt.Errorf("bootstrap %s: %w", path, err)
	}
	if bytes.HasPrefix(start[:n], []byte("#!")) {
		return nil
	}
	built, ok := builtFor(f)
	if !ok {
		return fmt.Errorf("bootstrap %s: neither an executable known here nor a script (it would begin with #!)", path)
	}
	if built != here {
		return fmt.Errorf("bootstrap %s is built for %v and this machine is %v: set the functions' target platform to \"native\"", path, built, here)
	}
	return nil
}

// builtFor reads the platform from an executable's header.
func builtFor(r io.ReaderAt) (platform, bool) {
	if f, err := elf.NewFile(r); err == nil {
		// ELF names no operating system here that could be relied on: Go leaves
		// the field empty for Linux. Of the systems that run the local cloud
		// only Linux has ELF.
		switch f.Machine {
		case elf.EM_X86_64:
			return platform{"linux", "amd64"}, true
		case elf.EM_AARCH64:
			return platform{"linux", "arm64"}, true
		}
		return platform{"linux", f.Machine.String()}, true
	}
	if f, err := macho.NewFile(r); err == nil {
		switch f.Cpu {
		case macho.CpuAmd64:
			return platform{"darwin", "amd64"}, true
		case macho.CpuArm64:
			return platform{"darwin", "arm64"}, true
		}
		return platform{"darwin", f.Cpu.String()}, true
	}
	return platform{}, false
}
