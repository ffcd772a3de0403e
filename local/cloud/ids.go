package cloud

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
)

// newID returns n random characters as AWS's short ids have them.
func newID(n int) string {
	random := make([]byte, n)
	rand.Read(random)
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))[:n]
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
