package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A plan is one run of the property.
type plan struct {
	Seed              uint64
	Clients, Messages int
	Cuts              int
	Users             bool // the stage knows who they are
	Faults            faults
}

// TestWhatIsAcknowledgedComesOnceAndInOrder drives clients through random faults:
// every acknowledged message is seen once and in order by everyone who is in the
// channel, nothing is lost, and no message is stored twice.
func TestWhatIsAcknowledgedComesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	total := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		percent := func(name string, most int) int { return rapid.IntRange(0, most).Draw(rt, name) }
		p := plan{
			Seed:    rapid.Uint64().Draw(rt, "seed"),
			Clients: rapid.IntRange(1, 3).Draw(rt, "clients"), Messages: rapid.IntRange(1, 25).Draw(rt, "messages"),
			Cuts: rapid.IntRange(0, 6).Draw(rt, "cuts"), Users: rapid.Bool().Draw(rt, "users"),
			Faults: faults{
				LoseFrame: percent("lose frame", 20), LoseAnswer: percent("lose answer", 30), Foreign: percent("foreign", 100),
				BreakOff: percent("break off", 30), Slow: percent("slow", 30), LoseEvent: percent("lose event", 40),
				DoubleEvent: percent("double event", 40), Join: percent("join", 50),
				MaxDelay: time.Duration(rapid.IntRange(0, 2000).Draw(rt, "delay")) * time.Millisecond,
			},
		}
		if err := p.run(t, total); err != nil {
			rt.Fatal(err)
		}
	})
	t.Log(total)
}

// TestTheWorstOfEverything is the property where all goes wrong at once.
func TestTheWorstOfEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		p := plan{Seed: seed, Clients: 3, Messages: 25, Cuts: 6, Users: seed%2 == 0, Faults: faults{
			LoseFrame: 20, LoseAnswer: 30, Foreign: 50, BreakOff: 30, Slow: 30, LoseEvent: 40, DoubleEvent: 40, Join: 50, MaxDelay: 2 * time.Second,
		}}
		if err := p.run(t, map[string]int{}); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func (p plan) run(t *testing.T, total map[string]int) (err error) {
	synctest.Test(t, func(t *testing.T) { err = p.inBubble(t.Context(), total) })
	return err
}

// A witness is a client that is in the channel "all", and what it saw there.
type witness struct {
	client *Client
	seen   map[string]int // times, by content
	wrong  []error
	gaps   int
	done   chan struct{}
}

func (w *witness) watch() {
	defer close(w.done)
	last := int64(0)
	for e := range w.client.Events() {
		switch e := e.(type) {
		case Message:
			w.seen[e.Content]++
			switch {
			case e.Late:
			case e.Seq <= last:
				w.wrong = append(w.wrong, fmt.Errorf("number %d came after %d", e.Seq, last))
			default:
				last = e.Seq
			}
		case Gap:
			w.gaps++
			if e.From != last+1 || e.To < e.From {
				w.wrong = append(w.wrong, fmt.Errorf("gap %d to %d after %d", e.From, e.To, last))
			}
			last = e.To
		}
	}
}

func (p plan) inBubble(ctx context.Context, total map[string]int) error {
	s := newStage(p.Seed)
	random := rand.New(rand.NewPCG(p.Seed, 2))
	var witnesses []*witness
	if p.Users {
		s.you = func(subprotocols []string) map[string]any { return map[string]any{"user": subprotocols[1]} }
	}
	for i := range p.Clients {
		token := func(context.Context) (string, error) { return fmt.Sprint(i), nil }
		c, err := Dial(ctx, "memory", &Options{Dial: s.dial, Token: token})
		if err != nil {
			return err
		}
		w := &witness{client: c, seen: map[string]int{}, done: make(chan struct{})}
		go w.watch()
		defer func() { c.Close(); <-w.done }()
		witnesses = append(witnesses, w)
		if err := c.Subscribe(ctx, "all"); err != nil {
			return err
		}
	}
	s.setFaults(p.Faults)

	// Everyone sends, to the channel that all are in and to one that nobody is in.
	var mu sync.Mutex
	acked, unsent := map[string]Receipt{}, map[string]bool{}
	var wrong []error
	var senders sync.WaitGroup
	for i, w := range witnesses {
		for j := range p.Messages {
			channel := []string{"all", "all", "elsewhere"}[random.IntN(3)]
			content := fmt.Sprint(channel, " ", i, ".", j)
			wait := time.Duration(random.IntN(20_000)) * time.Millisecond
			senders.Go(func() {
				time.Sleep(wait)
				receipt, err := w.client.Send(ctx, channel, content)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					acked[content] = receipt
				case errors.Is(err, ErrNotSent):
					unsent[content] = true
				case !errors.Is(err, ErrNotKnown):
					wrong = append(wrong, err)
				}
			})
		}
	}
	for range p.Cuts {
		time.Sleep(time.Duration(random.IntN(30_000)) * time.Millisecond)
		if c := s.one(); c != nil {
			c.cut(errors.New("cut"))
		}
	}
	senders.Wait()
	s.setFaults(faults{})
	time.Sleep(25 * time.Minute) // until the last number that was given up is asked for again
	for _, w := range witnesses {
		w.client.Close()
		<-w.done
		wrong = append(wrong, w.wrong...)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	stored := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(s.channels)) {
		for _, m := range s.channels[id].messages {
			stored[m.Content]++
			if r, ok := acked[m.Content]; ok && r.Seq != m.Seq {
				wrong = append(wrong, fmt.Errorf("%s was acknowledged as %d and is %d", m.Content, r.Seq, m.Seq))
			}
		}
	}
	for content, n := range stored {
		if n != 1 {
			wrong = append(wrong, fmt.Errorf("%s is stored %d times", content, n))
		}
		if unsent[content] {
			wrong = append(wrong, fmt.Errorf("%s is stored, and was said not to be sent", content))
		}
		for i, w := range witnesses {
			if n := w.seen[content]; content[:3] == "all" && n != 1 {
				wrong = append(wrong, fmt.Errorf("client %d saw %s %d times", i, content, n))
			}
		}
	}
	for content := range acked {
		if stored[content] == 0 {
			wrong = append(wrong, fmt.Errorf("%s was acknowledged and is not stored", content))
		}
	}
	total["runs"]++
	total["acknowledged"] += len(acked)
	total["sent"] += p.Clients * p.Messages
	total["dials"] += len(s.dials)
	total["events lost"] += s.counts["events lost"]
	for _, w := range witnesses {
		total["gaps"] += w.gaps
	}
	return errors.Join(wrong...)
}
