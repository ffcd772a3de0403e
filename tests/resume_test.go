package tests

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/chatstack/client"
)

// TestGoClientsResume cuts clients off under load, by time and by the death of
// the local cloud, and looks at what each has seen in the end.
func TestGoClientsResume(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	endpoint := p.outputs()["endpoint"]

	const clients, channel = 4, "resume"
	var all []*resumer
	for i := range clients {
		c, err := client.Dial(t.Context(), endpoint, &client.Options{Name: fmt.Sprint("client ", i), MaxBackoff: 2 * time.Second, Retry: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		r := &resumer{client: c, seen: map[string]int64{}, done: make(chan struct{})}
		go r.watch(t)
		defer func() { c.Close(); <-r.done }()
		if err := c.Subscribe(t.Context(), channel); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}

	var sent atomic.Int64
	var senders sync.WaitGroup
	var mu sync.Mutex
	acked := map[string]int64{}
	stop := make(chan struct{})
	for i, r := range all {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				content := fmt.Sprintf("%d.%d", i, n)
				sent.Add(1)
				receipt, err := r.client.Send(t.Context(), channel, content)
				if err != nil {
					t.Errorf("send %s: %v", content, err)
					return
				}
				mu.Lock()
				acked[content] = receipt.Seq
				mu.Unlock()
			}
		})
	}
	more := func(n int64) { // lets n messages more be acknowledged
		t.Helper()
		count := func() int64 { mu.Lock(); defer mu.Unlock(); return int64(len(acked)) }
		until := count() + n
		eventuallyWithin(t, 3*time.Minute, fmt.Sprint(n, " messages more are acknowledged"), func() bool { return count() >= until || t.Failed() })
	}

	back := func(times int) { // lets every client connect so many times
		t.Helper()
		eventuallyWithin(t, time.Minute, "every client is back", func() bool {
			return !slices.ContainsFunc(all, func(r *resumer) bool { return r.connected() < times })
		})
	}

	more(50)
	p.run("clock", "+2h")
	back(2)
	more(50)
	if err := syscall.Kill(p.cloudPID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	down := time.Now()
	p.up()
	outage := time.Since(down)
	back(3)
	more(50)
	close(stop)
	senders.Wait()

	stored := p.stored(channel)
	if len(stored) != len(acked) {
		t.Errorf("%d messages are stored, and %d were acknowledged", len(stored), len(acked))
	}
	gaps, reconnects := 0, 0
	for i, r := range all {
		eventuallyWithin(t, time.Minute, fmt.Sprintf("client %d has seen all", i), func() bool { return r.count() >= len(acked) })
		r.client.Close()
		<-r.done
		for content, seq := range acked {
			if r.seen[content] != seq {
				t.Errorf("client %d saw %s with the number %d, which was acknowledged as %d", i, content, r.seen[content], seq)
			}
		}
		if len(r.seen) != len(acked) {
			t.Errorf("client %d saw %d messages, want %d", i, len(r.seen), len(acked))
		}
		gaps += r.gaps
		reconnects += r.online - 1
	}
	t.Logf("%d clients, %d messages sent, %d acknowledged, %d stored, %d seen by each; %d reconnects, %v without a cloud, %d gaps given up",
		clients, sent.Load(), len(acked), len(stored), len(acked), reconnects, outage.Round(time.Millisecond), gaps)
}

// A resumer is a client that notes what it sees.
type resumer struct {
	client *client.Client
	mu     sync.Mutex
	seen   map[string]int64 // numbers by content
	online int
	gaps   int
	done   chan struct{}
}

func (r *resumer) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// connected gives how often it was.
func (r *resumer) connected() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.online
}

func (r *resumer) watch(t *testing.T) {
	defer close(r.done)
	last := int64(0)
	for e := range r.client.Events() {
		r.mu.Lock()
		switch e := e.(type) {
		case client.Message:
			if e.ChannelID != "resume" {
				break
			}
			if _, twice := r.seen[e.Content]; twice {
				t.Errorf("%s came twice", e.Content)
			}
			if e.Seq <= last && !e.Late {
				t.Errorf("number %d came after %d", e.Seq, last)
			}
			r.seen[e.Content], last = e.Seq, max(last, e.Seq)
		case client.Gap:
			r.gaps++
		case client.StateChange:
			if e.State == client.Online {
				r.online++
			}
		}
		r.mu.Unlock()
	}
}
