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
// has a test that bears its name; those of frames bear the numbers of the
// Autobahn suite. Where AWS's behaviour is not known, the stricter or safer one
// is taken.
//
// Of connecting:
//
//   - A function error at $connect refuses the upgrade with 502, an answer
//     after the integration timeout with 504, and a failure to invoke at all
//     with 500.
//   - The body of a refused upgrade is the JSON of the service's own frames.
//   - A client that vanishes while $connect runs is connected and gone again:
//     $disconnect follows a $connect that succeeded.
//   - A URL of more than 4096 characters, from wss:// to the end of its query,
//     is answered by 414.
//   - The paths /ping and /sping, which AWS reserves for health checks, answer
//     200.
//   - Like API Gateway, this package never looks at a request's Origin: any web
//     page may open a connection, and it is the $connect function or an
//     authorizer that has to refuse those it does not trust.
//
// Of authorizers:
//
//   - One that fails, takes more than 29 seconds, or returns what is no result
//     (no principalId, no policy, more than 8 KB) refuses with 500.
//   - In its policy, Condition, NotAction and NotResource are not evaluated;
//     with them it is no result. So is a context with objects, arrays or nulls.
//   - Numbers and booleans of its context are texts in later events.
//   - Names of headers in identity sources match in any case, those of query
//     parameters in their own. context.NAME and stageVariables.NAME are taken,
//     too.
//   - Results are not cached, and nothing of a request or a result is logged.
//
// Of messages:
//
//   - A frame can never select $connect or $disconnect, whatever it holds.
//   - Selected values that are no text are their JSON text, an array is
//     [item1, item2], null and what is missing are empty.
//   - A function that answers a message with null, or with anything else that
//     is no proxy response, is answered with "Internal server error".
//   - A route response without a body, or with an empty one, sends no frame.
//   - A message beyond a throttle is answered with "Too Many Requests", whose
//     text is a guess, and the connection stays open.
//   - The default route settings of a stage throttle together all routes that
//     have none of their own, $connect among them; a new declaration begins
//     with full buckets.
//
// Of closing:
//
//   - Control frames (ping, pong) do not keep a connection from being idle.
//   - Messages above the limits, binary messages and violations of RFC 6455
//     close the connection with an empty reason.
//   - DELETE @connections closes with 1000 "Connection Closed Normally".
//
// Of @connections:
//
//   - Each request draws on the account's throttle, whatever becomes of it.
//   - A post that is not UTF-8 is refused with 400, since the service can send
//     nothing but text frames.
//   - A post of more than 32 KB is sent as fragments of 32 KB.
//
// What is not run is refused by name: [Gateway.Put] returns an error for
// integrations other than AWS_PROXY, for selection expressions beyond
// request.body, for identity sources beyond those above, and for settings that
// AWS would refuse. API keys, request models, IAM authorization of $connect and
// custom domains cannot be declared at all.
//
// # Accounts
//
// One Gateway stands for one account in one Region: its APIs share the throttles
// of [Limits]. What each idle connection costs is a goroutine and about 4 KB.
//
// # Time
//
// How old connections are (idle, 2 hours) is a matter of [Options.Clock], by
// which time can be let pass. The times in events are the machine's. How long
// work takes (integration timeouts, a stalled write, the closing handshake) and
// how fast throttles fill is real time, so that letting time pass does not fail
// work that is under way.
package gateway
