package gateway

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Why a frame cannot be sent.
var (
	errFull   = errors.New("the client reads too slowly: its send buffer is full")
	errClosed = errors.New("the connection is closed")
)

// An outbox holds the frames on their way to one client and writes them in
// order. Whoever sends never waits for the client.
type outbox struct {
	limits Limits
	wake   chan struct{} // has room for one: there is something to do

	mu       sync.Mutex
	conn     net.Conn
	queue    net.Buffers
	bytes    int // in queue and in the write under way
	finished bool
}

func newOutbox(limits Limits) *outbox {
	return &outbox{limits: limits, wake: make(chan struct{}, 1)}
}

// attach sets the socket before run.
func (o *outbox) attach(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conn = conn
}

// send queues encoded frames and calls accepted before they can be written. The
// error is errFull or errClosed.
func (o *outbox) send(frames []byte, accepted func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.finished:
		return errClosed
	case o.bytes > 0 && o.bytes+len(frames) > o.limits.SendBuffer:
		return errFull
	}
	accepted()
	o.push(frames)
	return nil
}

// finish queues the close frame as the last one.
func (o *outbox) finish(closeFrame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.push(closeFrame)
}

// abandon drops everything: there is nobody to write to.
func (o *outbox) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.queue = nil
	o.signal()
}

// push appends and wakes run. o.mu is held.
func (o *outbox) push(frames []byte) {
	o.queue = append(o.queue, frames)
	o.bytes += len(frames)
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run writes frames until the last one is written or the socket fails.
func (o *outbox) run() error {
	for {
		batch, last := o.take()
		if len(batch) == 0 {
			if last {
				return nil
			}
			<-o.wake
			continue
		}
		n, err := batch.WriteTo(o.conn)
		if err != nil {
			return err
		}
		o.mu.Lock()
		o.bytes -= int(n)
		o.mu.Unlock()
	}
}

// take empties the queue. last is true if nothing follows.
func (o *outbox) take() (batch net.Buffers, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.queue = o.queue, nil
	if !o.finished { // else the deadline is that of the closing handshake
		_ = o.conn.SetWriteDeadline(time.Now().Add(o.limits.Stall))
	}
	return batch, o.finished
}
