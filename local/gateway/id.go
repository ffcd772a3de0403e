package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Ids look like AWS's: 11 bytes in padded base64url, hence 16 characters that
// end in = and may hold - and _. The last three bytes of a connection id are
// also those of the ids of its messages.
const (
	idBytes   = 11
	idTail    = 3
	tailFirst = 0x02 // connection ids end in …C???=
)

type rawID [idBytes]byte

func (id rawID) String() string { return base64.URLEncoding.EncodeToString(id[:]) }

// An idSource makes ids from randomness.
type idSource struct{ random io.Reader }

func (s idSource) fill(p []byte) {
	if _, err := io.ReadFull(s.random, p); err != nil {
		// As crypto/rand does: nothing can go on without randomness.
		panic(fmt.Sprintf("gateway: no randomness for ids: %v", err))
	}
}

func (s idSource) connection() rawID {
	var id rawID
	s.fill(id[:])
	id[idBytes-idTail] = tailFirst
	return id
}

// message makes the id of a message of the connection.
func (s idSource) message(connection rawID) rawID {
	id := connection
	s.fill(id[:idBytes-idTail])
	return id
}

func (s idSource) request() rawID {
	var id rawID
	s.fill(id[:])
	return id
}

// trace makes the value of an X-Amzn-Trace-Id header.
func (s idSource) trace(now time.Time) string {
	var random [12]byte
	s.fill(random[:])
	return fmt.Sprintf("Root=1-%08x-%s", uint32(now.Unix()), hex.EncodeToString(random[:]))
}

// wellFormedID reports whether id could be the id of a connection.
func wellFormedID(id string) bool {
	decoded, err := base64.URLEncoding.Strict().DecodeString(id)
	return err == nil && len(decoded) == idBytes
}
