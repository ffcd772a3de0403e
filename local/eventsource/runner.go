package eventsource

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// rediscover is how often the shards of a stream are listed when nothing else asks
// for it. Children appear when a parent is drained, and that does ask.
const rediscover = 10 * time.Second

// A runner runs a mapping with one set of settings.
type runner struct {
	opts     *Options
	mapping  Mapping
	filters  filters
	streams  Streams
	progress *progress
	stats    *stats
	// key is the table's partition key as the stream's description has it.
	key     atomic.Pointer[string]
	created bool // by this run: no checkpoint was there
	log     *slog.Logger

	// ctx ends when the runner is to stop as soon as no function runs for it;
	// work, when that one is not to be waited for either.
	ctx    context.Context
	retire context.CancelFunc
	work   context.Context
	abort  context.CancelFunc

	done chan struct{}
}

func newRunner(opts *Options, m Mapping, f filters) *runner {
	work, abort := context.WithCancel(context.Background())
	ctx, retire := context.WithCancel(work)
	return &runner{
		opts:    opts,
		mapping: m,
		filters: f,
		streams: opts.StreamsFor(m),
		log:     opts.Log.With("mapping", m.UUID, "function", m.FunctionName),
		ctx:     ctx,
		retire:  retire,
		work:    work,
		abort:   abort,
		done:    make(chan struct{}),
	}
}

// run reads the stream until the runner is told to stop. It begins when the runner
// before it has ended, if there was one.
func (r *runner) run(before <-chan struct{}) {
	defer close(r.done)
	defer r.abort() // frees what the contexts hold
	if before != nil {
		<-before
	}
	r.stats.begins(r)
	if !r.mapping.Enabled {
		return
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	reading := map[string]bool{}
	ended := make(chan string)
	retry := newBackoff(pollLimit)
	for r.ctx.Err() == nil {
		wait := rediscover
		if shards, err := r.list(); err != nil {
			wait = retry.next()
			r.stats.readFails("", problem(r.mapping.StreamARN, err))
			r.log.Warn("stream not read", "stream", r.mapping.StreamARN, "retryIn", wait, "error", err)
		} else {
			retry.reset()
			r.stats.readWorks("")
			r.settle(shards)
			for _, id := range r.readable(shards, reading) {
				reading[id] = true
				readers.Go(func() {
					newReader(r, id).run()
					select {
					case ended <- id:
					case <-r.ctx.Done():
					}
				})
			}
		}
		due := make(chan struct{})
		stop := r.opts.Clock.AfterFunc(wait, func() { close(due) })
		select {
		case id := <-ended:
			delete(reading, id)
		case <-due:
		case <-r.ctx.Done():
		}
		stop()
	}
}

// list returns all shards of the stream.
func (r *runner) list() ([]types.Shard, error) {
	var shards []types.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.mapping.StreamARN}
	for {
		out, err := r.streams.DescribeStream(r.ctx, in)
		if err != nil {
			return nil, err
		}
		shards = append(shards, out.StreamDescription.Shards...)
		for _, key := range out.StreamDescription.KeySchema {
			if key.KeyType == types.KeyTypeHash {
				r.key.Store(key.AttributeName)
			}
		}
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return shards, nil
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// settle says where a mapping starts that has not yet, and forgets what has left
// the stream. With LATEST the shards that have children are done with, and in the
// others only what comes from now on counts. Shards that appear later are read
// from their beginning: they continue these.
func (r *runner) settle(shards []types.Shard) {
	parents := map[string]bool{}
	listed := map[string]bool{}
	for _, s := range shards {
		parents[aws.ToString(s.ParentShardId)] = true
		listed[aws.ToString(s.ShardId)] = true
	}
	start := map[string]Position{}
	if r.mapping.StartingPosition == Latest {
		for id := range listed {
			if parents[id] {
				start[id] = Position{Drained: true}
			} else {
				start[id] = Position{Since: r.opts.Clock.Now().Unix()}
			}
		}
	}
	created, err := r.progress.begin(start)
	r.created = r.created || created
	if err == nil {
		err = r.progress.retain(func(id string) bool { return listed[id] })
	}
	if err != nil {
		r.log.Error("checkpoint not saved", "error", err)
	}
}

// readable are the shards with something to read that nobody reads, and whose
// parent has nothing left: a parent that the stream has forgotten may still be
// delivered from.
func (r *runner) readable(shards []types.Shard, reading map[string]bool) []string {
	undone := maps.Clone(reading)
	for _, s := range shards {
		if id := aws.ToString(s.ShardId); !r.progress.at(id).Drained {
			undone[id] = true
		}
	}
	var ids []string
	for _, s := range shards {
		id := aws.ToString(s.ShardId)
		if undone[id] && !reading[id] && !undone[aws.ToString(s.ParentShardId)] {
			ids = append(ids, id)
		}
	}
	return ids
}

// partitionKey is the name of the table's partition key; empty if nobody knows it.
func (r *runner) partitionKey() string {
	if name := r.key.Load(); name != nil {
		return *name
	}
	if r.opts.PartitionKey == nil {
		return ""
	}
	return r.opts.PartitionKey(r.mapping)
}

func (r *runner) status() Status {
	s := Status{UUID: r.mapping.UUID, Shards: []ShardStatus{}}
	running, readers := r.stats.tell(&s)
	switch {
	case running != r && r.mapping.Enabled:
		s.State = StateUpdating
	case running != r:
		s.State = StateDisabling
	case !r.mapping.Enabled:
		s.State = StateDisabled
	case !r.progress.hasBegun():
		s.State = StateCreating
	default:
		s.State = StateEnabled
	}
	read := map[string]bool{}
	for _, rd := range readers {
		read[rd.shard] = true
		s.Shards = append(s.Shards, rd.status())
	}
	for id, at := range r.progress.all() {
		if !read[id] {
			s.Shards = append(s.Shards, ShardStatus{ID: id, After: at.After, Drained: at.Drained})
		}
	}
	slices.SortFunc(s.Shards, func(a, b ShardStatus) int { return strings.Compare(a.ID, b.ID) })
	return s
}
