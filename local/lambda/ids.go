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

// newTraceID is an X-Ray trace header that says not to sample.
func newTraceID(at time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", uint32(at.Unix()), randomHex(12), randomHex(8))
}

// newStream is the name of an environment's log stream.
func newStream(at time.Time) string {
	return at.UTC().Format("2006/01/02") + "/[" + version + "]" + randomHex(16)
}
