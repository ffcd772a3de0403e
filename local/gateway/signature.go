package gateway

import (
	"net/http"
	"strings"
)

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
