package connections

import (
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// newHTTPClient makes the SDK's client keep as many idle connections as are in
// use at once: with Go's default of 2 a host, or the SDK's of 10, most posts of
// a broadcast pay for a TLS handshake.
func newHTTPClient(concurrency int) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 0 // no bound but the next one
		t.MaxIdleConnsPerHost = concurrency
		t.MaxConnsPerHost = concurrency
	})
}
