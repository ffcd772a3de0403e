// Package dynamo runs the table of the local cloud: a DynamoDB-compatible
// engine (Dynoxide, or any endpoint that is given), behind an HTTP front that
// is as strict as DynamoDB, with the sweeper that its TTL lacks.
//
// # Who may do what
//
// A [Front] with an authority checks the signature of each call and then, for
// all but the account's owner, each action on each resource that it comes to:
//
//   - GetItem, PutItem, UpdateItem, DeleteItem, Query and Scan on the table, or on
//     the index that Query and Scan name; BatchGetItem and BatchWriteItem on each
//     of their tables.
//   - Transactions as what they are made of: GetItem, PutItem, UpdateItem,
//     DeleteItem, ConditionCheckItem. That is not documented as such by AWS, but
//     widely relied on.
//   - PartiQL as PartiQLSelect, PartiQLInsert, PartiQLUpdate and PartiQLDelete. A
//     statement in which the table is not plain to see is refused by name.
//   - DescribeStream, GetShardIterator and GetRecords on the stream; iterators
//     carry its ARN, as on AWS. ListStreams and ListTables know no resource but
//     "*": of ListStreams AWS's own pages disagree, and this is the stricter.
//   - Operations on tables and their tags by their own names. Of others it is not
//     known here what they take: they are the owner's alone.
//
// A batch is authorized as a whole, as a transaction is. Conditions can ask for
// the keys that package iam lists; dynamodb:Attributes are those that a request
// names, so that one which names none, and gets all, has only those of its key.
//
// # What engines do otherwise
//
// The front makes up for the Region in ARNs and records, tables named by ARN (but
// not in batches, where that is refused by name), TTL and the identity of its
// deletes, stream records of writes that changed nothing, those of the stream that
// a table had before, an end that is shown of stream shards which are open, and key
// conditions that name the sort key first.
// It does not for these of Dynoxide 1.2.1: TTL that is on can be turned on again;
// sequence numbers, and the shard ids of tables with short names, are shorter than
// AWS's least, which the aws command does not send; a stream's label is no date.
//
// # Faults
//
// What a fault throttles is answered with ProvisionedThroughputExceededException,
// also on a table that is billed by request, for which DynamoDB is said to answer
// so or with ThrottlingException: SDKs treat both alike. The engine never sees
// the call.
package dynamo
