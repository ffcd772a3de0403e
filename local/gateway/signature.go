package gateway

import (
	"net/http"
	"strings"
)

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

// signedFor reports whether a request carries a SigV4 Authorization header for
// the service. It does not check the signature:
//
//	AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…
func signedFor(r *http.Request, service string) bool {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return false
	}
	values := make(map[string]string, 3)
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		values[name] = value
	}
	scope := strings.Split(values["Credential"], "/")
	return len(scope) == 5 && scope[0] != "" && scope[3] == service && scope[4] == "aws4_request" &&
		values["SignedHeaders"] != "" && values["Signature"] != ""
}
