package schedule

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"example.com/chatstack/internal/uuid"
	"example.com/chatstack/local/clock"
)

// Options are what a Scheduler works with. Fire is required.
type Options struct {
	// Fire does what a rule is for. It has a goroutine of its own and may take its
	// time; ctx ends when the scheduler is closed.
	Fire func(ctx context.Context, ruleARN string, event []byte)
	// Clock says when a period has passed; nil means a new one.
	Clock *clock.Clock
}

// A Rule fires once in a period while it is enabled.
type Rule struct {
	ARN     string // arn:aws:events:REGION:ACCOUNT:rule/NAME
	Every   time.Duration
	Enabled bool
}

// A Status says what a rule has done since the scheduler was made.
type Status struct {
	Fired int       `json:"fired"`
	Last  time.Time `json:"last"` // zero if it has not fired
}

// A Scheduler fires rules. Its methods may be called from many goroutines at once.
type Scheduler struct {
	opts  Options
	ctx   context.Context // ends with the scheduler
	close context.CancelFunc
	work  sync.WaitGroup

	mu    sync.Mutex
	rules map[string]*running // by ARN
}

// running is a rule with its timer.
type running struct {
	Rule
	status Status
	stop   func() bool
}

// New returns a scheduler without rules. Close it when done.
func New(opts Options) *Scheduler {
	if opts.Clock == nil {
		opts.Clock = &clock.Clock{}
	}
	s := &Scheduler{opts: opts, rules: map[string]*running{}}
	s.ctx, s.close = context.WithCancel(context.Background())
	return s
}

// Put makes a rule or changes the one with its ARN; nothing happens to one that
// is there as it is.
func (s *Scheduler) Put(rule Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &running{Rule: rule, stop: func() bool { return false }}
	if before := s.rules[rule.ARN]; before != nil {
		if before.Rule == rule {
			return
		}
		before.stop()
		r.status = before.status
	}
	s.rules[rule.ARN] = r
	if rule.Enabled && s.ctx.Err() == nil {
		s.wait(r)
	}
}

// Delete removes a rule, if there is one. What it has fired goes on.
func (s *Scheduler) Delete(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rules[arn]; r != nil {
		r.stop()
		delete(s.rules, arn)
	}
}

// Status tells of a rule.
func (s *Scheduler) Status(arn string) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rules[arn]; r != nil {
		return r.status
	}
	return Status{}
}

// Close stops all rules, and waits for what they have fired.
func (s *Scheduler) Close() {
	s.mu.Lock()
	s.close()
	for arn, r := range s.rules {
		r.stop()
		delete(s.rules, arn)
	}
	s.mu.Unlock()
	s.work.Wait()
}

// wait lets a rule fire when its period has passed, unless it has been replaced
// by then. s.mu is held.
func (s *Scheduler) wait(r *running) {
	r.stop = s.opts.Clock.AfterFunc(r.Every, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.rules[r.ARN] != r {
			return
		}
		at := s.opts.Clock.Now()
		r.status.Fired++
		r.status.Last = at
		s.wait(r)
		s.work.Go(func() { s.opts.Fire(s.ctx, r.ARN, scheduledEvent(r.ARN, at)) })
	})
}

// scheduledEvent is what a rule gives its targets ("Scheduled events" among the
// AWS service events in the Amazon EventBridge User Guide).
func scheduledEvent(ruleARN string, at time.Time) []byte {
	parts := strings.SplitN(ruleARN, ":", 6)
	event, _ := json.Marshal(struct { // texts cannot fail
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
		Detail     struct{} `json:"detail"`
	}{
		Version: "0", ID: uuid.New(), DetailType: "Scheduled Event", Source: "aws.events",
		Account: parts[4], Time: at.UTC().Format(time.RFC3339), Region: parts[3], Resources: []string{ruleARN},
	})
	return event
}
