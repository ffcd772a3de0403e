package eventsource

import (
	"slices"
	"time"
)

// An item is a record that passed the filters.
type item struct {
	sequence string
	created  time.Time
	event    []byte // JSON, as the function gets it
	readAt   time.Time
	before   Position // of the record before it
	done     bool     // reader.mu guards it
}

// awaitRoom waits until there are few enough events that are not done, and returns
// false if the runner stops. One lane at least has a full batch when it waits.
func (rd *reader) awaitRoom() bool {
	for rd.ctx.Err() == nil {
		rd.mu.Lock()
		held := rd.held
		rd.mu.Unlock()
		if held < len(rd.lanes)*maxEvent {
			return true
		}
		select {
		case <-rd.freed:
		case <-rd.ctx.Done():
		}
	}
	return false
}

// finish notes that items are done, delivered or given up, and moves the
// checkpoint if nothing before them is open.
func (rd *reader) finish(items []*item) {
	rd.mu.Lock()
	for _, it := range items {
		it.done = true
		rd.held -= len(it.event)
		it.event = nil
	}
	n := slices.IndexFunc(rd.open, func(it *item) bool { return !it.done })
	if n < 0 {
		n = len(rd.open)
	}
	rd.open = slices.Delete(rd.open, 0, n)
	rd.mu.Unlock()
	select {
	case rd.freed <- struct{}{}:
	default:
	}
	rd.checkpoint()
}

// checkpoint saves the lowest position with nothing open before it.
func (rd *reader) checkpoint() {
	rd.saving.Lock()
	defer rd.saving.Unlock()
	rd.mu.Lock()
	at := rd.position()
	rd.mu.Unlock()
	rd.advance(at)
}

// position is where to go on after a restart. rd.mu is held.
func (rd *reader) position() Position {
	if len(rd.open) > 0 {
		return rd.open[0].before
	}
	return rd.read
}

func (rd *reader) pending() int {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	return len(rd.open)
}

// advance moves the checkpoint. One that cannot be saved costs a repetition after
// a restart, so it is no reason to stop.
func (rd *reader) advance(to Position) {
	if err := rd.progress.advance(rd.shard, to); err != nil {
		rd.log.Error("checkpoint not saved", "error", err)
	}
}
