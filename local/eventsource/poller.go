package eventsource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/local/clock"
)

// Streams is what is needed of DynamoDB Streams; *dynamodbstreams.Client has it.
type Streams interface {
	DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// An Invoker runs functions synchronously. Its error means that the function did
// not run, because of throttling or a fault of the service: such attempts do not
// count. functionError is what X-Amz-Function-Error says.
type Invoker interface {
	Invoke(ctx context.Context, functionName string, payload []byte) (payloadOut []byte, functionError string, err error)
}

// DeadLetters takes what is given up, for m.OnFailureARN and in the name of the
// function's role. An error whose ErrorCode begins with AccessDenied is final.
type DeadLetters interface {
	Send(ctx context.Context, m Mapping, body []byte) error
}

// Options are what a Poller works with. StreamsFor, Invoker and Checkpoints are
// required, and DeadLetters too if a mapping names a queue.
type Options struct {
	// StreamsFor returns what a mapping reads its stream by: a client with the
	// credentials of the function's role. It is asked once for each Put.
	StreamsFor  func(m Mapping) Streams
	Invoker     Invoker
	Checkpoints Checkpoints
	DeadLetters DeadLetters
	// Clock says how old a record is, and lets time pass for the waits between
	// retries and for batching windows; nil means a new one. How often a stream is
	// read is a matter of the machine's time.
	Clock *clock.Clock
	// PartitionKey names the attribute that is the partition key of a mapping's
	// table; empty, or a nil function, means that it is not known. It is asked
	// where the stream's description, unlike AWS's, does not say it: without it a
	// parallelization factor has no effect on a table with a sort key.
	PartitionKey func(m Mapping) string
	// DuplicateFault is asked for each batch that succeeded: true delivers the very
	// same batch once more before the checkpoint moves. nil means never.
	DuplicateFault func(m Mapping) bool
	// Log takes what happens; nil discards it.
	Log *slog.Logger
	// Poll is how long to wait before an idle shard is read again; 0 means
	// 100 ms. AWS polls four times a second.
	Poll time.Duration
}

// ErrConflict reports a mapping of a function to a stream that another mapping
// maps to it already. AWS's sentence follows it.
var ErrConflict = errors.New("ResourceConflictException")

// ErrClosed reports that the poller has been closed.
var ErrClosed = errors.New("the event source poller is shutting down")

// A Poller runs event source mappings. Its methods may be called from many
// goroutines at once, but not for one UUID.
type Poller struct {
	opts Options

	mu      sync.Mutex
	closed  bool
	runners map[string]*runner // by UUID
}

// New returns a poller without mappings. Close it when done.
func New(opts Options) *Poller {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Clock == nil {
		opts.Clock = new(clock.Clock)
	}
	if opts.Poll == 0 {
		opts.Poll = 100 * time.Millisecond
	}
	return &Poller{opts: opts, runners: map[string]*runner{}}
}

// Put creates a mapping, or changes the settings of the one with its UUID, which
// goes on from its checkpoint. A batch on its way is finished by the old settings,
// for which Put does not wait; one that is being retried begins anew. The stream of
// a mapping cannot be changed.
func (p *Poller) Put(m Mapping) error {
	m.Filters = slices.Clone(m.Filters)
	if err := p.put(m); err != nil {
		return fmt.Errorf("event source mapping %s: %w", m.UUID, err)
	}
	return nil
}

func (p *Poller) put(m Mapping) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.OnFailureARN != "" && p.opts.DeadLetters == nil {
		return fmt.Errorf("on-failure destination %s: there are no queues here", m.OnFailureARN)
	}
	filters, err := parseFilters(m.Filters)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	for uuid, r := range p.runners {
		if uuid != m.UUID && r.mapping.FunctionName == m.FunctionName && r.mapping.StreamARN == m.StreamARN {
			return fmt.Errorf("%w: The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. "+
				"Please update or delete the existing mapping with UUID %s", ErrConflict, m.StreamARN, m.FunctionName, uuid)
		}
	}
	before := p.runners[m.UUID]
	next := newRunner(&p.opts, m, filters)
	if before == nil {
		if next.progress, err = loadProgress(p.opts.Checkpoints, m); err != nil {
			return err
		}
		next.stats = newStats()
		p.runners[m.UUID] = next
		go next.run(nil)
		return nil
	}
	if before.mapping.StreamARN != m.StreamARN {
		return fmt.Errorf("the stream cannot be changed from %s to %s: replace the mapping", before.mapping.StreamARN, m.StreamARN)
	}
	next.progress, next.stats = before.progress, before.stats
	before.retire()
	p.runners[m.UUID] = next
	go next.run(before.done)
	return nil
}

// Status tells how a mapping fares; false means that there is none.
func (p *Poller) Status(uuid string) (Status, bool) {
	p.mu.Lock()
	r := p.runners[uuid]
	p.mu.Unlock()
	if r == nil {
		return Status{}, false
	}
	return r.status(), true
}

// Delete ends a mapping and forgets its checkpoint. A function that runs for it is
// not waited for.
func (p *Poller) Delete(uuid string) error {
	p.mu.Lock()
	r := p.runners[uuid]
	delete(p.runners, uuid)
	p.mu.Unlock()
	if r != nil {
		r.abort()
		<-r.done
	}
	if err := p.opts.Checkpoints.Delete(uuid); err != nil {
		return fmt.Errorf("event source mapping %s: %w", uuid, err)
	}
	return nil
}

// Close ends all mappings and waits for them. Their checkpoints stay. A batch on
// its way comes again after a restart.
func (p *Poller) Close() {
	p.mu.Lock()
	p.closed = true
	runners := p.runners
	p.runners = nil
	p.mu.Unlock()
	for _, r := range runners {
		r.abort()
	}
	for _, r := range runners {
		<-r.done
	}
}
