package cloud

import (
	"io"
	"net/http"
)

// manageConnections decides on a request to @connections: who signed it, and
// whether their role allows it on resource.
func (c *Cloud) manageConnections(r *http.Request, resource string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	who, err := c.authority.Authenticate(r, body, "execute-api")
	if err != nil {
		return err
	}
	return c.authority.Authorize(who, "execute-api:ManageConnections", resource, nil)
}
