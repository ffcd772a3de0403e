package eventsource

import "time"

// A lane delivers the records of a shard, or of some of its partition keys, in
// order: batch after batch, each done before the next one begins.
type lane struct {
	*reader
	wake chan struct{} // has a value when there is something to look at

	free time.Time // since when it could have taken another batch

	// reader.mu guards these.
	queue    []*item // read, and not under way
	retrying *Retry  // nil if nothing is
}

func newLane(rd *reader) *lane {
	return &lane{reader: rd, wake: make(chan struct{}, 1)}
}

// poke lets the lane look whether there is something to do.
func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run returns when all is done and nothing more comes, or when the runner stops.
func (l *lane) run() {
	for {
		batch := l.next()
		if batch == nil || !l.deliver(batch) {
			return
		}
		l.free = l.opts.Clock.Now()
	}
}

// next waits for a batch that is due; nil means that none will be.
func (l *lane) next() []*item {
	for l.ctx.Err() == nil {
		l.mu.Lock()
		n, wait := l.due()
		batch := l.queue[:n:n]
		l.queue = l.queue[n:]
		closed := l.closed
		l.mu.Unlock()
		if n > 0 {
			return batch
		}
		if closed {
			return nil
		}
		l.await(wait)
	}
	return nil
}

// await waits until there is something to look at, at most for so long; 0 means
// as long as it takes.
func (l *lane) await(wait time.Duration) {
	if wait > 0 {
		defer l.opts.Clock.AfterFunc(wait, l.poke)()
	}
	select {
	case <-l.wake:
	case <-l.ctx.Done():
	}
}

// due is how many of the items in the queue are to be delivered now: as many as
// make a full batch, or all if their time has come. If there are none, wait is how
// long those that are there may still gather. l.mu is held.
func (l *lane) due() (n int, wait time.Duration) {
	if len(l.queue) == 0 {
		return 0, 0
	}
	size := len(eventHead) + len(eventTail)
	for n, it := range l.queue {
		size += len(it.event) + 1
		if n == l.mapping.BatchSize || n > 0 && size > maxEvent {
			return n, 0
		}
	}
	n = len(l.queue)
	// A window begins when the batch before is done, or with its first record.
	since := l.queue[0].readAt
	if l.free.After(since) {
		since = l.free
	}
	wait = l.mapping.Window - l.opts.Clock.Since(since)
	if l.closed || n == l.mapping.BatchSize || wait <= 0 {
		return n, 0
	}
	return 0, wait
}
