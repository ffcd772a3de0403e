// Package process runs a program as a child whose life is bound to ours: when
// this process ends, however it ends, so does the child. The local cloud starts
// with it whatever it does not run in its own process: the functions'
// bootstraps and the table engine.
//
// A child leads a process group of its own. It therefore gets no Ctrl-C meant
// for us, and [Process.Kill] also reaches what it started itself. The group is
// killed as soon as its leader has exited, for whatever reason.
//
// A child can be frozen and thawed, with its group: see [Process.Freeze].
//
// On Linux the kernel kills the child when we die, even by SIGKILL (see
// start_linux.go). On other Unix systems there is no such signal: a child
// survives a parent that is killed, and whoever needs more must find it again,
// for example by its port or its lock file. A frozen one does not stay behind
// there either: POSIX has the kernel send SIGHUP and SIGCONT to the group of a
// stopped process whose parent is gone, of which it dies unless it catches the
// first. Windows is not supported.
package process
