package eventsource

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// States of a mapping, as AWS words them.
const (
	StateCreating  = "Creating"  // its stream has not been seen yet
	StateEnabled   = "Enabled"   // it polls
	StateUpdating  = "Updating"  // a batch is still finished by the settings before
	StateDisabling = "Disabling" // the same, and then it polls no more
	StateDisabled  = "Disabled"  // it does not poll
)

// What AWS says of a mapping's last poll. Problems begin with "PROBLEM: ".
const (
	resultNone           = "No records processed"
	resultOK             = "OK"
	resultFunctionFailed = "PROBLEM: Function call failed"
)

// Status is how a mapping fares, since the poller was made.
type Status struct {
	UUID string `json:"uuid"`
	// State is one of those above.
	State string `json:"state"`
	// LastProcessingResult is "No records processed", "OK" or "PROBLEM: " and
	// what it is.
	LastProcessingResult string `json:"lastProcessingResult"`
	Counts               Counts `json:"counts"`
	// Shards are those that are read now, and those that are drained.
	Shards []ShardStatus `json:"shards"`
}

// Counts count records, except where they say otherwise.
type Counts struct {
	// Read from the stream.
	Read int64 `json:"read"`
	// Filtered out by the mapping's patterns.
	Filtered int64 `json:"filtered"`
	// Delivered and done: the function succeeded with them.
	Delivered int64 `json:"delivered"`
	// Batches is how many invocations succeeded.
	Batches int64 `json:"batches"`
	// Failures is how many invocations failed, wholly or in part.
	Failures int64 `json:"failures"`
	// Retries is how many invocations repeated a batch that had failed.
	Retries int64 `json:"retries"`
	// Throttled is how many invocations did not take place.
	Throttled int64 `json:"throttled"`
	// Duplicates is how many batches were delivered again on demand.
	Duplicates int64 `json:"duplicates"`
	// DeadLetters is how many messages the on-failure destination took, and
	// DeadLetterErrors how many it did not: the records of those are lost.
	DeadLetters      int64 `json:"deadLetters"`
	DeadLetterErrors int64 `json:"deadLetterErrors"`
	// Dropped were given up, whether to the on-failure destination or not.
	Dropped int64 `json:"dropped"`
	// Expired were in the stream for more than its 24 hours, and are lost.
	Expired int64 `json:"expired"`
}

// ShardStatus is how far a mapping has come in a shard.
type ShardStatus struct {
	ID string `json:"id"`
	// After is the sequence number up to which everything is done.
	After string `json:"after,omitempty"`
	// Drained says that the shard is closed and all of it done.
	Drained bool `json:"drained,omitempty"`
	// Pending is how many records are read and not done.
	Pending int `json:"pending"`
	// Lag is the age of the oldest of those.
	Lag time.Duration `json:"lag"`
	// Retrying are the batches that do not succeed.
	Retrying []Retry `json:"retrying,omitempty"`
}

// A Retry is a batch that failed and is tried again.
type Retry struct {
	StartSequenceNumber string `json:"startSequenceNumber"`
	EndSequenceNumber   string `json:"endSequenceNumber"`
	Records             int    `json:"records"`
	// Attempt is how often the batch was tried in vain.
	Attempt int `json:"attempt"`
	// Since is when it failed first.
	Since time.Time `json:"since"`
	// Next is when it is tried again, unless time is let pass before.
	Next time.Time `json:"next"`
	// Error is why the last attempt failed.
	Error string `json:"error"`
}

// stats are what a mapping's runners note for its Status. A runner that follows
// another goes on with the same.
type stats struct {
	mu       sync.Mutex
	running  *runner           // the one that is not waiting for another
	readers  map[*reader]bool  // those that read now
	result   string            // of the last invocation
	problems map[string]string // why the stream, or a shard of it, cannot be read
	counts   Counts
}

func newStats() *stats {
	return &stats{result: resultNone, readers: map[*reader]bool{}, problems: map[string]string{}}
}

// count changes the counts.
func (s *stats) count(change func(c *Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts)
}

// invocation notes how one ended.
func (s *stats) invocation(result string, change func(c *Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = result
	change(&s.counts)
}

func (s *stats) begins(r *runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = r
}

func (s *stats) reads(rd *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers[rd] = true
}

func (s *stats) readsNoMore(rd *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, rd)
	delete(s.problems, rd.shard)
}

// readFails notes why a shard cannot be read, or with no shard the list of them.
func (s *stats) readFails(shard, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems[shard] = problem
}

func (s *stats) readWorks(shard string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.problems, shard)
}

// tell writes into a status what is known, and returns who knows more.
func (s *stats) tell(into *Status) (running *runner, readers []*reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	into.Counts = s.counts
	into.LastProcessingResult = s.result
	for _, shard := range slices.Sorted(maps.Keys(s.problems)) {
		into.LastProcessingResult = s.problems[shard]
		break
	}
	return s.running, slices.Collect(maps.Keys(s.readers))
}
