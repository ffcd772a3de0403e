package components

import (
	"fmt"
	"runtime"
)

// A Platform is what a function's program is built for.
type Platform string

const (
	// LinuxARM64 is Lambda on Graviton, about a fifth cheaper than LinuxAMD64.
	LinuxARM64 Platform = "linux/arm64"
	// LinuxAMD64 is Lambda on x86-64.
	LinuxAMD64 Platform = "linux/amd64"
	// NativePlatform is that of the machine which runs the deployment, whatever
	// its operating system: for a provider that runs functions on that very
	// machine. AWS runs the result only if the machine is a Linux one.
	NativePlatform Platform = "native"
)

// target gives the platform in Go's words and the architecture in Lambda's.
type target struct {
	goos, goarch string
	architecture string
}

// target resolves the platform; "" means LinuxARM64.
func (p Platform) target() (target, error) {
	return p.targetOn(runtime.GOOS, runtime.GOARCH)
}

// targetOn resolves the platform on a machine of the given kind.
func (p Platform) targetOn(hostOS, hostArch string) (target, error) {
	switch p {
	case "", LinuxARM64:
		return target{"linux", "arm64", "arm64"}, nil
	case LinuxAMD64:
		return target{"linux", "amd64", "x86_64"}, nil
	case NativePlatform:
		switch hostArch {
		case "arm64":
			return target{hostOS, hostArch, "arm64"}, nil
		case "amd64":
			return target{hostOS, hostArch, "x86_64"}, nil
		}
		return target{}, badArgument("Platform", string(p),
			fmt.Sprintf("%s or %s on this machine, whose architecture %s is none of Lambda's", LinuxARM64, LinuxAMD64, hostArch))
	}
	return target{}, badArgument("Platform", string(p),
		fmt.Sprintf("%s, %s or %s", LinuxARM64, LinuxAMD64, NativePlatform))
}
