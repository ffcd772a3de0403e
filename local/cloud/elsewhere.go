package cloud

import (
	"encoding/json"
	"net/http"
	"regexp"
)

// credentialScope takes the service out of a signature: Credential=KEY/DATE/REGION/SERVICE/aws4_request.
var credentialScope = regexp.MustCompile(`Credential=[^/]+/[0-9]+/[^/]+/([^/]+)/aws4_request`)

// notRunHere answers calls to AWS services that the local cloud does not run,
// so that a function that makes one is told so at once, offline too.
func notRunHere(w http.ResponseWriter, r *http.Request) {
	service := "this AWS service"
	if found := credentialScope.FindStringSubmatch(r.Header.Get("Authorization")); found != nil {
		service = found[1]
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-ErrorType", "NotRunLocally")
	w.WriteHeader(http.StatusNotImplemented)
	json.NewEncoder(w).Encode(map[string]string{
		"__type":  "NotRunLocally",
		"message": "the local cloud does not run " + service + ": it runs API Gateway WebSocket APIs, Lambda functions and DynamoDB tables",
	})
}
