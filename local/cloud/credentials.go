package cloud

import (
	"crypto/rand"
	"encoding/base32"
)

// A credential is what a function signs its calls with: one of its own, as its
// role gives it on AWS, so that every call says who makes it.
type credential struct{ accessKeyID, secretAccessKey, sessionToken string }

// newCredential makes one in the form of AWS's temporary credentials, whose
// access keys begin with ASIA.
func newCredential() credential {
	random := make([]byte, 10) // 16 characters
	rand.Read(random)
	return credential{
		accessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random),
		secretAccessKey: rand.Text() + rand.Text()[:14],
		sessionToken:    rand.Text() + rand.Text() + rand.Text(),
	}
}

// credentialOf returns a function's credential. It lasts until the function is
// deleted or the cloud ends, and is written down nowhere. The caller holds
// c.changes.
func (c *Cloud) credentialOf(function string) credential {
	own, known := c.credentials[function]
	if !known {
		own = newCredential()
		c.credentials[function] = own
	}
	return own
}
