package gateway

import "net/http"

// A missingToken is why a request without any signature is refused.
type missingToken struct{}

var errMissingToken missingToken

func (missingToken) Error() string     { return "Missing Authentication Token" }
func (missingToken) ErrorCode() string { return "MissingAuthenticationTokenException" }

// signed reports whether a request says anything at all about who makes it, in
// its header or its query.
func signed(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || r.URL.Query().Has("X-Amz-Signature")
}
