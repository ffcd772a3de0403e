package cloud

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// newID returns n random characters as AWS's short ids have them.
func newID(n int) string {
	random := make([]byte, n)
	rand.Read(random)
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))[:n]
}
