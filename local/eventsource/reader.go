package eventsource

import (
	"errors"
	"hash/fnv"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// afterRecords is the first wait after a page with records: more are likely
	// to follow. It doubles with each page that is empty, up to Options.Poll.
	afterRecords = 10 * time.Millisecond
	// retention is how long a stream keeps a record.
	retention = 24 * time.Hour
)

// A reader reads one shard and hands its records to lanes, which deliver them: one
// lane for the whole shard, or as many as the mapping's parallelization factor.
type reader struct {
	*runner
	shard string
	log   *slog.Logger
	lanes []*lane

	iterator *string // nil if a new one is needed
	latest   bool    // begin with what comes from now on
	pause    time.Duration
	freed    chan struct{} // has a value when room was made

	saving sync.Mutex // one checkpoint after the other

	// mu guards what is below, and what the lanes say it guards.
	mu     sync.Mutex
	read   Position // of the last record read; the checkpoint lags behind it
	open   []*item  // read and not done: the first is not, those after it may be
	held   int      // bytes of events that are not done
	closed bool     // nothing more comes
}

func newReader(r *runner, shard string) *reader {
	read := r.progress.at(shard)
	rd := &reader{
		runner: r,
		shard:  shard,
		log:    r.log.With("shard", shard),
		read:   read,
		latest: r.created && read.Since != 0,
		freed:  make(chan struct{}, 1),
	}
	for range r.mapping.ParallelizationFactor {
		rd.lanes = append(rd.lanes, newLane(rd))
	}
	return rd
}

// run returns when the shard is closed and all of it done, when the stream does
// not list it any more and what was read of it is done, or when the runner stops.
func (rd *reader) run() {
	rd.stats.reads(rd)
	defer rd.stats.readsNoMore(rd)
	var lanes sync.WaitGroup
	for _, l := range rd.lanes {
		lanes.Go(l.run)
	}
	toTheEnd := rd.readAll()
	rd.close()
	lanes.Wait()
	if toTheEnd && rd.pending() == 0 {
		rd.advance(Position{After: rd.read.After, Drained: true})
	}
}

// readAll reads the shard to its end, and returns false if it could not.
func (rd *reader) readAll() bool {
	retry := newBackoff(pollLimit)
	for rd.awaitRoom() {
		page, err := rd.next()
		if err != nil {
			if !rd.recover(err, retry) {
				return false
			}
			continue
		}
		retry.reset()
		rd.stats.readWorks(rd.shard)
		rd.take(page.Records)
		if page.NextShardIterator == nil {
			return true
		}
		rd.iterator = page.NextShardIterator
		sleep(rd.ctx, rd.wait(len(page.Records)))
	}
	return false
}

// next reads a page.
func (rd *reader) next() (*dynamodbstreams.GetRecordsOutput, error) {
	if rd.iterator == nil {
		in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &rd.mapping.StreamARN, ShardId: &rd.shard}
		switch {
		case rd.read.After != "":
			in.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
			in.SequenceNumber = &rd.read.After
		case rd.latest:
			in.ShardIteratorType = types.ShardIteratorTypeLatest
		default:
			in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
		}
		out, err := rd.streams.GetShardIterator(rd.ctx, in)
		if err != nil {
			return nil, err
		}
		rd.iterator, rd.latest = out.ShardIterator, false
	}
	return rd.streams.GetRecords(rd.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: rd.iterator})
}

// recover does what an error of the stream asks for, and returns false if the
// shard cannot be read on.
func (rd *reader) recover(err error, retry *backoff) bool {
	if rd.ctx.Err() != nil {
		return false
	}
	rd.iterator = nil
	var (
		expired *types.ExpiredIteratorException
		trimmed *types.TrimmedDataAccessException
		unknown *types.ResourceNotFoundException
	)
	switch {
	case errors.As(err, &expired):
		return true // it went unused too long; another goes on from the same place
	case errors.As(err, &trimmed):
		rd.log.Error("records lost: the stream has trimmed them", "after", rd.read.After)
		rd.mu.Lock()
		rd.read = Position{}
		rd.mu.Unlock()
	case errors.As(err, &unknown):
		if shards, listErr := rd.list(); listErr == nil && !slices.ContainsFunc(shards, rd.isMine) {
			rd.log.Warn("shard lost: the stream does not list it any more", "error", err)
			return false
		}
	}
	wait := retry.next()
	rd.stats.readFails(rd.shard, problem(rd.mapping.StreamARN, err))
	rd.log.Warn("shard not read", "retryIn", wait, "error", err)
	return rd.opts.Clock.Sleep(rd.ctx, wait) == nil
}

func (rd *reader) isMine(shard types.Shard) bool { return aws.ToString(shard.ShardId) == rd.shard }

// toTheSecond gives the second in which a record of the last minute was made. AWS
// gives that. Amazon's DynamoDB Local gives the minute: then it is the second in
// which the record is read.
func toTheSecond(created, now time.Time) time.Time {
	if created.Equal(created.Truncate(time.Minute)) {
		return now.Truncate(time.Second)
	}
	return created
}

// take hands the records that count to the lanes, and notes how far it has come.
func (rd *reader) take(records []types.Record) {
	if len(records) == 0 {
		return
	}
	var (
		now   = rd.opts.Clock.Now()
		items []*item
		lanes []*lane
		count Counts
		read  = rd.read
	)
	for _, record := range records {
		change := record.Dynamodb
		if change == nil || change.SequenceNumber == nil {
			continue // no record of a stream lacks them
		}
		created := now
		if change.ApproximateCreationDateTime != nil {
			created = *change.ApproximateCreationDateTime
		}
		if read.After == "" && created.Unix() < read.Since {
			continue // from before the mapping
		}
		if rd.opts.Clock.Since(created) < time.Minute {
			created = toTheSecond(created, now)
			change.ApproximateCreationDateTime = &created
		}
		before := read
		read = Position{After: *change.SequenceNumber}
		count.Read++
		if rd.opts.Clock.Since(created) > retention {
			count.Expired++
			continue
		}
		event := rd.mapping.event(record)
		if !rd.filters.match(event) {
			count.Filtered++
			continue
		}
		items = append(items, &item{
			sequence: *change.SequenceNumber,
			created:  created,
			event:    encode(event),
			readAt:   now,
			before:   before,
		})
		lanes = append(lanes, rd.lane(change.Keys))
	}
	if count.Expired > 0 {
		rd.log.Error("records lost: they are older than a stream keeps them", "records", count.Expired, "kept", retention)
	}
	rd.stats.count(func(c *Counts) {
		c.Read += count.Read
		c.Expired += count.Expired
		c.Filtered += count.Filtered
	})
	rd.mu.Lock()
	rd.read = read
	for i, it := range items {
		rd.open = append(rd.open, it)
		rd.held += len(it.event)
		lanes[i].queue = append(lanes[i].queue, it)
	}
	rd.mu.Unlock()
	for _, l := range rd.lanes {
		l.poke()
	}
	rd.checkpoint() // past what was filtered out, too
}

// lane is the one for a record with these keys: always the same for a partition
// key, so that its records stay in order.
func (rd *reader) lane(keys map[string]types.AttributeValue) *lane {
	if len(rd.lanes) == 1 {
		return rd.lanes[0]
	}
	name := rd.partitionKey()
	for key := range keys {
		if name == "" && len(keys) == 1 {
			name = key
		}
	}
	value, ok := keys[name]
	if !ok {
		return rd.lanes[0] // it is not known which attribute it is: one after the other
	}
	hash := fnv.New32a()
	hash.Write(encode(value2json(value)))
	return rd.lanes[hash.Sum32()%uint32(len(rd.lanes))]
}

// close tells the lanes that nothing more comes.
func (rd *reader) close() {
	rd.mu.Lock()
	rd.closed = true
	rd.mu.Unlock()
	for _, l := range rd.lanes {
		l.poke()
	}
}

// wait is how long to leave the shard alone after a page with so many records.
func (rd *reader) wait(records int) time.Duration {
	if records > 0 {
		rd.pause = 0
	}
	rd.pause = min(max(2*rd.pause, afterRecords), rd.opts.Poll)
	return rd.pause
}

func (rd *reader) status() ShardStatus {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	s := ShardStatus{ID: rd.shard, After: rd.position().After}
	for _, it := range rd.open {
		if it.done {
			continue
		}
		if s.Pending == 0 {
			s.Lag = max(rd.opts.Clock.Since(it.created), 0)
		}
		s.Pending++
	}
	for _, l := range rd.lanes {
		if l.retrying != nil {
			s.Retrying = append(s.Retrying, *l.retrying)
		}
	}
	return s
}
