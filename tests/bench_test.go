package tests

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What the local cloud should keep to. No test fails on it: `make bench` shows
// how much of each limit is used.
const (
	warmUpLimit      = 5 * time.Second
	unchangedUpLimit = 3 * time.Second
	cloudLimit       = 100.0 // MB, with idleConnections
	idleConnections  = 1000
)

// BenchmarkUp measures `make up`: building the command, deploying, and a first
// answer of the stage. What functions and tools are built once is built before.
func BenchmarkUp(b *testing.B) {
	p := newProject(b, "..")
	p.up()
	up := func() {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", chatstack, "./cmd/chatstack")
		build.Dir = p.program
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		p.up()
		ping(b, p.outputs()["endpoint"])
	}
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			p.run("down")
			b.StartTimer()
			up()
		}
		showTime(b, warmUpLimit)
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			up()
		}
		showTime(b, unchangedUpLimit)
	})
}

func showTime(b *testing.B, limit time.Duration) {
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(each.Seconds(), "s")
	b.ReportMetric(100*each.Seconds()/limit.Seconds(), fmt.Sprintf("%%of%v", limit))
	b.ReportMetric(0, "ns/op") // the same in other words
}

// ping asks a stage for its first answer.
func ping(b *testing.B, endpoint string) {
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"action":"ping"}`)); err != nil {
		b.Fatal(err)
	}
	if _, _, err := conn.Read(ctx); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkIdleConnections measures the memory of the local cloud's own process
// while an API has 1,000 connections that say nothing, beside that of a program
// that does nothing but hold as many WebSockets. Functions and the table engine
// are processes of their own and not counted. The API is no chat, whose clients
// would be told of each other and not be idle.
func BenchmarkIdleConnections(b *testing.B) {
	var bare float64
	b.Run("bare server", func(b *testing.B) {
		pid, endpoint := startBareServer(b)
		for b.Loop() {
			bare = residentWithIdle(b, pid, endpoint)
		}
		b.ReportMetric(bare, "MB")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("local cloud", func(b *testing.B) {
		p := newProject(b, "../examples/echo")
		p.up()
		empty := resident(b, p.cloudPID())
		var full float64
		for b.Loop() {
			full = residentWithIdle(b, p.cloudPID(), p.outputs()["endpoint"])
		}
		b.ReportMetric(empty, "MB-without")
		b.ReportMetric(full, "MB")
		b.ReportMetric(100*full/cloudLimit, fmt.Sprintf("%%of%.0fMB", cloudLimit))
		if bare > 0 { // it is measured only where both are asked for
			b.ReportMetric(full/bare, "x-bare")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// residentWithIdle opens connections, waits until nothing is sent to them any
// more, and returns the memory of the process that holds them, in MB.
func residentWithIdle(b *testing.B, pid int, endpoint string) float64 {
	const dialers, quiet = 16, 2 * time.Second
	var all sync.WaitGroup
	var last atomic.Int64 // when the last frame came
	conns := make(chan *websocket.Conn, idleConnections)
	numbers := make(chan int)
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for range numbers {
				conn, _, err := websocket.Dial(b.Context(), endpoint, nil)
				if err != nil {
					b.Error(err)
					continue
				}
				conns <- conn
				all.Go(func() {
					for {
						if _, _, err := conn.Read(context.Background()); err != nil {
							return
						}
						last.Store(time.Now().UnixNano())
					}
				})
			}
		})
	}
	pace := time.NewTicker(3 * time.Millisecond) // AWS takes 500 new connections a second
	defer pace.Stop()
	for i := range idleConnections {
		<-pace.C
		numbers <- i
	}
	close(numbers)
	dialing.Wait()
	close(conns)
	last.CompareAndSwap(0, time.Now().UnixNano())
	eventuallyWithin(b, patience, "the connections are idle", func() bool {
		return time.Since(time.Unix(0, last.Load())) > quiet
	})
	memory := resident(b, pid)
	for conn := range conns {
		conn.CloseNow()
	}
	all.Wait()
	return memory
}

// resident is the memory of a process, in MB of 10⁶ bytes.
func resident(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("this system does not tell a process's memory: %v", err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	var kib float64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		b.Fatal(err)
	}
	return kib * 1024 / 1e6
}

// bareServerVar makes the test binary a program that holds WebSockets.
const bareServerVar = "CHATSTACK_BARE_SERVER"

func startBareServer(b *testing.B) (pid int, endpoint string) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), bareServerVar+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return cmd.Process.Pid, "ws://" + strings.TrimSpace(address)
}

// serveBare holds WebSockets until its standard input ends.
func serveBare() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			if _, _, err := conn.Read(context.Background()); err != nil {
				return
			}
		}
	}))
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
