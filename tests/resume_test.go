package tests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/chatstack/client"
)

// TestClientsResume cuts clients in Go and in JavaScript off under load, by time and
// by the death of the local cloud for ten seconds, and looks at what each has seen
// in the end: every message, once and in order.
func TestClientsResume(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	r := &resumption{t: t, endpoint: p.outputs()["endpoint"], acked: map[string]int64{}, begin: make(chan struct{}), stop: make(chan struct{})}
	const channel, outage = "resume", 10 * time.Second
	for i := range 4 {
		r.dial(channel, fmt.Sprint("go", i))
	}
	if node, err := exec.LookPath("node"); err == nil {
		r.startNode(node, channel, "js")
	} else {
		t.Log("Node is not installed: only Go clients resume")
	}
	r.back(1)
	close(r.begin)
	began := time.Now()
	r.more(50)
	p.run("clock", "+2h")
	r.back(2)
	r.more(50)
	if err := syscall.Kill(p.cloudPID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	time.Sleep(outage) // nothing is to happen in it
	p.up()
	dead := time.Since(killed)
	r.back(3)
	r.more(50)
	close(r.stop)
	r.senders.Wait()

	stored := p.stored(channel)
	if len(stored) != len(r.acked) {
		t.Errorf("%d messages are stored, and %d were acknowledged", len(stored), len(r.acked))
	}
	gaps, reconnects := 0, 0
	for _, w := range r.all {
		eventuallyWithin(t, time.Minute, w.name+" has seen all", func() bool { defer r.lock()(); return len(w.seen) >= len(r.acked) })
		w.end()
		for content, seq := range r.acked {
			if w.seen[content] != seq {
				t.Errorf("%s saw %s with the number %d, which was acknowledged as %d", w.name, content, w.seen[content], seq)
			}
		}
		if len(w.seen) != len(r.acked) {
			t.Errorf("%s saw %d messages, want %d", w.name, len(w.seen), len(r.acked))
		}
		gaps += w.gaps
		reconnects += w.online - 1
	}
	t.Logf("%d clients, %d messages sent, %d acknowledged, %d stored, %d seen by each; %d reconnects, %v without a cloud, %d gaps given up, %v in all",
		len(r.all), r.sent, len(r.acked), len(stored), len(r.acked), reconnects, dead.Round(time.Millisecond), gaps, time.Since(began).Round(time.Second))
}

// A resumption is clients that send and watch.
type resumption struct {
	t        *testing.T
	endpoint string
	all      []*resumer
	begin    chan struct{} // closed once all are in the channel
	stop     chan struct{} // closed once nothing more is to be sent
	senders  sync.WaitGroup

	mu    sync.Mutex
	sent  int
	acked map[string]int64 // numbers by content
}

// A resumer is a client and what it has seen.
type resumer struct {
	name   string
	end    func() // lets it go and waits for it
	seen   map[string]int64
	last   int64
	online int
	gaps   int
}

func (r *resumption) lock() func() {
	r.mu.Lock()
	return r.mu.Unlock
}

func (r *resumption) add(name string) *resumer {
	w := &resumer{name: name, seen: map[string]int64{}}
	r.all = append(r.all, w)
	return w
}

// more lets n messages more be acknowledged.
func (r *resumption) more(n int) {
	r.t.Helper()
	count := func() int { defer r.lock()(); return len(r.acked) }
	until := count() + n
	eventuallyWithin(r.t, time.Minute, fmt.Sprint(n, " messages more are acknowledged"), func() bool { return count() >= until || r.t.Failed() })
}

// back lets every client connect so many times.
func (r *resumption) back(times int) {
	r.t.Helper()
	for _, w := range r.all {
		eventuallyWithin(r.t, time.Minute, w.name+" is back", func() bool { defer r.lock()(); return w.online >= times })
	}
}

// saw takes a message as it comes.
func (r *resumption) saw(w *resumer, content string, seq int64, late bool) {
	defer r.lock()()
	if _, twice := w.seen[content]; twice {
		r.t.Errorf("%s came to %s twice", content, w.name)
	}
	if seq <= w.last && !late {
		r.t.Errorf("number %d came to %s after %d", seq, w.name, w.last)
	}
	w.seen[content], w.last = seq, max(seq, w.last)
}

func (r *resumption) dial(channel, name string) {
	c, err := client.Dial(r.t.Context(), r.endpoint, &client.Options{
		Name: name, MaxBackoff: 2 * time.Second, Retry: time.Second, Settle: 10 * time.Second,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	w := r.add(name)
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range c.Events() {
			switch e := e.(type) {
			case client.Message:
				if e.ChannelID == channel {
					r.saw(w, e.Content, e.Seq, e.Late)
				}
			case client.Gap:
				unlock := r.lock()
				w.gaps++
				unlock()
			case client.StateChange:
				unlock := r.lock()
				if e.State == client.Online {
					w.online++
				}
				unlock()
			}
		}
	})
	w.end = func() { c.Close(); watching.Wait() }
	r.t.Cleanup(w.end)
	if err := c.Subscribe(r.t.Context(), channel); err != nil {
		r.t.Fatal(err)
	}
	r.senders.Go(func() {
		<-r.begin
		for n := 0; ; n++ {
			select {
			case <-r.stop:
				return
			default:
			}
			unlock := r.lock()
			r.sent++
			unlock()
			content := fmt.Sprintf("%s.%d", name, n)
			receipt, err := c.Send(r.t.Context(), channel, content)
			if err != nil {
				r.t.Errorf("send %s: %v", content, err)
				return
			}
			unlock = r.lock()
			r.acked[content] = receipt.Seq
			unlock()
		}
	})
}

// startNode runs resume.mjs.
func (r *resumption) startNode(node, channel, name string) {
	ctx, cancel := context.WithCancel(r.t.Context())
	cmd := exec.CommandContext(ctx, node, "--experimental-websocket", "resume.mjs", r.endpoint, channel, name)
	cmd.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	input, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	w := r.add(name)
	var reading sync.WaitGroup
	done := make(chan struct{})
	reading.Go(func() {
		finish := sync.OnceFunc(func() { close(done) })
		defer finish()
		for lines := bufio.NewScanner(output); lines.Scan(); {
			var line struct {
				What, Content string
				Seq           int64
				Late          bool
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				r.t.Errorf("%s prints %q", name, lines.Text())
			}
			if line.What == "seen" {
				r.saw(w, line.Content, line.Seq, line.Late)
				continue
			}
			unlock := r.lock()
			switch line.What {
			case "sent":
				r.sent++
			case "acked":
				r.acked[line.Content] = line.Seq
			case "failed":
				r.t.Errorf("send %s", line.Content)
			case "online":
				w.online++
			case "gap":
				w.gaps++
			case "done":
				finish()
			}
			unlock()
		}
	})
	r.senders.Go(func() {
		<-r.begin
		io.WriteString(input, "begin")
		<-r.stop
		input.Close()
		<-done
	})
	w.end = sync.OnceFunc(func() {
		cancel()
		reading.Wait()
		cmd.Wait()
		if complaints.Len() > 0 {
			r.t.Errorf("%s complains: %s", name, complaints.String())
		}
	})
	r.t.Cleanup(w.end)
}
