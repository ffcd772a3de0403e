package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/gobwas/ws"
)

// A frameReader reads the messages of a client and holds it to RFC 6455 and to
// API Gateway's limits.
type frameReader struct {
	source *bufio.Reader
	limits *Limits
	pong   func(payload []byte)
	unread int64 // of the payload of the last frame
	closed bool  // the client has sent a close frame
}

// readBuffer is how much of a socket is read ahead. Each idle connection holds
// so much memory, and a frame that is larger is read past the buffer.
const readBuffer = 256

// newFrameReader reads from conn, after what the HTTP server has read of it
// already.
func newFrameReader(conn io.Reader, ahead *bufio.Reader, limits *Limits, pong func([]byte)) *frameReader {
	if n := ahead.Buffered(); n > 0 {
		read, _ := ahead.Peek(n)
		conn = io.MultiReader(bytes.NewReader(bytes.Clone(read)), conn)
	}
	return &frameReader{source: bufio.NewReaderSize(conn, readBuffer), limits: limits, pong: pong}
}

// next returns the next text message. Pings in between are answered. The error
// is a clientClose, a violation, or the socket's.
func (f *frameReader) next() ([]byte, error) {
	var message text
	continued := false // a message has begun
	for {
		h, err := f.header()
		if err != nil {
			return nil, err
		}
		if err := f.check(h, continued, len(message.bytes)); err != nil {
			return nil, err
		}
		if h.OpCode.IsControl() {
			if err := f.control(h); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.read(h, &message); err != nil {
			return nil, err
		}
		if h.Fin && !message.complete() {
			return nil, notUTF8
		}
		if h.Fin {
			return message.bytes, nil
		}
		continued = true
	}
}

func (f *frameReader) header() (ws.Header, error) {
	h, err := ws.ReadHeader(f.source)
	if err == ws.ErrHeaderLengthMSB {
		err = violation{protocolError, "a frame length with its highest bit set"}
	}
	f.unread = h.Length
	return h, err
}

// check holds a frame's header to the rules; size is that of the message so
// far.
func (f *frameReader) check(h ws.Header, continued bool, size int) error {
	switch {
	case h.Rsv != 0:
		return violation{protocolError, "reserved bits without an extension"}
	case h.OpCode.IsReserved():
		return violation{protocolError, fmt.Sprintf("reserved opcode %#x", h.OpCode)}
	case !h.Masked:
		return violation{protocolError, "a frame without a mask"}
	case h.OpCode.IsControl() && (!h.Fin || h.Length > ws.MaxControlFramePayloadSize):
		return violation{protocolError, "a control frame that is fragmented or above 125 bytes"}
	case h.OpCode.IsControl():
		return nil
	case continued != (h.OpCode == ws.OpContinuation):
		return violation{protocolError, "fragments out of order"}
	case h.OpCode == ws.OpBinary:
		return violation{unsupportedData, "a binary message"}
	case h.Length > int64(f.limits.Frame):
		return violation{messageTooBig, fmt.Sprintf("a frame of %d bytes", h.Length)}
	case int64(size)+h.Length > int64(f.limits.Message):
		return violation{messageTooBig, fmt.Sprintf("a message of at least %d bytes", int64(size)+h.Length)}
	}
	return nil
}

var notUTF8 = violation{invalidPayload, "text that is not UTF-8"}

// read appends the payload of a frame to a message.
func (f *frameReader) read(h ws.Header, message *text) error {
	message.bytes = slices.Grow(message.bytes, int(h.Length))
	for offset := 0; f.unread > 0; {
		end := len(message.bytes)
		n, err := f.source.Read(message.bytes[end : end+int(f.unread)])
		f.unread -= int64(n)
		message.bytes = message.bytes[:end+n]
		ws.Cipher(message.bytes[end:], h.Mask, offset)
		offset += n
		if !message.check() {
			return notUTF8
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// control does what a control frame asks for.
func (f *frameReader) control(h ws.Header) error {
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(f.source, payload); err != nil {
		return err
	}
	f.unread = 0
	ws.Cipher(payload, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		f.pong(payload)
	case ws.OpClose:
		f.closed = true
		return parseClose(payload)
	}
	return nil
}

// drain discards what the client sends up to its close frame or the end of the
// socket. Closing a socket with unread bytes would reset it, and the client
// might lose the close frame that is on its way.
func (f *frameReader) drain() {
	for !f.closed {
		if _, err := io.CopyN(io.Discard, f.source, f.unread); err != nil {
			return
		}
		h, err := f.header()
		if err != nil {
			return
		}
		f.closed = h.OpCode == ws.OpClose
	}
}

func pongFrame(payload []byte) []byte {
	return ws.MustCompileFrame(ws.NewPongFrame(payload))
}

// textFrames encodes a text message in frames of at most size bytes each.
func textFrames(text []byte, size int) []byte {
	var b bytes.Buffer
	b.Grow(len(text) + (len(text)/size+1)*ws.MaxHeaderSize)
	opcode := ws.OpText
	for {
		n := min(len(text), size)
		ws.MustWriteFrame(&b, ws.NewFrame(opcode, n == len(text), text[:n]))
		if text = text[n:]; len(text) == 0 {
			return b.Bytes()
		}
		opcode = ws.OpContinuation
	}
}
