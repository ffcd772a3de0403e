package eventsource

import (
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// afterRecords is the first wait after a page with records: more are likely
	// to follow. It doubles with each page that is empty, up to Options.Poll.
	afterRecords = 10 * time.Millisecond
	// afterLoss is the wait before a shard that was not found is looked for again.
	afterLoss = time.Second
)

// A reader reads one shard, gathers its records into batches and delivers them.
type reader struct {
	*runner
	shard string
	log   *slog.Logger

	iterator *string  // nil if a new one is needed
	read     Position // of the last record read; the checkpoint lags behind it
	latest   bool     // begin with what comes from now on
	pending  []item   // read, and not delivered yet
	pause    time.Duration
}

// An item is a record that passed the filters.
type item struct {
	sequence string
	created  time.Time
	event    []byte // JSON, as the function gets it
	readAt   time.Time
}

func newReader(r *runner, shard string) *reader {
	read := r.progress.at(shard)
	return &reader{
		runner: r,
		shard:  shard,
		log:    r.log.With("shard", shard),
		read:   read,
		latest: r.created && read.Since != 0,
	}
}

// run returns when the shard is closed and all of it delivered, when the stream
// does not know it any more, or when the runner stops.
func (rd *reader) run() {
	retry := newBackoff(pollLimit)
	for rd.ctx.Err() == nil {
		page, err := rd.next()
		if err != nil {
			if !rd.recover(err, retry) {
				return
			}
			continue
		}
		retry.reset()
		rd.take(page.Records)
		closed := page.NextShardIterator == nil
		if !rd.flush(closed) {
			return
		}
		if closed {
			rd.advance(Position{After: rd.read.After, Drained: true})
			return
		}
		rd.iterator = page.NextShardIterator
		sleep(rd.ctx, rd.wait(len(page.Records)))
	}
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
		rd.read = Position{}
		return sleep(rd.ctx, retry.next())
	case errors.As(err, &unknown):
		rd.log.Warn("shard lost, listing the stream again", "error", err)
		sleep(rd.ctx, afterLoss)
		return false
	}
	wait := retry.next()
	rd.log.Warn("shard not read", "retryIn", wait, "error", err)
	return sleep(rd.ctx, wait)
}

// take adds the records that count to what is pending.
func (rd *reader) take(records []types.Record) {
	now := time.Now()
	for _, record := range records {
		change := record.Dynamodb
		if change == nil || change.SequenceNumber == nil {
			continue // no record of a stream lacks them
		}
		created := aws.ToTime(change.ApproximateCreationDateTime)
		tooEarly := rd.read.After == "" && created.Unix() < rd.read.Since
		if !tooEarly {
			rd.read.After, rd.read.Since = *change.SequenceNumber, 0
		}
		if tooEarly || unchanged(record) {
			continue
		}
		event := rd.mapping.event(record)
		if !rd.filters.match(event) {
			continue
		}
		rd.pending = append(rd.pending, item{
			sequence: *change.SequenceNumber,
			created:  created,
			event:    encode(event),
			readAt:   now,
		})
	}
}

// flush delivers the batches that are due, and notes how far it has come. It
// returns false if it was told to stop before it was through.
func (rd *reader) flush(all bool) bool {
	for {
		n := rd.due(all)
		if n == 0 {
			break
		}
		if !rd.deliver(rd.pending[:n]) {
			return false
		}
		rd.pending = rd.pending[n:]
	}
	if len(rd.pending) == 0 {
		rd.pending = nil
		rd.advance(rd.read) // past what was filtered out, too
	}
	return true
}

// due is how many of the pending items are to be delivered now: as many as make a
// full batch, or all if their time has come.
func (rd *reader) due(all bool) int {
	size := len(eventHead) + len(eventTail)
	for n, it := range rd.pending {
		size += len(it.event) + 1
		if n == rd.mapping.BatchSize || n > 0 && size > maxEvent {
			return n
		}
	}
	n := len(rd.pending)
	if all || n == rd.mapping.BatchSize || n > 0 && rd.untilWindow() <= 0 {
		return n
	}
	return 0
}

// untilWindow is how long what is pending may still gather.
func (rd *reader) untilWindow() time.Duration {
	return rd.mapping.Window - time.Since(rd.pending[0].readAt)
}

// wait is how long to leave the shard alone after a page with so many records.
func (rd *reader) wait(records int) time.Duration {
	if records > 0 {
		rd.pause = 0
	}
	rd.pause = min(max(2*rd.pause, afterRecords), rd.opts.Poll)
	if len(rd.pending) > 0 {
		return min(rd.pause, rd.untilWindow())
	}
	return rd.pause
}

// advance moves the checkpoint. One that cannot be saved costs a repetition after
// a restart, so it is no reason to stop.
func (rd *reader) advance(to Position) {
	if err := rd.progress.advance(rd.shard, to); err != nil {
		rd.log.Error("checkpoint not saved", "error", err)
	}
}
