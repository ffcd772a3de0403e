// Package fault makes the bad days of a cloud, on purpose: connections that are
// gone, posts that are throttled or slow, a table that refuses writes, functions
// that die in the middle, batches that come twice, clients whose $disconnect is
// never told.
//
// All of it happens on AWS, seldom enough that nobody sees it before production
// does. Here a [Rule] makes it happen. A rule names the calls that it looks at
// (On, Target, Action), which of them it strikes (Share, Nth, Times) and what it
// does to them (Status, Throttle, Latency, After):
//
//	on          what it looks at               what it does
//	post        each post to a connection      answers it with 410, 429 or 500, or lets it wait, or both
//	table       each call to a table           throttles writes, or lets calls wait, or both
//	invoke      each invocation of a function  kills its process a moment after the event was delivered
//	batch       each batch that succeeded      has the very same batch delivered once more
//	disconnect  each connection that closes    loses its $disconnect
//
// The local cloud asks a [Faults] before each such call: [Faults.Post],
// [Faults.Table], [Faults.Kill], [Faults.Duplicate], [Faults.LoseDisconnect].
//
// # A run can be repeated
//
// Each rule draws from a generator of its own, which its Seed starts. So the
// rule's k-th decision is the same in every run, whatever other rules there are
// and whatever they decide. Without a seed one is drawn, and [Faults.List] shows
// it. Which call is the k-th is up to the program that makes the calls: where it
// makes them one after the other the same ones are struck, and where it makes
// them at once as many are.
//
// # Several rules
//
// Every rule that looks at a call is asked, in the order in which they were added,
// and each that strikes counts it. Their latencies add up; of several statuses the
// first is answered, and of several deaths the earliest happens.
//
// Rules last as long as their Faults: a local cloud that starts again has none.
//
// # What is and is not real
//
// A struck post is not sent and a throttled call does not reach the table, as on
// AWS. But AWS may also answer 500 for what it did, and a real 410 is for ever: a
// rule with Share 1 and a Target is the nearest to a connection that is gone, and
// the client behind it still hangs on. Latency waits in the machine's time, not in
// the local cloud's clock, since it is work that takes longer.
package fault
