package gateway

import (
	"cmp"
	"time"
)

// Limits bound what clients and functions may do. A zero field means the
// default, which is AWS's own value where AWS has one
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html).
type Limits struct {
	// Frame is the largest payload of one frame from a client, in bytes, and
	// the size of the fragments in which longer messages are sent. A larger
	// frame closes its connection with 1009. Default 32 KB.
	Frame int

	// Message is the largest message, in bytes, however it is fragmented. A
	// larger one closes its connection with 1009; a larger post is answered
	// with 413. Default 128 KB.
	Message int

	// Idle closes a connection with 1001 when it has had no message in either
	// direction for this long. Default 10 minutes.
	Idle time.Duration

	// Life closes a connection with 1001 at this age. Default 2 hours.
	Life time.Duration

	// Routes is the most routes, and the most integrations, that one API may
	// declare. Default 300.
	Routes int

	// Stages is the most stages that one API may declare. Default 10.
	Stages int

	// Authorizers is the most authorizers that one API may declare. Default 10.
	Authorizers int

	// Connects is how many connections may be opened each second, and at once,
	// to all APIs together; further ones are refused with 429. Default 500.
	Connects int

	// Requests is how many requests there may be each second in the long run:
	// messages of clients and requests to @connections, of all APIs together.
	// A message beyond it is answered by a frame, a request with 429.
	// Default 10,000.
	Requests int

	// Burst is how many such requests there may be at once. Default 5,000.
	Burst int

	// URL is the longest URL, in characters. A longer one is refused with 414.
	// Default 4096.
	URL int

	// InFlight is the most messages of one connection that are with their
	// functions at the same time; further ones wait in the socket. AWS
	// publishes no such number. Default 100.
	InFlight int

	// SendBuffer is the most bytes that wait to be written to one client; what
	// would exceed it is refused, a post with 429. One message is always
	// accepted into an empty buffer. AWS publishes no such number.
	// Default 1 MB.
	SendBuffer int

	// Stall is how long one write to a client may take before the client
	// counts as vanished (1006). Default 1 minute.
	Stall time.Duration

	// CloseHandshake is how long a client has to answer a close frame and to
	// take what was still on its way. Default 2 seconds.
	CloseHandshake time.Duration

	// Shutdown is how long [Gateway.Delete] and [Gateway.Close] let functions
	// finish, $disconnect among them, before they are cancelled.
	// Default 10 seconds.
	Shutdown time.Duration
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Frame:          cmp.Or(l.Frame, 32<<10),
		Message:        cmp.Or(l.Message, 128<<10),
		Idle:           cmp.Or(l.Idle, 10*time.Minute),
		Life:           cmp.Or(l.Life, 2*time.Hour),
		Routes:         cmp.Or(l.Routes, 300),
		Stages:         cmp.Or(l.Stages, 10),
		Authorizers:    cmp.Or(l.Authorizers, 10),
		Connects:       cmp.Or(l.Connects, 500),
		Requests:       cmp.Or(l.Requests, 10_000),
		Burst:          cmp.Or(l.Burst, 5_000),
		URL:            cmp.Or(l.URL, 4096),
		InFlight:       cmp.Or(l.InFlight, 100),
		SendBuffer:     cmp.Or(l.SendBuffer, 1<<20),
		Stall:          cmp.Or(l.Stall, time.Minute),
		CloseHandshake: cmp.Or(l.CloseHandshake, 2*time.Second),
		Shutdown:       cmp.Or(l.Shutdown, 10*time.Second),
	}
}

// An integration answers within 50 ms to 29 s; the upper end is also the
// default and, unlike for REST APIs, cannot be raised.
const (
	minIntegrationTimeout = 50 * time.Millisecond
	maxIntegrationTimeout = 29 * time.Second
)
