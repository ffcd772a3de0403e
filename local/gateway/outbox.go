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
// order. Whoever sends never waits for the client. There is a goroutine that
// writes while there is something to write, and none for an idle connection.
type outbox struct {
	limits *Limits
	spawn  func(func())  // starts a goroutine
	done   chan struct{} // closed once nothing is written any more

	mu       sync.Mutex
	conn     net.Conn // nil until the connection is open
	queue    net.Buffers
	bytes    int  // in queue and in the write under way
	writing  bool // a goroutine runs write
	finished bool // nothing follows what is in queue
	ended    bool // done is closed
}

func newOutbox(limits *Limits, spawn func(func())) *outbox {
	return &outbox{limits: limits, spawn: spawn, done: make(chan struct{})}
}

// attach gives the outbox its socket, which it closes if it fails.
func (o *outbox) attach(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conn = conn
	if o.finished { // closed before it was open
		o.expectEnd()
	}
	o.wake()
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
	if o.conn != nil {
		o.expectEnd()
	}
	o.push(closeFrame)
}

// expectEnd gives the client time to take what is queued and to answer the close
// frame, no more. It comes before the close frame is written, when the deadline of
// the last write may have passed. o.mu is held.
func (o *outbox) expectEnd() {
	_ = o.conn.SetDeadline(time.Now().Add(o.limits.CloseHandshake))
}

// abandon drops everything: there is nobody to write to.
func (o *outbox) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.queue = nil
	o.end()
}

// push appends to the queue. o.mu is held.
func (o *outbox) push(frames []byte) {
	if !o.ended {
		o.queue = append(o.queue, frames)
		o.bytes += len(frames)
		o.wake()
	}
}

// wake has what is queued written. o.mu is held.
func (o *outbox) wake() {
	if o.conn != nil && len(o.queue) > 0 && !o.writing {
		o.writing = true
		o.spawn(o.write)
	}
}

// end says that nothing is written any more. o.mu is held.
func (o *outbox) end() {
	if !o.ended {
		o.ended = true
		close(o.done)
	}
}

// write writes the queue until it is empty or the socket fails.
func (o *outbox) write() {
	for batch := o.take(0); batch != nil; {
		n, err := batch.WriteTo(o.conn)
		if err != nil {
			// The reader notices, and decides what it means.
			_ = o.conn.Close()
			o.abandon()
		}
		batch = o.take(int(n))
	}
}

// take empties the queue, and counts off what was written of it before. Once
// there is nothing in it, write ends.
func (o *outbox) take(written int) net.Buffers {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= written
	batch := o.queue
	o.queue = nil
	if len(batch) == 0 {
		o.writing = false
		if o.finished {
			o.end()
		}
		return nil
	}
	if !o.finished { // else the deadline is that of the closing handshake
		_ = o.conn.SetWriteDeadline(time.Now().Add(o.limits.Stall))
	}
	return batch
}
