package engines_test

import "maps"

// A difference is a fact that the two engines are known to give differently.
type difference struct{ dynoxide, amazons string }

var differences = func() map[string]difference {
	all := maps.Clone(behaviours)
	maps.Copy(all, wordings)
	return all
}()

// behaviours are differences in what an engine does.
var behaviours = map[string]difference{
	// Dynoxide notes a change that is none, and counts more bytes than AWS does
	// (names and values of keys and images). The front drops such records.
	"writes that change nothing: record": {
		dynoxide: `INSERT {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {}; MODIFY {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {pk="a" sk="b" v=1}; MODIFY {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {pk="a" sk="b" v=1}; MODIFY {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {pk="a" sk="b" v=1}; MODIFY {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {pk="a" sk="b" v=1}`,
		amazons:  `INSERT {pk="a" sk="b"} new {pk="a" sk="b" v=1} old {}`,
	},
	"writes that change nothing: bytes": {
		dynoxide: `76; 121; 121; 121; 121`,
		amazons:  `15`,
	},
	"stream records: bytes": {
		dynoxide: `76; 122; 138; 92`,
		amazons:  `15; 24; 27; 18`,
	},
	"the stream of a transaction and a batch: record": {
		dynoxide: `INSERT {pk="a" sk="1"} new {pk="a" sk="1"} old {}; INSERT {pk="a" sk="2"} new {pk="a" sk="2"} old {}; INSERT {pk="a" sk="3"} new {pk="a" sk="3" v=1} old {}; REMOVE {pk="a" sk="1"} new {} old {pk="a" sk="1"}; INSERT {pk="a" sk="4"} new {pk="a" sk="4"} old {}`,
		amazons:  `INSERT {pk="a" sk="1"} new {pk="a" sk="1"} old {}; INSERT {pk="a" sk="2"} new {pk="a" sk="2"} old {}; INSERT {pk="a" sk="3"} new {pk="a" sk="3" v=1} old {}; INSERT {pk="a" sk="4"} new {pk="a" sk="4"} old {}; REMOVE {pk="a" sk="1"} new {} old {pk="a" sk="1"}`,
	},
	"the stream of a transaction and a batch: bytes": {
		dynoxide: `62; 62; 76; 62; 62`,
		amazons:  `12; 12; 15; 12; 12`,
	},

	// Dynoxide's streams: the only shard is said to be closed while it is open,
	// its ids and sequence numbers are shorter than AWS's, and what its iterators
	// are asked for is hardly checked. The poller reads on, whatever the shard is
	// said to be.
	"the description of a stream: a shard id as AWS forms them": {
		dynoxide: `false`,
		amazons:  `true`,
	},
	"the description of a stream: closed": {
		dynoxide: `true`,
		amazons:  `false`,
	},
	"the description of a stream: keys": {
		dynoxide: `0`,
		amazons:  `2`,
	},
	"the description of a stream: after the shard": {
		dynoxide: `1`,
		amazons:  `0`,
	},
	"what every stream record has: a sequence number of 21 to 40 digits": {
		dynoxide: `false`,
		amazons:  `true`,
	},
	"iterators that are wrong: an unknown shard": {
		dynoxide: `<nil>`,
		amazons:  `ResourceNotFoundException: Shard does not exist`,
	},
	"iterators that are wrong: a shard id that is too short": {
		dynoxide: `<nil>`,
		amazons:  `ResourceNotFoundException: Shard does not exist`,
	},
	"iterators that are wrong: no sequence number": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: One or more parameter values were invalid: Invalid SequenceNumber`,
	},
	"iterators that are wrong: a sequence number with the horizon": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type`,
	},
	"iterators that are wrong: more than 1,000 records": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: One or more parameter values were invalid: Limit should be less than or equal to 1000`,
	},

	// Each names a Region of its own; the front puts the local cloud's. Dynoxide's
	// stream label is no ISO time as AWS's is.
	"what every stream record has: region": {
		dynoxide: `dynoxide`,
		amazons:  `ddblocal`,
	},
	"a table's description: ARN": {
		dynoxide: `arn:aws:dynamodb:dynoxide:000000000000:table/TABLE`,
		amazons:  `arn:aws:dynamodb:ddblocal:000000000000:table/TABLE`,
	},
	"a table's description: stream ARN": {
		dynoxide: `ARN/stream/0000000000.000000000`,
		amazons:  `ARN/stream/0000-00-00T00:00:00.000`,
	},
	"a table's description: stream label": {
		dynoxide: `0000000000.000000000`,
		amazons:  `0000-00-00T00:00:00.000`,
	},

	// A page ends at 1 MB. Dynoxide holds one item less, counts as scanned one that
	// it does not return, and counts the projected bytes of an index, as AWS does;
	// DynamoDB Local counts the whole items there, and nothing that a filter takes
	// away, where AWS counts it.
	"pages of 1 MB: all": {
		dynoxide: `10 of 11, 10 of 11, 10 of 10`,
		amazons:  `11 of 11, 11 of 11, 8 of 8`,
	},
	"pages of 1 MB: none after a filter": {
		dynoxide: `0 of 11, 0 of 11, 0 of 10`,
		amazons:  `0 of 30`,
	},
	"pages of 1 MB: keys": {
		dynoxide: `10 of 11, 10 of 11, 10 of 10`,
		amazons:  `11 of 11, 11 of 11, 8 of 8`,
	},
	"pages of 1 MB: counted": {
		dynoxide: `10 of 11, 10 of 11, 10 of 10`,
		amazons:  `11 of 11, 11 of 11, 8 of 8`,
	},
	"pages of 1 MB: 15 at a time": {
		dynoxide: `10 of 11, 10 of 11, 10 of 10`,
		amazons:  `11 of 11, 11 of 11, 8 of 8`,
	},
	"pages of 1 MB: of the index": {
		dynoxide: `30 of 30`,
		amazons:  `11 of 11, 11 of 11, 8 of 8`,
	},
	"pages of 1 MB: scan": {
		dynoxide: `[10 10 10]`,
		amazons:  `[11 11 8]`,
	},

	// What Dynoxide takes and AWS refuses.
	"a sparse index of keys: what is not projected": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: One or more parameter values were invalid: Global secondary index bySubscriber does not project [v]`,
	},
	"limits: a key of another partition": {
		dynoxide: `2 of 2`,
		amazons:  `ValidationException: The provided starting key does not match the range key predicate`,
	},
	"TTL: again": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: TimeToLive is already enabled`,
	},
	"making and deleting tables: another stream": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: Table already has an enabled stream`,
	},

	// What DynamoDB Local does otherwise than AWS: a table that is deleted is said to
	// be active, has no id, and its hash key may not be longer than the sort key of an
	// index may be. After a table, AWS keeps its stream for a day; Dynoxide does not.
	"making and deleting tables: deleted": {
		dynoxide: `DELETING`,
		amazons:  `ACTIVE`,
	},
	"a table's description: id": {
		dynoxide: `36`,
		amazons:  `0`,
	},
	"keys that are wrong: put of 2,048 bytes": {
		dynoxide: `<nil>`,
		amazons:  `ValidationException: One or more parameter values were invalid: Size limit exceeded`,
	},
	"making and deleting tables: its stream": {
		dynoxide: `gone`,
		amazons:  `DISABLED`,
	},

	// Values that mean the same: sets have no order, and 42.50 is 42.5. A stream
	// record of the one may so show a change where the other's shows none.
	"values: item": {
		dynoxide: `{b=00ff bool=false l=[] m={x=1} ns=NS[3 1] null=null pk="a" s="" sk="b"}`,
		amazons:  `{b=00ff bool=false l=[] m={x=1} ns=NS[1 3] null=null pk="a" s="" sk="b"}`,
	},
	"ADD: to a number": {
		dynoxide: `{v=42.5}`,
		amazons:  `{v=42.50}`,
	},
	"ADD: a member": {
		dynoxide: `{friends=SS["b" "a"]}`,
		amazons:  `{friends=SS["a" "b"]}`,
	},
	"ADD: the same": {
		dynoxide: `{friends=SS["b" "a" "c"]}`,
		amazons:  `{friends=SS["a" "b" "c"]}`,
	},
}

// wordings are differences in the words of a refusal whose code is the same.
// Nothing may depend on them.
var wordings = map[string]difference{
	"iterators that are wrong: an unknown stream": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Stream: arn:aws:dynamodb:dynoxide:000000000000:table/Absent/stream/LABEL`,
		amazons:  `ResourceNotFoundException: Stream does not exist`,
	},
	"iterators that are wrong: no ARN": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Stream: stream`,
		amazons:  `ResourceNotFoundException: Stream does not exist`,
	},
	"iterators that are wrong: an unknown type": {
		dynoxide: `ValidationException: Invalid ShardIteratorType: FIRST`,
		amazons:  `ValidationException: Invalid ShardIteratorType.`,
	},
	"iterators that are wrong: a wrong iterator": {
		dynoxide: `ValidationException: Invalid shard iterator`,
		amazons:  `ValidationException: Invalid ShardIterator`,
	},
	"iterators that are wrong: describe an unknown stream": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Stream: arn:aws:dynamodb:dynoxide:000000000000:table/Absent/stream/LABEL`,
		amazons:  `ResourceNotFoundException: Requested resource not found: Stream: arn:aws:dynamodb:ddblocal:000000000000:table/Absent/stream/LABEL not found`,
	},
	"making and deleting tables: again": {
		dynoxide: `ResourceInUseException: Table already exists: TABLE`,
		amazons:  `ResourceInUseException: Cannot create preexisting table`,
	},
	"making and deleting tables: a name that is too short": {
		dynoxide: `ValidationException: 1 validation error detected: Value '…' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3`,
		amazons:  `ValidationException: Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'`,
	},
	"making and deleting tables: an attribute that is no key": {
		dynoxide: `ValidationException: One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`,
		amazons:  `ValidationException: The number of attributes in key schema must match the number of attributes defined in attribute definitions.`,
	},
	"making and deleting tables: afterwards": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Table: TABLE not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: get": {
		dynoxide: `ResourceNotFoundException: Requested resource not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: put": {
		dynoxide: `ResourceNotFoundException: Requested resource not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: describe": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Table: Absent not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: delete": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Table: Absent not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: TTL": {
		dynoxide: `ResourceNotFoundException: Requested resource not found: Table: Absent not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: a name in other letters": {
		dynoxide: `ResourceNotFoundException: Requested resource not found`,
		amazons:  `ResourceNotFoundException: Cannot do operations on a non-existent table`,
	},
	"tables that are absent: a name with a blank": {
		dynoxide: `ValidationException: 1 validation error detected: Value '…' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
		amazons:  `ValidationException: Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'`,
	},
	"expressions that are wrong: SET v = :v": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :v; ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}`,
		amazons:  `ValidationException: Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :v; ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}`,
	},
	"expressions that are wrong: SET #v = :v": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #v`,
		amazons:  `ValidationException: Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #v`,
	},
	"expressions that are wrong: SET name = :v": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name`,
		amazons:  `ValidationException: Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name`,
	},
	"expressions that are wrong: SET v = ": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Syntax error; Expected operand in SET, got end of expression`,
		amazons:  `ValidationException: Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "= "`,
	},
	"expressions that are wrong: PUT v = :v": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Syntax error; token: "PUT", near: "PUT v"`,
		amazons:  `ValidationException: Invalid UpdateExpression: Syntax error; token: "PUT", near: "PUT v"`,
	},
	"expressions that are wrong: SET v = :v SET w = :v": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`,
		amazons:  `ValidationException: Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`,
	},
	"expressions that are wrong: SET v = unknown(:v)": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Invalid function name; function: unknown`,
		amazons:  `ValidationException: Invalid UpdateExpression: Invalid function name; function: unknown`,
	},
	"expressions that are wrong: sk = :p": {
		dynoxide: `ValidationException: Query condition missed key schema element: pk`,
		amazons:  `ValidationException: Query condition missed key schema element`,
	},
	"expressions that are wrong: pk > :p": {
		dynoxide: `ValidationException: Invalid KeyConditionExpression: partition key must use equality`,
		amazons:  `ValidationException: Query key condition not supported`,
	},
	"expressions that are wrong: pk = :p AND v = :p": {
		dynoxide: `ValidationException: Query condition missed key schema element: sk`,
		amazons:  `ValidationException: Query condition missed key schema element`,
	},
	"expressions that are wrong: pk = :p OR sk = :p": {
		dynoxide: `ValidationException: Unexpected token in KeyConditionExpression: OR`,
		amazons:  `ValidationException: Invalid operator used in KeyConditionExpression: OR`,
	},
	"expressions that are wrong: pk = :p AND contains(sk, :p)": {
		dynoxide: `ValidationException: Unexpected operator in KeyConditionExpression: (`,
		amazons:  `ValidationException: Invalid operator used in KeyConditionExpression: contains`,
	},
	"expressions that are wrong: pk = :p AND pk = :p": {
		dynoxide: `ValidationException: Query condition missed key schema element: sk`,
		amazons:  `ValidationException: KeyConditionExpressions must only contain one condition per key`,
	},
	"keys that are wrong: half": {
		dynoxide: `ValidationException: The provided key element does not match the schema`,
		amazons:  `ValidationException: The number of conditions on the keys is invalid`,
	},
	"keys that are wrong: more": {
		dynoxide: `ValidationException: The provided key element does not match the schema`,
		amazons:  `ValidationException: The number of conditions on the keys is invalid`,
	},
	"keys that are wrong: another type": {
		dynoxide: `ValidationException: The provided key element does not match the schema`,
		amazons:  `ValidationException: One or more parameter values were invalid: Type mismatch for key`,
	},
	"keys that are wrong: none": {
		dynoxide: `ValidationException: The provided key element does not match the schema`,
		amazons:  `ValidationException: The number of conditions on the keys is invalid`,
	},
	"keys that are wrong: put without": {
		dynoxide: `ValidationException: One or more parameter values were invalid: Missing the key sk in the item`,
		amazons:  `ValidationException: One of the required keys was not given a value`,
	},
	"keys that are wrong: put of 2,049 bytes": {
		dynoxide: `ValidationException: One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes`,
		amazons:  `ValidationException: Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes`,
	},
	"keys that are wrong: put with a sort key of 1,025 bytes": {
		dynoxide: `ValidationException: One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes`,
		amazons:  `ValidationException: Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes`,
	},
	"what no transaction may hold: 101 items": {
		dynoxide: `ValidationException: 1 validation error detected: Value '…' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100`,
		amazons:  `ValidationException: Member must have length less than or equal to 100`,
	},
	"a transaction that is repeated: another with its token": {
		dynoxide: `IdempotentParameterMismatchException: An error occurred (IdempotentParameterMismatchException)`,
		amazons:  `IdempotentParameterMismatchException: `,
	},
	"a sparse index of keys: consistent": {
		dynoxide: `ValidationException: Consistent reads are not supported on global secondary indexes`,
		amazons:  `ValidationException: Consistent read cannot be true when querying a GSI`,
	},
	"a sparse index of keys: a key of another type": {
		dynoxide: `ValidationException: One or more parameter values were invalid: Type mismatch for Index Key subscriber Expected: S Actual: N IndexName: bySubscriber`,
		amazons:  `ValidationException: One or more parameter values were invalid: Type mismatch for Index Key`,
	},
	"limits: 0": {
		dynoxide: `ValidationException: 1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
		amazons:  `ValidationException: Limit must be greater than or equal to 1`,
	},
	"limits: half a key": {
		dynoxide: `ValidationException: The provided starting key is invalid`,
		amazons:  `ValidationException: Exclusive Start Key must have same size as table's key schema`,
	},
	"batches: 26": {
		dynoxide: `ValidationException: 1 validation error detected: Value '…' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]`,
		amazons:  `ValidationException: Too many items requested for the BatchWriteItem call`,
	},
	"values: an empty set": {
		dynoxide: `ValidationException: 1 validation error detected: One or more parameter values were invalid: An string set  may not be empty`,
		amazons:  `ValidationException: One or more parameter values were invalid: An string set  may not be empty`,
	},
	"values: a set with doubles": {
		dynoxide: `ValidationException: 1 validation error detected: One or more parameter values were invalid: Input collection [x, x] contains duplicates.`,
		amazons:  `ValidationException: One or more parameter values were invalid: Input collection [x, x] contains duplicates`,
	},
	"numbers: 123456789012345678901234567890123456789": {
		dynoxide: `ValidationException: Attempting to store more than 38 significant digits in a Number`,
		amazons:  `ValidationException: DynamoDB only supports precision up to 38 digits`,
	},
	"numbers: 12,5": {
		dynoxide: `ValidationException: The parameter cannot be converted to a numeric value: 12,5`,
		amazons:  `ValidationException: A value provided cannot be converted into a number`,
	},
	"numbers: ": {
		dynoxide: `ValidationException: The parameter cannot be converted to a numeric value`,
		amazons:  `ValidationException: A value provided cannot be converted into a number`,
	},
	"updates: one path twice": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [v], path two: [v]`,
		amazons:  `ValidationException: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [v], path two: [v]`,
	},
	"ADD: text": {
		dynoxide: `ValidationException: 1 validation error detected: Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING`,
		amazons:  `ValidationException: Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND`,
	},
	"a transaction whose condition fails: reason": {
		dynoxide: `None, "", {}; ConditionalCheckFailed, "The conditional request failed", {pk="a" sk="b"}; ConditionalCheckFailed, "The conditional request failed", {}`,
		amazons:  `None, "", {}; ConditionalCheckFailed, "The conditional request failed", {pk="a" sk="b"}; ConditionalCheckFailed, "The conditional request failed.", {}`,
	},
}
