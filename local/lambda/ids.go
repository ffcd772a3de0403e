package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// randomHex is n random bytes in hexadecimal.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the program would end instead
	return hex.EncodeToString(b)
}

// newUUID is a random one, version 4: the form of a request id.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID is an X-Ray trace header that says not to sample.
func newTraceID(at time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", uint32(at.Unix()), randomHex(12), randomHex(8))
}

// newStream is the name of an environment's log stream.
func newStream(at time.Time) string {
	return at.UTC().Format("2006/01/02") + "/[" + version + "]" + randomHex(16)
}
