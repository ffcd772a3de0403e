package process

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"syscall"
)

// MaxLine is the longest piece of a line handed over at once, in bytes: what
// CloudWatch Logs takes as one event.
const MaxLine = 256 << 10

// An output is the reading end of a pipe that a process writes to. It can be
// read to where it stands at a moment, which is how Flush knows that it has seen
// everything written before: the pipe is read by whoever holds mu, the reader
// when something arrives or drain when it is asked to.
type output struct {
	line func(string)

	r    *os.File
	w    *os.File // until the process has started
	conn syscall.RawConn

	mu      sync.Mutex
	buf     []byte // one read
	partial []byte // a line whose end has not come
	ended   bool
}

func newOutput(line func(string)) (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		_ = r.Close()
		_ = w.Close()
		return nil, nil, err
	}
	return &output{line: line, r: r, w: w, conn: conn, buf: make([]byte, readSize)}, w, nil
}

// started closes our copy of the writing end; the process has its own.
func (o *output) started() { _ = o.w.Close() }

// read hands lines over as they come, until the pipe is closed at either end.
func (o *output) read() {
	// The error says that the file is closed, which is one of the ends.
	_ = o.conn.Read(func(fd uintptr) (done bool) {
		for {
			switch o.take(int(fd)) {
			case empty:
				return false // and be called again when there is something
			case ended:
				return true
			}
		}
	})
}

// drain hands over what is in the pipe now, and not what a process that never
// stops writing adds to it meanwhile.
func (o *output) drain() {
	_ = o.conn.Control(func(fd uintptr) {
		for range pipeSize / readSize {
			if o.take(int(fd)) != taken {
				return
			}
		}
	})
}

const (
	readSize = 32 << 10
	pipeSize = 1 << 20 // at most, for who has no privileges
)

// A state is how one read of a pipe went.
type state int

const (
	taken state = iota // there may be more
	empty              // nothing is there now
	ended              // nothing will come
)

// take reads once.
func (o *output) take(fd int) state {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return ended
	}
	n, err := syscall.Read(fd, o.buf)
	switch {
	case n > 0:
		o.split(o.buf[:n])
		return taken
	case errors.Is(err, syscall.EINTR):
		return taken
	case errors.Is(err, syscall.EAGAIN):
		return empty
	}
	o.ended = true // the end, or an error after which nothing comes
	return ended
}

// split hands over the lines in data and keeps the rest.
func (o *output) split(data []byte) {
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			break
		}
		o.hand(data[:i], true)
		data = data[i+1:]
	}
	o.hand(data, false)
}

// hand adds data to the line that is being built, and ends it if that is so.
func (o *output) hand(data []byte, end bool) {
	o.partial = append(o.partial, data...)
	for len(o.partial) > MaxLine {
		o.line(string(o.partial[:MaxLine]))
		o.partial = append(o.partial[:0], o.partial[MaxLine:]...)
	}
	if end {
		o.line(string(o.partial))
		o.partial = o.partial[:0]
	}
}

// close hands over what is left, also a last line without its end, and closes the
// pipe. Something that left the group and still holds the other end cannot keep
// it open.
func (o *output) close() {
	o.drain()
	o.mu.Lock()
	if len(o.partial) > 0 {
		o.line(string(o.partial))
		o.partial = nil
	}
	o.ended = true
	o.mu.Unlock()
	_ = o.r.Close()
}
