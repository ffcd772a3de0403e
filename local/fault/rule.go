package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Call is a kind of call that rules look at.
type Call string

// The calls that rules look at.
const (
	Post       Call = "post"       // a post to a connection, by @connections
	Table      Call = "table"      // a call to a table or its stream
	Invoke     Call = "invoke"     // an invocation of a function
	Batch      Call = "batch"      // a stream batch that a function has dealt with
	Disconnect Call = "disconnect" // the $disconnect of a connection
)

const (
	// DefaultAfter is when a function is killed where its rule does not say: late
	// enough that it has begun, early enough that it has not ended.
	DefaultAfter = 5 * time.Millisecond

	// MaxWait is the most that Latency and After may be: as long as a Lambda
	// function can run at all.
	MaxWait = 15 * time.Minute
)

// A Rule says which calls go wrong, and how. Its JSON form has the names in the
// tags, with durations as Go writes them ("50ms", "1.5s").
type Rule struct {
	// ID names the rule: letters, digits, - and _, at most 32. The default is
	// the next number.
	ID string `json:"id"`

	// On is the kind of call that the rule looks at. It must be given.
	On Call `json:"on"`

	// Target narrows the rule down: to the connection, function or table that has
	// this in its id or name. The default is all of them.
	Target string `json:"target,omitempty"`

	// Action narrows a rule on table down to one operation, as PutItem. The default
	// is every write where the rule throttles, else whatever reads and writes items.
	// PartiQL is throttled, and the stream's operations, as GetRecords, are looked at,
	// only where they are named.
	Action string `json:"action,omitempty"`

	// Status is what a post is answered with, and not sent: 410 (gone), 429
	// (throttled) or 500. 0 lets it be sent.
	Status int `json:"status,omitempty"`

	// Throttle has a call to a table refused as one over its throughput is: by
	// ProvisionedThroughputExceededException, a transaction by its reasons; of a batch
	// something is left unprocessed.
	Throttle bool `json:"throttle,omitempty"`

	// Latency is how much longer a post or a call to a table takes, in the machine's
	// time; at most MaxWait.
	Latency time.Duration `json:"-"`

	// After is how long an invocation that is to be killed may run, from when the
	// function got its event. 0 means DefaultAfter; at most MaxWait.
	After time.Duration `json:"-"`

	// Share is the share of calls that are struck, drawn for each: more than 0, at
	// most 1. 0 means 1.
	Share float64 `json:"share"`

	// Nth strikes only the n-th call that the rule looks at, 1 being the first.
	// 0 means any.
	Nth int `json:"nth,omitempty"`

	// Times is how many calls are struck at most; then the rule only counts. 0 means
	// no limit.
	Times int `json:"times,omitempty"`

	// Seed starts the rule's generator. 0 means that one is drawn, below 2^32.
	// Where JSON numbers are floats, keep it below 2^53.
	Seed uint64 `json:"seed"`

	// Asked is how many calls the rule has looked at, and Struck how many it has
	// struck. Add begins both at 0.
	Asked  int `json:"asked"`
	Struck int `json:"struck"`
}

// Operations on items and on the stream.
var (
	writes     = []string{"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
	reads      = []string{"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}
	partiQL    = []string{"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"} // either
	stream     = []string{"DescribeStream", "GetShardIterator", "GetRecords"}
	operations = slices.Concat(writes, reads, partiQL, stream)
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// check says in a sentence what is wrong with a rule.
func (r Rule) check() error {
	if r.ID != "" && !idPattern.MatchString(r.ID) {
		return fmt.Errorf("id is %q: it has 1 to 32 letters, digits, - and _", r.ID)
	}
	if err := r.checkEffect(); err != nil {
		return err
	}
	switch {
	case r.Action != "" && r.On != Table:
		return fmt.Errorf("action is %q: only a rule on table has one", r.Action)
	case r.Action != "" && !slices.Contains(operations, r.Action):
		return fmt.Errorf("action is %q: it is one of %s", r.Action, strings.Join(operations, ", "))
	case r.Latency < 0 || r.Latency > MaxWait:
		return fmt.Errorf("latency is %v: it is at most %v, and not less than 0", r.Latency, MaxWait)
	case r.After < 0 || r.After > MaxWait:
		return fmt.Errorf("after is %v: it is at most %v, and not less than 0", r.After, MaxWait)
	case r.Share != 0 && !(r.Share > 0 && r.Share <= 1): // not a number is neither
		return fmt.Errorf("share is %v: it is more than 0 and at most 1, as 0.1 for every tenth call", r.Share)
	case r.Nth < 0:
		return fmt.Errorf("nth is %d: the first call is 1, and 0 means any", r.Nth)
	case r.Times < 0:
		return fmt.Errorf("times is %d: it is 1 or more, and 0 means no limit", r.Times)
	}
	return nil
}

// checkEffect says what is wrong with what a rule does to the calls it looks at.
func (r Rule) checkEffect() error {
	if (r.On == Post || r.On == Table) && r.After != 0 {
		return fmt.Errorf("a rule on %s has no after, which says when an invocation is killed: to let calls wait, give it a latency", r.On)
	}
	switch r.On {
	case Post:
		switch {
		case r.Throttle:
			return errors.New("a rule on post has no throttle: a post is throttled by status 429")
		case r.Status == 0 && r.Latency == 0:
			return errors.New("a rule on post has a status (410, 429 or 500), a latency, or both: this one would do nothing")
		case r.Status != 0 && !slices.Contains([]int{410, 429, 500}, r.Status):
			return fmt.Errorf("status is %d: a post can be answered with 410, 429 or 500", r.Status)
		}
	case Table:
		switch {
		case r.Status != 0:
			return errors.New("a rule on table has no status: it throttles by throttle")
		case !r.Throttle && r.Latency == 0:
			return errors.New("a rule on table has throttle, a latency, or both: this one would do nothing")
		}
	case Invoke, Batch, Disconnect:
		switch {
		case r.Status != 0:
			return fmt.Errorf("a rule on %s has no status: only posts are answered with one", r.On)
		case r.Throttle:
			return fmt.Errorf("a rule on %s has no throttle: only calls to a table have", r.On)
		case r.Latency != 0:
			return fmt.Errorf("a rule on %s has no latency: only posts and calls to a table have", r.On)
		case r.After != 0 && r.On != Invoke:
			return fmt.Errorf("a rule on %s has no after: only invocations are killed", r.On)
		}
	case "":
		return errors.New("on is missing: a rule is on post, table, invoke, batch or disconnect")
	default:
		return fmt.Errorf("on is %q: a rule is on post, table, invoke, batch or disconnect", r.On)
	}
	return nil
}

// looksAt reports whether a call is one that the rule decides on.
func (r Rule) looksAt(call Call, target, action string) bool {
	if r.On != call || !strings.Contains(target, r.Target) {
		return false
	}
	switch {
	case call != Table:
		return true
	case r.Action != "":
		return action == r.Action
	case r.Throttle:
		return slices.Contains(writes, action)
	default:
		return slices.Contains(operations, action) && !slices.Contains(stream, action)
	}
}
