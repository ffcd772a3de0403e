// Package gateway runs API Gateway WebSocket APIs on this machine.
//
// Its place in the flow, for a frame that a client sends:
//
//	client ─frame→ gateway ─route selection→ route ─event→ Invoker (a Lambda)
//	       ←─── frame ─── route response, or a frame of the service itself
//
// and for a frame that a function sends to any client:
//
//	function ─POST /{stage}/@connections/{id}→ gateway ─frame→ client
//
// A [Gateway] holds any number of APIs. [Gateway.Put] declares one as the
// resources of API Gateway declare it (routes, integrations, stages), and
// [Gateway.Handler] serves it: clients connect to /{stage}, functions reach
// clients by /{stage}/@connections/{id}. A second Put swaps the declaration
// under the open connections. The gateway listens nowhere itself and starts no
// function itself: the handler belongs on a loopback listener of the caller,
// and functions are run by the [Invoker].
//
// # Fidelity
//
// What clients and functions see is what AWS shows them, down to the bytes of
// the service's own frames and the order of an event's fields. Each such claim
// has a test that bears its name. Where AWS's behaviour is not known, the
// stricter or safer one is taken:
//
//   - A frame can never select $connect or $disconnect, whatever it holds.
//   - A function that answers a message with null, or with anything else that
//     is no proxy response, is answered with "Internal server error".
//   - Control frames (ping, pong) do not keep a connection from being idle.
//   - A function error at $connect refuses the upgrade with 502, an answer
//     after the integration timeout with 504, and a failure to invoke at all
//     with 500.
//   - A client that vanishes while $connect runs is connected and gone again:
//     $disconnect follows a $connect that succeeded.
//   - A post that is not UTF-8 is refused with 400, since the service can send
//     nothing but text frames.
//   - A route response without a body, or with an empty one, sends no frame.
//   - A post of more than 32 KB is sent as fragments of 32 KB.
//   - Messages above the limits, binary messages and violations of RFC 6455
//     close the connection with an empty reason.
//   - The body of a refused upgrade is the JSON of the service's own frames.
//
// Like API Gateway, this package never looks at a request's Origin: any web
// page may open a connection, and it is the $connect function (or an
// authorizer) that has to refuse those it does not trust.
//
// The paths /ping and /sping are reserved on AWS for health checks; here they
// answer 200.
//
// What is not run is refused by name: [Gateway.Put] returns an error for
// integrations other than AWS_PROXY and for selection expressions beyond
// request.body. API keys, request models and custom
// domains cannot be declared at all.
//
// # Time
//
// Ages of connections (idle, 2 hours) and the times in events come from
// [Options.Clock], which may be set forward. How long work takes (integration
// timeouts, a stalled write, the closing handshake) is measured in real time,
// so that setting the clock forward does not fail work that is under way.
package gateway
