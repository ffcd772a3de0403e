package cloud

import (
	"bytes"
	"io"
	"net/http"
)

// manageConnections decides on a request to @connections: who signed it, and
// whether their role allows it on the connection that resource names.
func (c *Cloud) manageConnections(r *http.Request, resource string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	who, err := c.authority.Authenticate(r, body, "execute-api")
	if err != nil {
		return err
	}
	return c.authority.Authorize(who, "execute-api:ManageConnections", resource, nil)
}
