package gateway

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// A clientClose is the close frame of a client.
type clientClose closeStatus

func (c clientClose) Error() string { return fmt.Sprintf("client closed with %d", c.code) }

// A violation is what a client must not send, and how that closes the
// connection.
type violation struct {
	status closeStatus
	why    string
}

func (v violation) Error() string { return v.why }

// parseClose returns the clientClose or the violation that a close frame is.
func parseClose(payload []byte) error {
	if len(payload) == 0 {
		return clientClose(statusNotSet)
	}
	if len(payload) == 1 {
		return violation{protocolError, "a close frame with half a code"}
	}
	status := closeStatus{ws.StatusCode(binary.BigEndian.Uint16(payload)), string(payload[2:])}
	switch {
	case !sendable(status.code):
		return violation{protocolError, fmt.Sprintf("close code %d", status.code)}
	case !utf8.ValidString(status.reason):
		return violation{invalidPayload, "a close reason that is not UTF-8"}
	}
	return clientClose(status)
}

// sendable reports whether a close frame may carry the code: those of RFC 6455
// section 7.4, those registered since, and the ranges 3000 to 4999.
func sendable(code ws.StatusCode) bool {
	switch code {
	case 1004, 1005, 1006:
		return false
	}
	return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}

// closeFrame encodes the close frame for a status. 1005 is never sent as a
// code: it means that there is none.
func closeFrame(status closeStatus) []byte {
	if status.code == ws.StatusNoStatusRcvd {
		return ws.MustCompileFrame(ws.NewCloseFrame(nil))
	}
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(status.code, status.reason)))
}
