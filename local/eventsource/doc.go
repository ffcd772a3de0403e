// Package eventsource runs event source mappings: it reads DynamoDB streams and
// invokes functions with what it finds there, by the rules of Lambda's own poller.
//
// For each mapping given to [Poller.Put], the shards of its stream are listed and
// read one beside the other, a parent before its children. The records of a shard
// pass the mapping's filters, gather into batches and go to the function in order:
// a batch is done before the next one begins, so a batch that fails holds up its
// shard until it succeeds, is split, or has used up its retries and goes to the
// dead-letter queue. After each batch the mapping's checkpoint is saved, and a
// restart goes on from there. Delivery is at least once.
//
//	stream → read → drop, filter → batch → invoke → checkpoint
//	                                         ↓ retries used up, too old
//	                                    dead letter → checkpoint
//
// # What differs from AWS
//
// Shards are polled up to ten times a second, and at once while records come; AWS
// polls four times a second. Records that change nothing are dropped, since
// DynamoDB writes none for them and other engines do. A parallelization factor
// above 1 and tumbling windows are refused.
package eventsource
