package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are the ways to start the relay apart, the best first.
func namespaces() []*syscall.SysProcAttr {
	const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID
	asRoot := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	return []*syscall.SysProcAttr{
		{
			Cloneflags: apart | syscall.CLONE_NEWUSER, Setpgid: true,
			UidMappings: asRoot(os.Geteuid()), GidMappings: asRoot(os.Getegid()),
		},
		{Cloneflags: apart, Setpgid: true},
	}
}

// loopbackUp brings up the loopback interface of this network namespace.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
