// Package eventsource runs event source mappings: it reads DynamoDB streams and
// invokes functions with what it finds there, by the rules of Lambda's own poller.
//
// For each mapping given to [Poller.Put], the shards of its stream are listed and
// read one beside the other, a parent before its children. The records of a shard
// pass the mapping's filters and go to a lane: the only one, or, with a
// parallelization factor, one chosen by a hash of the partition key. In a lane they
// gather into batches, and a batch is done before the next one begins. So one that
// fails holds up its lane until it succeeds, is split, has used up its retries or
// is too old and goes to the dead-letter queue. The checkpoint of a shard is the
// lowest position with nothing open before it; a restart goes on from there.
// Delivery is at least once.
//
//	              ┌ lane: batch → invoke ┐
//	stream → read ┤ lane: batch → invoke ├ checkpoint
//	  and filter  └ lane: batch → invoke ┘
//	                               ↓ retries used up, too old
//	                          dead letter
//
// [Poller.Status] tells what AWS tells of a mapping (State, LastProcessingResult)
// and what a person needs besides: how far each shard has come, what is being
// retried, how often, since when and why, and how many records went where.
//
// Ages of records, waits between retries and batching windows are a matter of the
// local cloud's clock: to let time pass ends them. How often a stream is read is
// not.
//
// # What differs from AWS
//
// Shards are polled up to ten times a second, and at once while records come; AWS
// polls four times a second. AWS may miss records while a mapping with LATEST is
// made or changed; here none is missed by a change, and those of the second in which
// the mapping was made may come or not.
//
// How long AWS waits between retries it does not say. Here it is 100 ms at first,
// twice as long each time, and 10 s at most; a batch that was split begins anew.
//
// A stream's description on AWS names the table's partition key. Where an engine's
// does not, Options.PartitionKey is asked; if that does not know either, a table
// with a sort key has a single lane.
//
// A dead letter names the shard as the engine does, so that its records can be read
// there; ids of other engines are shorter than AWS's. Its requestId is not that of
// an invocation.
//
// Tumbling windows have no field in a Mapping: they are refused where one is made.
//
// # What is not known of AWS
//
// Where neither AWS's documents nor recorded runs say it, the stricter or plainer
// way was taken:
//
//   - Records that outlive the stream's 24 hours while they are retried are lost
//     without a dead letter, which would point to nothing. A letter for records
//     whose function never ran has no responseContext.
//   - Filters have the operators of Lambda's own list and anything-but with a prefix
//     or suffix; wildcard, cidr and the like, which event buses have, are refused.
//     Numbers compare by the way they are written, as Lambda's pages say, except in
//     numeric and anything-but. AWS's pages differ on whether eventName and
//     userIdentity can be filtered by; here they can.
//   - The problem with a stream that the role may not read is worded as the error
//     with which AWS refuses to create such a mapping. Reading goes on by itself as
//     soon as the policy allows it. A dead letter that the role may not send is
//     dropped, as on AWS, and here logged and counted.
//   - After a batch that failed in part LastProcessingResult is the same as after
//     one that failed.
//   - A FIFO queue is refused as an on-failure destination.
//   - Batches that were split carry on the count of invocations of the whole.
//   - The next batching window begins when the batch before it is done, or with its
//     first record if that is later.
package eventsource
