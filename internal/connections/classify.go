package connections

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A result is what an attempt to post came to.
type result int

const (
	delivered result = iota
	gone             // the connection does not exist
	busy             // no room, of the client's own or altogether; may pass
	ignored          // no room, as ever: its client does not read
	retry            // another attempt may succeed
	failed           // it would not
)

// classify says what the error of a post means. A 410 counts with and without
// the error type in its header; without, the SDK knows only the status.
func classify(err error) result {
	if err == nil {
		return delivered
	}
	if _, ok := errors.AsType[*types.GoneException](err); ok {
		return gone
	}
	status := 0 // no answer: the network, or the attempt's own timeout
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = response.HTTPStatusCode()
	}
	switch {
	case status == http.StatusGone:
		return gone
	case status == http.StatusBadRequest:
		// Not the form of a connection id, so there never was such a
		// connection. The frame cannot be at fault: it is any text.
		return gone
	case status == http.StatusTooManyRequests:
		return busy // the account's rate, or the client's full send buffer
	case status == 0, status >= 500:
		return retry
	default: // 403: permission or stage; 413: cannot be
		return failed
	}
}
