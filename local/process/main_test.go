package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is also the program that the tests run: with the variable ROLE
// it plays one of these and exits.
var roles = map[string]func(){
	"hello": func() {
		fmt.Println("out 1")
		fmt.Fprintln(os.Stderr, "err 1")
		fmt.Println("out 2")
		fmt.Fprint(os.Stderr, "no end")
	},
	"exit 3": func() { os.Exit(3) },
	"environment": func() {
		for _, kv := range os.Environ() {
			fmt.Println(kv)
		}
	},
	"long line": func() {
		fmt.Println(strings.Repeat("a", MaxLine) + "b")
	},
	"directory": func() {
		dir, _ := os.Getwd()
		fmt.Println(dir)
	},
	"sleep": func() {
		fmt.Println("ready")
		select {}
	},
	"flood": func() {
		line := []byte(strings.Repeat("x", 99) + "\n")
		for {
			_, _ = os.Stdout.Write(line)
		}
	},
	"polite": func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("ready")
		<-signals
		fmt.Println("goodbye")
	},
	// It lets hear of itself as long as it runs.
	"heartbeat": func() {
		for i := 0; ; i++ {
			fmt.Println(i)
			time.Sleep(time.Millisecond)
		}
	},
	"parent of a heartbeat": func() {
		self, _ := os.Executable()
		_, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
			Env:   []string{"ROLE=heartbeat"},
			Files: []*os.File{nil, os.Stdout, os.Stdout},
		})
		if err != nil {
			panic(err)
		}
		select {}
	},
	"deaf": func() {
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		select {}
	},
	"memory": func() {
		b := bytes.Repeat([]byte{1}, 64<<20)
		fmt.Println("ready")
		<-make(chan struct{})
		runtime.KeepAlive(b)
	},
	// The three below start a sleeper and say its process id.
	"parent that waits": func() {
		startSleeper(nil)
		select {}
	},
	"parent that exits": func() { startSleeper(nil) },
	"parent of an escapee": func() {
		startSleeper(&syscall.SysProcAttr{Setsid: true})
	},
	// And these two do so by way of the package.
	"parent that freezes": func() {
		p := startByThePackage()
		p.Freeze()
		fmt.Println(p.PID())
		<-p.Done()
	},
	"parent by the package": func() {
		p := startByThePackage()
		fmt.Println(p.PID())
		<-p.Done()
	},
}

// startByThePackage starts a sleeper and waits until it has nothing more to do:
// one that still writes would also end because nobody reads that any more.
func startByThePackage() *Process {
	ready := newLines()
	p, err := Start(context.Background(), child("sleep", ready.add))
	if err != nil {
		panic(err)
	}
	<-ready
	return p
}

func startSleeper(attr *syscall.SysProcAttr) {
	self, _ := os.Executable()
	p, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
		Env:   []string{"ROLE=sleep"},
		Files: []*os.File{nil, os.Stdout, os.Stdout},
		Sys:   attr,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Pid)
}

func TestMain(m *testing.M) {
	if role := os.Getenv("ROLE"); role != "" {
		// A child that a failing test forgets ends by itself.
		time.AfterFunc(time.Minute, func() { os.Exit(99) })
		roles[role]()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child are the options that run a role.
func child(role string, stdout func(string), env ...string) Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Options{Path: self, Env: slices.Concat([]string{"ROLE=" + role}, env), Stdout: stdout}
}
