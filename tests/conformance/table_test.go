package conformance

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
)

// code is AWS's code of an error, "" if it has none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// fails holds an error's code.
func (c *check) fails(err error, want, when string) {
	c.Helper()
	if got := code(err); got != want {
		c.Errorf("%s: error is %v, want %s", when, err, want)
	}
}

func (s *subject) record(c *check) *string {
	c.Helper()
	return aws.String(s.output(c, "record"))
}

// key is an item of the table of notes, in a partition of the case's own.
func key(pk, sk string) item { return item{"pk": text(pk), "sk": text(sk)} }

func (s *subject) putItem(c *check, i item) error {
	c.Helper()
	_, err := s.table.PutItem(c.Context(), &dynamodb.PutItemInput{TableName: s.record(c), Item: i})
	return err
}

func puts(c *check, s *subject, n int, pk string) []types.TransactWriteItem {
	c.Helper()
	var actions []types.TransactWriteItem
	for i := range n {
		actions = append(actions, types.TransactWriteItem{Put: &types.Put{TableName: s.record(c), Item: key(pk, fmt.Sprint(i))}})
	}
	return actions
}

// lastShard is the youngest of the stream of the table of notes.
func (s *subject) lastShard(c *check) streams.Shard {
	c.Helper()
	described, err := s.streams.DescribeStream(c.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(s.output(c, "recordStream"))})
	if err != nil {
		c.Fatal(err)
	}
	shards := described.StreamDescription.Shards
	if len(shards) == 0 {
		c.Fatal("the stream has no shards")
	}
	return shards[len(shards)-1]
}

// latest is an iterator at the end of it.
func (s *subject) latest(c *check) *string {
	c.Helper()
	got, err := s.streams.GetShardIterator(c.Context(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: aws.String(s.output(c, "recordStream")), ShardId: s.lastShard(c).ShardId, ShardIteratorType: streams.ShardIteratorTypeLatest,
	})
	if err != nil {
		c.Fatal(err)
	}
	return got.ShardIterator
}

// tableClaims are of DynamoDB (F).
func tableClaims() []claim {
	return []claim{
		{
			rows: "F.partition F.on-demand", how: documented,
			says:    "A partition takes 1,000 writes and 3,000 reads a second, a table on demand begins with 4,000 and 12,000",
			without: "the local engine throttles nothing; chatstack fault does, on purpose",
		},
		{
			rows: "F.ttl", how: documented,
			says: "TTL looks at epoch seconds: milliseconds are a time far off, and such an item stays",
			run: func(c *check, s *subject) {
				f := s.feed(c, "plain")
				f.put("ms", "ttl", &types.AttributeValueMemberN{Value: fmt.Sprint(time.Now().Add(-time.Hour).UnixMilli())})
				if s.cloud != nil {
					expired(c, f) // a sweep has been
				}
				out, err := s.table.GetItem(c.Context(), &dynamodb.GetItemInput{TableName: f.table(), Key: key(f.pk, "ms"), ConsistentRead: aws.Bool(true)})
				if err != nil || out.Item == nil {
					c.Errorf("the item is gone: %v", err)
				}
			},
		},
		{
			rows: "F.ttl", how: documented,
			says:    "Expired items remain readable for a while",
			without: "the local cloud deletes them within seconds; the chat filters what has expired on every read (chat/chattable)",
		},
		{
			rows: "F.transact", how: documented,
			says: "A transaction has at most 100 actions, and no two on one item",
			run: func(c *check, s *subject) {
				pk := rand.Text()
				write := func(actions []types.TransactWriteItem) error {
					_, err := s.table.TransactWriteItems(c.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
					return err
				}
				if err := write(puts(c, s, 100, pk)); err != nil {
					c.Errorf("100 actions: %v", err)
				}
				c.fails(write(puts(c, s, 101, pk)), "ValidationException", "101 actions")
				c.fails(write(append(puts(c, s, 1, pk), puts(c, s, 1, pk)...)), "ValidationException", "two actions on one item")
			},
		},
		{
			rows: "F.transact", how: documented,
			says: "A transaction whose condition fails is canceled, with a reason for each action, and does nothing",
			run: func(c *check, s *subject) {
				pk := rand.Text()
				actions := puts(c, s, 2, pk)
				actions[1].Put.ConditionExpression = aws.String("attribute_exists(pk)")
				_, err := s.table.TransactWriteItems(c.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
				var canceled *types.TransactionCanceledException
				if !errors.As(err, &canceled) || len(canceled.CancellationReasons) != 2 {
					c.Fatalf("error is %v, want a TransactionCanceledException with 2 reasons", err)
				}
				if first, second := aws.ToString(canceled.CancellationReasons[0].Code), aws.ToString(canceled.CancellationReasons[1].Code); first != "None" || second != "ConditionalCheckFailed" {
					c.Errorf("reasons are %q and %q", first, second)
				}
				out, err := s.table.GetItem(c.Context(), &dynamodb.GetItemInput{TableName: s.record(c), Key: key(pk, "0"), ConsistentRead: aws.Bool(true)})
				if err != nil || out.Item != nil {
					c.Errorf("the first action was done: %v, %v", out.Item, err)
				}
			},
		},
		{
			rows: "F.token", how: documented,
			says: "A transaction with a token is done once, and the token with other actions is IdempotentParameterMismatchException",
			run: func(c *check, s *subject) {
				pk, token := rand.Text(), rand.Text()
				add := func(n string) error {
					_, err := s.table.TransactWriteItems(c.Context(), &dynamodb.TransactWriteItemsInput{
						ClientRequestToken: &token,
						TransactItems: []types.TransactWriteItem{{Update: &types.Update{
							TableName: s.record(c), Key: key(pk, "n"), UpdateExpression: aws.String("ADD n :n"),
							ExpressionAttributeValues: item{":n": number(n)},
						}}},
					})
					return err
				}
				for range 2 {
					if err := add("1"); err != nil {
						c.Fatal(err)
					}
				}
				out, err := s.table.GetItem(c.Context(), &dynamodb.GetItemInput{TableName: s.record(c), Key: key(pk, "n"), ConsistentRead: aws.Bool(true)})
				if err != nil || numberOf(out.Item["n"]) != "1" {
					c.Errorf("n is %q, want 1 (%v)", numberOf(out.Item["n"]), err)
				}
				c.fails(add("2"), "IdempotentParameterMismatchException", "the token with another action")
			},
		},
		{
			rows: "F.batch", how: documented,
			says: "A batch has at most 25 writes or 100 reads",
			run: func(c *check, s *subject) {
				pk := rand.Text()
				write := func(n int) error {
					var requests []types.WriteRequest
					for i := range n {
						requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: key(pk, fmt.Sprint(i))}})
					}
					_, err := s.table.BatchWriteItem(c.Context(), &dynamodb.BatchWriteItemInput{
						RequestItems: map[string][]types.WriteRequest{*s.record(c): requests},
					})
					return err
				}
				read := func(n int) error {
					var keys []map[string]types.AttributeValue
					for i := range n {
						keys = append(keys, key(pk, fmt.Sprint(i)))
					}
					_, err := s.table.BatchGetItem(c.Context(), &dynamodb.BatchGetItemInput{
						RequestItems: map[string]types.KeysAndAttributes{*s.record(c): {Keys: keys}},
					})
					return err
				}
				if err := errors.Join(write(25), read(100)); err != nil {
					c.Errorf("25 writes and 100 reads: %v", err)
				}
				c.fails(write(26), "ValidationException", "26 writes")
				c.fails(read(101), "ValidationException", "101 reads")
			},
		},
		{
			rows: "F.size", how: documented,
			says: "An item has at most 400 KB, a partition key 2,048 bytes, a sort key 1,024",
			run: func(c *check, s *subject) {
				pk := rand.Text()
				of := func(size int) item {
					i := key(pk, "size")
					i["text"] = text(strings.Repeat("x", size-len("pk")-len(pk)-len("sk")-len("size")-len("text")))
					return i
				}
				if err := errors.Join(
					s.putItem(c, of(400<<10)),
					s.putItem(c, key(pk+strings.Repeat("x", 2048-len(pk)), strings.Repeat("x", 1024))),
				); err != nil {
					c.Errorf("the largest: %v", err)
				}
				c.fails(s.putItem(c, of(400<<10+1)), "ValidationException", "an item of a byte more than 400 KB")
				c.fails(s.putItem(c, key(pk+strings.Repeat("x", 2049-len(pk)), "a")), "ValidationException", "a partition key of 2049 bytes")
				c.fails(s.putItem(c, key(pk, strings.Repeat("x", 1025))), "ValidationException", "a sort key of 1025 bytes")
			},
		},
		{
			rows: "F.page", how: documented,
			says: "A page of a query has 1 MB before its filter: an empty page may have a LastEvaluatedKey",
			run: func(c *check, s *subject) {
				pk := rand.Text()
				for i := range 4 {
					it := key(pk, fmt.Sprint(i))
					it["text"] = text(strings.Repeat("x", 350<<10))
					if err := s.putItem(c, it); err != nil {
						c.Fatal(err)
					}
				}
				out, err := s.table.Query(c.Context(), &dynamodb.QueryInput{
					TableName: s.record(c), KeyConditionExpression: aws.String("pk = :pk"), FilterExpression: aws.String("attribute_exists(nothing)"),
					ExpressionAttributeValues: item{":pk": text(pk)},
				})
				if err != nil || len(out.Items) != 0 || out.LastEvaluatedKey == nil || out.ScannedCount != 3 {
					c.Errorf("a page of %d items after %d, goes on at %v: %v", len(out.Items), out.ScannedCount, out.LastEvaluatedKey, err)
				}
			},
		},
		{
			rows: "F.index", how: documented,
			says: "A global secondary index cannot be read consistently",
			run: func(c *check, s *subject) {
				query := func(consistent bool) error {
					_, err := s.table.Query(c.Context(), &dynamodb.QueryInput{
						TableName: s.record(c), IndexName: aws.String("bySubscriber"), KeyConditionExpression: aws.String("subscriber = :s"),
						ExpressionAttributeValues: item{":s": text("nobody")}, ConsistentRead: &consistent,
					})
					return err
				}
				if err := query(false); err != nil {
					c.Errorf("query the index: %v", err)
				}
				c.fails(query(true), "ValidationException", "a consistent read")
			},
		},
		{
			rows: "F.condition", how: documented,
			says: "A write whose condition fails is ConditionalCheckFailedException, with the item if it was asked for",
			run: func(c *check, s *subject) {
				it := key(rand.Text(), "held")
				it["word"] = text("held")
				if err := s.putItem(c, it); err != nil {
					c.Fatal(err)
				}
				_, err := s.table.PutItem(c.Context(), &dynamodb.PutItemInput{
					TableName: s.record(c), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)"),
					ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
				})
				var failed *types.ConditionalCheckFailedException
				if !errors.As(err, &failed) || textOf(failed.Item["word"]) != "held" {
					c.Errorf("error is %v, want a ConditionalCheckFailedException with the item", err)
				}
			},
		},
		{
			rows: "F.streams F.shards", how: documented,
			says: "A stream's open shards have no EndingSequenceNumber, and GetRecords goes on with NextShardIterator also when it is empty",
			run: func(c *check, s *subject) {
				if end := s.lastShard(c).SequenceNumberRange.EndingSequenceNumber; end != nil {
					c.Errorf("the last shard ends with %s, want an open one", *end)
				}
				records, err := s.streams.GetRecords(c.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: s.latest(c)})
				if err != nil || records.NextShardIterator == nil {
					c.Errorf("%d records, next %v: %v", len(records.Records), records.NextShardIterator, err)
				}
			},
		},
		{
			rows: "F.streams", how: documented,
			says: "GetRecords is refused a limit of more than 1,000 records",
			run: func(c *check, s *subject) {
				_, err := s.streams.GetRecords(c.Context(), &dynamodbstreams.GetRecordsInput{
					ShardIterator: s.latest(c), Limit: aws.Int32(1001),
				})
				c.fails(err, "ValidationException", "1001 records")
			},
		},
		{
			rows: "F.streams", how: documented,
			says: "Each change is once in the stream, and an item's changes in their order",
			run: func(c *check, s *subject) {
				f := s.feed(c, "plain")
				for i := range 20 {
					f.put("item", "n", i)
				}
				var got []string
				for _, batch := range f.finish() {
					for _, r := range batch {
						if r.sk() == "item" {
							got = append(got, r.Dynamodb.NewImage["n"]["N"].(string))
						}
					}
				}
				if want := "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"; strings.Join(got, " ") != want {
					c.Errorf("delivered %q, want %s", got, want)
				}
			},
		},
		{
			rows: "F.view", how: documented,
			says:    "A stream's view type cannot be changed: a new stream has a new ARN",
			without: "a matter of deployment: held beside the code (local/cloud)",
		},
		{
			rows: "F.local", how: documented,
			says:    "What DynamoDB Local does otherwise than AWS",
			without: "another engine than the one that is asked here; docs/local-cloud.md lists what was found",
		},
	}
}

// denied holds the answer to a call that a role does not allow: AWS's sentence
// names who, what and on which resource.
func denied(c *check, call string, got outcome, action, resource, because string) {
	c.Helper()
	if got.Status != 400 || got.Code != "AccessDeniedException" {
		c.Errorf("%s ends with %v, want AccessDeniedException", call, got)
		return
	}
	for _, part := range []string{
		"User: arn:aws:sts::", ":assumed-role/", "is not authorized to perform: " + action,
		"on resource: arn:aws:dynamodb:", resource, because,
	} {
		if !strings.Contains(got.Message, part) {
			c.Errorf("%s: the message lacks %q: %s", call, part, got.Message)
		}
	}
}

const (
	nothingAllows = "because no identity-based policy allows the "
	explicitDeny  = "with an explicit deny in an identity-based policy"
)

// permissionClaims are of IAM (G).
func permissionClaims() []claim {
	return []claim{
		{
			rows: "G.logs G.logging G.uri", how: documented,
			says:    "What a role needs for logs, the account's role for the API's logs, the form of an integration's URI",
			without: "matters of deployment, which the components declare; logs are read with chatstack logs here",
		},
		{
			rows: "G.table", how: documented,
			says: "A call that the role does not allow is AccessDeniedException, which names the session, the action and the resource",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				table := ":table/" + *s.record(c)
				for call, resource := range map[string]string{"Query": table, "Scan": table} {
					got := conn.ask(to("narrow", "do", "table", "name", call)).outcome(c)
					denied(c, call, got, "dynamodb:"+call, resource, nothingAllows+"dynamodb:"+call+" action")
				}
			},
		},
		{
			rows: "G.table", how: documented,
			says: "An index has a resource of its own: table/T/index/I",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				got := conn.ask(to("narrow", "do", "table", "name", "QueryIndex")).outcome(c)
				denied(c, "QueryIndex", got, "dynamodb:Query", ":table/"+*s.record(c)+"/index/bySubscriber", nothingAllows)
			},
		},
		{
			rows: "G.table", how: documented,
			says: "What the role allows, it may do, and no more: a role for items may query, but not scan",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, call := range []string{"GetItem", "PutItem", "Query", "QueryIndex", "TransactPut", "TransactUpdate", "DeleteItem"} {
					if got := conn.ask(two("do", "table", "name", call)).outcome(c); got.Status != 200 {
						c.Errorf("%s ends with %v, want success", call, got)
					}
				}
				got := conn.ask(two("do", "table", "name", "Scan")).outcome(c)
				denied(c, "Scan", got, "dynamodb:Scan", ":table/"+*s.record(c), nothingAllows)
			},
		},
		{
			rows: "G.transact", how: remembered,
			says: "A transaction is allowed by the actions in it: a put by PutItem, an update by UpdateItem",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				if got := conn.ask(to("narrow", "do", "table", "name", "TransactPut")).outcome(c); got.Status != 200 {
					c.Errorf("TransactPut ends with %v, want success", got)
				}
				got := conn.ask(to("narrow", "do", "table", "name", "TransactUpdate")).outcome(c)
				denied(c, "TransactUpdate", got, "dynamodb:UpdateItem", ":table/"+*s.record(c), nothingAllows)
			},
		},
		{
			rows: "G.deny", how: documented,
			says: "Deny goes before Allow, and the error says that it is explicit",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				got := conn.ask(to("narrow", "do", "table", "name", "DeleteItem")).outcome(c)
				denied(c, "DeleteItem", got, "dynamodb:DeleteItem", ":table/"+*s.record(c), explicitDeny)
			},
		},
		{
			rows: "G.stream G.mapping", how: documented,
			says: "The mapping reads the stream with the function's role, and needs no permission on the function",
			run: func(c *check, s *subject) {
				f := s.feed(c, "plain") // whose function has the role's statements and no more
				f.put("a")
				f.delivered("a")
			},
		},
		{
			rows: "G.push", how: documented,
			says: "execute-api:ManageConnections is allowed by method: GET and DELETE as well as POST",
			run: func(c *check, s *subject) {
				conn, other := s.dial(c, "main", dialOptions{}), s.dial(c, "main", dialOptions{})
				for _, method := range []string{"GET", "POST", "DELETE"} {
					if got := conn.ask(two("do", "post", "name", method, "to", other.connectionID(), "body", "x")).outcome(c); got.Status != 200 {
						c.Errorf("%s ends with %v, want success", method, got)
					}
				}
			},
		},
		{
			rows: "G.invoke", how: documented,
			says: "A permission's SourceArn is API/STAGE/ROUTEKEY, or with wildcards as API/*",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				if a := conn.ask(to("every")); a.RouteKey != "every" {
					c.Errorf("routeKey is %q, want every", a.RouteKey)
				}
				conn.ask(two())
			},
		},
		{
			rows: "G.invoke", how: documented,
			says: "The form of REST APIs, with a method in it, permits nothing: the message is answered with Internal server error",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("method"))
				serviceFrame(c, conn.receive(), "Internal server error")
			},
		},
		{
			rows: "G.missing", how: remembered,
			says: "Without a permission a message is answered with Internal server error, and an upgrade refused with 500",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(to("unpermitted"))
				serviceFrame(c, conn.receive(), "Internal server error")
				if got := s.refused(c, "closed", dialOptions{}); got != 500 {
					c.Errorf("upgrade: status is %d, want 500", got)
				}
			},
		},
		{
			rows: "G.authorizer", how: documented,
			says: "The authorizer is invoked by the permission on API/authorizers/ID",
			run: func(c *check, s *subject) {
				s.dial(c, "guarded", orders("token", "allow"))
			},
		},
	}
}
