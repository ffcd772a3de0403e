package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Faults are the rules that are in force. Its methods may be called from many
// goroutines at once.
type Faults struct {
	mu    sync.Mutex
	rules []*active // in the order in which they were added
	last  int       // number that was given as an id
}

// An active rule is one in force, with the generator that its decisions come from.
type active struct {
	Rule
	draw *rand.Rand
}

// New returns Faults without a rule: nothing goes wrong.
func New() *Faults { return &Faults{} }

// Add puts a rule into force and returns it as it is now: with its id, share and
// seed. A rule that is wrong, or has the id of one in force, is refused with a
// sentence that says so.
func (f *Faults) Add(rule Rule) (Rule, error) {
	if err := rule.check(); err != nil {
		return Rule{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for rule.ID == "" {
		f.last++
		if id := strconv.Itoa(f.last); f.index(id) < 0 {
			rule.ID = id
		}
	}
	if f.index(rule.ID) >= 0 {
		return Rule{}, fmt.Errorf("there is a rule %s already: remove it first, or leave the id out", rule.ID)
	}
	if rule.Share == 0 {
		rule.Share = 1
	}
	if rule.On == Invoke && rule.After == 0 {
		rule.After = DefaultAfter
	}
	for rule.Seed == 0 {
		rule.Seed = uint64(rand.Uint32())
	}
	rule.Asked, rule.Struck = 0, 0
	f.rules = append(f.rules, &active{Rule: rule, draw: rand.New(rand.NewPCG(rule.Seed, 0))})
	return rule, nil
}

// List returns the rules in force, in the order in which they were added, with how
// often each was asked and struck.
func (f *Faults) List() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Rule, len(f.rules))
	for i, r := range f.rules {
		list[i] = r.Rule
	}
	return list
}

// Remove takes a rule out of force, and reports whether there was one.
func (f *Faults) Remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.index(id)
	if at < 0 {
		return false
	}
	f.rules = slices.Delete(f.rules, at, at+1)
	return true
}

// Clear takes every rule out of force. What waits by one waits to its end.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// Post is asked before each post to a connection, and takes as long as the rules
// say or ctx lasts. It returns the status that the post is answered with, or 0 for
// one that is sent.
func (f *Faults) Post(ctx context.Context, connectionID string) (status int) {
	struck := f.ask(Post, connectionID, "")
	for _, r := range struck {
		if status == 0 {
			status = r.Status
		}
	}
	wait(ctx, struck)
	return status
}

// Table is asked before each call to a table, by the operation's name ("PutItem"),
// and takes as long as the rules say or ctx lasts. It reports whether the call is
// throttled.
func (f *Faults) Table(ctx context.Context, table, action string) (throttle bool) {
	struck := f.ask(Table, table, action)
	for _, r := range struck {
		throttle = throttle || r.Throttle
	}
	wait(ctx, struck)
	return throttle
}

// Kill is asked at each invocation of a function. It reports whether the function's
// process is killed, and how long after the event was delivered to it.
func (f *Faults) Kill(function string) (after time.Duration, kill bool) {
	for _, r := range f.ask(Invoke, function, "") {
		if !kill || r.After < after {
			after, kill = r.After, true
		}
	}
	return after, kill
}

// Duplicate is asked after each stream batch that a function has dealt with. It
// reports whether the very same batch is delivered once more.
func (f *Faults) Duplicate(function string) bool {
	return len(f.ask(Batch, function, "")) > 0
}

// LoseDisconnect is asked for each connection that has closed. It reports whether
// its $disconnect never happens.
func (f *Faults) LoseDisconnect(connectionID string) bool {
	return len(f.ask(Disconnect, connectionID, "")) > 0
}

// ask has every rule that looks at a call decide, and returns those that strike it.
func (f *Faults) ask(call Call, target, action string) (struck []Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.looksAt(call, target, action) && r.decide() {
			struck = append(struck, r.Rule)
		}
	}
	return struck
}

// decide makes the rule's next decision. It draws each time, so that a decision
// depends on nothing but the seed and how many there were before.
func (r *active) decide() bool {
	r.Asked++
	drawn := r.draw.Float64() < r.Share
	if !drawn || r.Nth != 0 && r.Asked != r.Nth || r.Times != 0 && r.Struck >= r.Times {
		return false
	}
	r.Struck++
	return true
}

// index returns where the rule with an id is, or -1. f.mu is held.
func (f *Faults) index(id string) int {
	return slices.IndexFunc(f.rules, func(r *active) bool { return r.ID == id })
}

// wait takes as long as the rules' latencies together, or as ctx lasts.
func wait(ctx context.Context, rules []Rule) {
	var latency time.Duration
	for _, r := range rules {
		latency += r.Latency
	}
	if latency == 0 {
		return
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
