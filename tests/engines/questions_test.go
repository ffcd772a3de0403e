package engines_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

var questions = slices.Concat(writes, reads, transactions, mistakes, tables, streamQuestions)

var writes = []question{
	{"a conditional put", func(e *asked) {
		e.put(with("a", "b", "v", n("1")))
		_, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{
			TableName: e.table, Item: with("a", "b", "v", n("2")), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		e.note("error", err)
		if failed, ok := err.(interface{ Unwrap() error }); ok {
			e.note("the old item", oldItem(failed.Unwrap()))
		}
		e.note("item", e.get("a", "b"))
	}},
	{"a conditional update and delete", func(e *asked) {
		e.put(with("a", "b", "v", n("1")))
		_, err := e.UpdateItem(e.ctx, &dynamodb.UpdateItemInput{
			TableName: e.table, Key: with("a", "b"), UpdateExpression: aws.String("SET v = :v"),
			ConditionExpression: aws.String("v > :v"), ExpressionAttributeValues: item{":v": n("5")},
		})
		e.note("update", err)
		_, err = e.DeleteItem(e.ctx, &dynamodb.DeleteItemInput{
			TableName: e.table, Key: with("a", "b"), ConditionExpression: aws.String("size(pk) BETWEEN :v AND :v"),
			ExpressionAttributeValues: item{":v": n("5")},
		})
		e.note("delete", err)
		_, err = e.DeleteItem(e.ctx, &dynamodb.DeleteItemInput{
			TableName: e.table, Key: with("a", "b"), ConditionExpression: aws.String("attribute_type(v, :t) AND begins_with(pk, :a)"),
			ExpressionAttributeValues: item{":t": s("N"), ":a": s("a")},
		})
		e.must(err)
		e.note("item", e.get("a", "b"))
	}},
	{"ADD", func(e *asked) {
		e.note("to nothing", e.update("ADD v :v", item{":v": n("2")}))
		e.note("to a number", e.update("ADD v :v", item{":v": n("40.50")}))
		e.note("a member", e.update("ADD friends :v", item{":v": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}}))
		e.note("the same", e.update("ADD friends :v", item{":v": &types.AttributeValueMemberSS{Value: []string{"a", "c"}}}))
		e.note("to another type", e.update("ADD friends :v", item{":v": n("1")}))
		e.note("text", e.update("ADD v :v", item{":v": s("x")}))
	}},
	{"concurrent ADD", func(e *asked) {
		var mu sync.Mutex
		var all sync.WaitGroup
		seen := map[string]bool{}
		for range 8 {
			all.Go(func() {
				for range 8 {
					got := e.update("ADD v :v", item{":v": n("1")})
					mu.Lock()
					seen[got] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
		e.note("results", len(seen))
		e.note("item", e.get("a", "b"))
	}},
	{"updates", func(e *asked) {
		e.note("SET from what is absent", e.update("SET v = w + :v", item{":v": n("1")}))
		e.note("if_not_exists", e.update("SET v = if_not_exists(v, :v) + :v", item{":v": n("1")}))
		e.note("list_append", e.update("SET l = list_append(:l, :l)", item{":l": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("x")}}}))
		e.note("REMOVE", e.update("REMOVE l[0], absent", nil))
		e.note("a key", e.update("SET pk = :v", item{":v": s("x")}))
		e.note("a path that is absent", e.update("SET m.x = :v", item{":v": s("x")}))
		e.note("one path twice", e.update("SET v = :v REMOVE v", item{":v": s("x")}))
		e.note("item", e.get("a", "b"))
	}},
	{"numbers", func(e *asked) {
		for _, number := range []string{"1.0", "1e3", "-0", "0.000001", "123456789012345678901234567890123456789", "1e126", "1e-131", "12,5", ""} {
			_, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: with("a", "b", "v", n(number))})
			if err != nil {
				e.note(number, err)
			} else {
				e.note(number, e.get("a", "b"))
			}
		}
	}},
	{"values", func(e *asked) {
		e.put(with("a", "b", "s", s(""), "b", &types.AttributeValueMemberB{Value: []byte{0, 255}},
			"bool", &types.AttributeValueMemberBOOL{Value: false}, "null", &types.AttributeValueMemberNULL{Value: true},
			"l", &types.AttributeValueMemberL{}, "m", &types.AttributeValueMemberM{Value: item{"x": n("1")}},
			"ns", &types.AttributeValueMemberNS{Value: []string{"3", "1"}}))
		e.note("item", e.get("a", "b"))
		_, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: with("a", "b", "ss", &types.AttributeValueMemberSS{})})
		e.note("an empty set", err)
		_, err = e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: with("a", "b", "ss", &types.AttributeValueMemberSS{Value: []string{"x", "x"}})})
		e.note("a set with doubles", err)
	}},
	{"batches", func(e *asked) {
		batch := func(count int, same bool) error {
			var requests []types.WriteRequest
			for i := range count {
				sk := fmt.Sprint(i)
				if same {
					sk = "same"
				}
				requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: with("a", sk)}})
			}
			out, err := e.BatchWriteItem(e.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*e.table: requests}})
			if err == nil {
				e.note("unprocessed", len(out.UnprocessedItems))
			}
			return err
		}
		e.note("25", batch(25, false))
		e.note("26", batch(26, false))
		e.note("one item twice", batch(2, true))
		got, err := e.BatchGetItem(e.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			*e.table: {Keys: []map[string]types.AttributeValue{with("a", "1"), with("a", "absent"), with("a", "2")}},
		}})
		e.must(err)
		e.note("found", len(got.Responses[*e.table]))
	}},
	{"consumed capacity", func(e *asked) {
		put, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{
			TableName: e.table, Item: with("a", "b", "subscriber", s("x"), "v", s(strings.Repeat("x", 1500))),
			ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		})
		e.must(err)
		e.note("put", capacity(put.ConsumedCapacity))
		get, err := e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: e.table, Key: with("a", "b"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		e.must(err)
		e.note("get", capacity(get.ConsumedCapacity))
		query, err := e.Query(e.ctx, &dynamodb.QueryInput{
			TableName: e.table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")},
			ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		e.must(err)
		e.note("query", capacity(query.ConsumedCapacity))
	}},
}

func oldItem(err error) string {
	for ; err != nil; err = unwrap(err) {
		if failed, ok := err.(*types.ConditionalCheckFailedException); ok {
			return show(&types.AttributeValueMemberM{Value: failed.Item})
		}
	}
	return "none"
}

func unwrap(err error) error {
	if wraps, ok := err.(interface{ Unwrap() error }); ok {
		return wraps.Unwrap()
	}
	return nil
}

func capacity(c *types.ConsumedCapacity) string {
	if c == nil {
		return "none"
	}
	out := fmt.Sprint(aws.ToFloat64(c.CapacityUnits))
	if c.Table != nil {
		out += fmt.Sprintf(" table %v", aws.ToFloat64(c.Table.CapacityUnits))
	}
	for name, index := range c.GlobalSecondaryIndexes {
		out += fmt.Sprintf(" %s %v", name, aws.ToFloat64(index.CapacityUnits))
	}
	return out
}

// pages queries all pages and notes how many items each had and whether a key
// followed.
func (e *asked) pages(what string, in dynamodb.QueryInput) {
	in.TableName = e.table
	var counts []string
	for {
		out, err := e.Query(e.ctx, &in)
		if err != nil {
			e.note(what, err)
			return
		}
		counts = append(counts, fmt.Sprintf("%d of %d", out.Count, out.ScannedCount))
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	e.note(what, strings.Join(counts, ", "))
}

var reads = []question{
	{"pages of 1 MB", func(e *asked) {
		for i := range 30 {
			e.put(with("a", fmt.Sprintf("%02d", i), "subscriber", s("x"), "v", s(strings.Repeat("x", 100_000))))
		}
		ofA := dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}}
		e.pages("all", ofA)
		filtered := ofA
		filtered.FilterExpression = aws.String("attribute_exists(absent)")
		e.pages("none after a filter", filtered)
		projected := ofA
		projected.ProjectionExpression = aws.String("sk")
		e.pages("keys", projected)
		counted := ofA
		counted.Select = types.SelectCount
		e.pages("counted", counted)
		limited := ofA
		limited.Limit = aws.Int32(15)
		e.pages("15 at a time", limited)
		e.pages("of the index", dynamodb.QueryInput{
			IndexName: aws.String("bySubscriber"), KeyConditionExpression: aws.String("subscriber = :p"), ExpressionAttributeValues: item{":p": s("x")},
		})
		var counts []int32
		for page := dynamodb.NewScanPaginator(e, &dynamodb.ScanInput{TableName: e.table}); page.HasMorePages(); {
			out, err := page.NextPage(e.ctx)
			e.must(err)
			counts = append(counts, out.Count)
		}
		e.note("scan", counts)
	}},
	{"limits", func(e *asked) {
		for i := range 4 {
			e.put(with("a", fmt.Sprint(i)))
		}
		for _, limit := range []int32{1, 2, 3, 4, 5, 0} {
			e.pages(fmt.Sprint(limit), dynamodb.QueryInput{
				KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}, Limit: aws.Int32(limit),
			})
		}
		e.pages("a key of another partition", dynamodb.QueryInput{
			KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}, ExclusiveStartKey: with("z", "1"),
		})
		e.pages("half a key", dynamodb.QueryInput{
			KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}, ExclusiveStartKey: item{"pk": s("a")},
		})
		e.pages("a key that is absent", dynamodb.QueryInput{
			KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}, ExclusiveStartKey: with("a", "10"),
		})
	}},
	{"the order of sort keys", func(e *asked) {
		for _, sk := range []string{"b", "B", "a", "é", "z", "10", "9", "\U0001F600", "\uFFFD", "a|", "a"} {
			e.put(with("a", sk))
		}
		for _, forward := range []bool{true, false} {
			out, err := e.Query(e.ctx, &dynamodb.QueryInput{
				TableName: e.table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")}, ScanIndexForward: &forward,
			})
			e.must(err)
			var order []string
			for _, i := range out.Items {
				order = append(order, show(i["sk"]))
			}
			e.note(fmt.Sprint("forward ", forward), order)
		}
		part := func(condition string, values item) {
			values[":p"] = s("a")
			e.pages(condition, dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p AND " + condition), ExpressionAttributeValues: values})
		}
		part("sk BETWEEN :a AND :b", item{":a": s("9"), ":b": s("b")})
		part("begins_with(sk, :a)", item{":a": s("a")})
		part("sk > :a", item{":a": s("z")})
	}},
	{"a sparse index of keys", func(e *asked) {
		e.put(with("a", "1", "subscriber", s("x"), "v", s("not projected")))
		e.put(with("a", "2"))
		e.put(with("b", "1", "subscriber", s("x")))
		in := dynamodb.QueryInput{
			TableName: e.table, IndexName: aws.String("bySubscriber"),
			KeyConditionExpression: aws.String("subscriber = :x"), ExpressionAttributeValues: item{":x": s("x")},
		}
		soon(func() bool { out, err := e.Query(e.ctx, &in); return err == nil && out.Count == 2 })
		out, err := e.Query(e.ctx, &in)
		e.must(err)
		for _, i := range out.Items {
			e.note("item", show(&types.AttributeValueMemberM{Value: i}))
		}
		limited := in
		limited.Limit = aws.Int32(1)
		page, err := e.Query(e.ctx, &limited)
		e.must(err)
		e.note("the key of the next page", show(&types.AttributeValueMemberM{Value: page.LastEvaluatedKey}))
		consistent := in
		consistent.ConsistentRead = aws.Bool(true)
		_, err = e.Query(e.ctx, &consistent)
		e.note("consistent", err)
		projected := in
		projected.ProjectionExpression = aws.String("v")
		_, err = e.Query(e.ctx, &projected)
		e.note("what is not projected", err)
		all := in
		all.Select = types.SelectAllAttributes
		_, err = e.Query(e.ctx, &all)
		e.note("all attributes", err)
		_, err = e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: with("c", "1", "subscriber", n("1"))})
		e.note("a key of another type", err)
		_, err = e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: with("c", "1", "subscriber", s(""))})
		e.note("an empty key", err)
		unknown := in
		unknown.IndexName = aws.String("byName")
		_, err = e.Query(e.ctx, &unknown)
		e.note("another index", err)
	}},
	{"TTL", func(e *asked) {
		_, err := e.UpdateTimeToLive(e.ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: e.table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
		})
		e.must(err)
		described, err := e.DescribeTimeToLive(e.ctx, &dynamodb.DescribeTimeToLiveInput{TableName: e.table})
		e.must(err)
		e.note("status", described.TimeToLiveDescription.TimeToLiveStatus)
		_, err = e.UpdateTimeToLive(e.ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: e.table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
		})
		e.note("again", err)
	}},
}

func showIdentity(identity *streamtypes.Identity) string {
	if identity == nil {
		return "by nobody"
	}
	return "by " + aws.ToString(identity.Type) + " " + aws.ToString(identity.PrincipalId)
}

var transactions = []question{
	{"a transaction whose condition fails", func(e *asked) {
		e.put(with("a", "b"))
		_, err := e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: e.table, Item: with("a", "c")}},
			{Put: &types.Put{
				TableName: e.table, Item: with("a", "b"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			}},
			{ConditionCheck: &types.ConditionCheck{TableName: e.table, Key: with("z", "z"), ConditionExpression: aws.String("attribute_exists(pk)")}},
		}})
		e.note("error", err)
		for err := err; err != nil; err = unwrap(err) {
			if canceled, ok := err.(*types.TransactionCanceledException); ok {
				for _, reason := range canceled.CancellationReasons {
					e.note("reason", fmt.Sprintf("%s, %q, %s", aws.ToString(reason.Code), aws.ToString(reason.Message), show(&types.AttributeValueMemberM{Value: reason.Item})))
				}
			}
		}
		e.note("the other item", e.get("a", "c"))
	}},
	{"a transaction that is repeated", func(e *asked) {
		write := func(token, amount string) error {
			_, err := e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{
				ClientRequestToken: &token,
				TransactItems: []types.TransactWriteItem{{Update: &types.Update{
					TableName: e.table, Key: with("a", "b"), UpdateExpression: aws.String("ADD v :v"), ExpressionAttributeValues: item{":v": n(amount)},
				}}},
			})
			return err
		}
		e.must(write("token", "1"))
		e.note("the same", write("token", "1"))
		e.note("item", e.get("a", "b"))
		e.note("another with its token", write("token", "2"))
		e.must(write("another token", "2"))
		e.note("item", e.get("a", "b"))
	}},
	{"what no transaction may hold", func(e *asked) {
		put := func(pk, sk string) types.TransactWriteItem {
			return types.TransactWriteItem{Put: &types.Put{TableName: e.table, Item: with(pk, sk)}}
		}
		_, err := e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("a", "b"), put("a", "b")}})
		e.note("an item twice", err)
		var many []types.TransactWriteItem
		for i := range 101 {
			many = append(many, put("a", fmt.Sprint(i)))
		}
		_, err = e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: many[:100]})
		e.note("100 items", err)
		_, err = e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: many})
		e.note("101 items", err)
		got, err := e.TransactGetItems(e.ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: e.table, Key: with("a", "1")}}, {Get: &types.Get{TableName: e.table, Key: with("z", "z")}},
		}})
		e.must(err)
		e.note("read", len(got.Responses))
		e.note("an absent one", len(got.Responses[1].Item))
	}},
}

var mistakes = []question{
	{"keys that are wrong", func(e *asked) {
		get := func(what string, key item) {
			_, err := e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: e.table, Key: key})
			e.note(what, err)
		}
		get("half", item{"pk": s("a")})
		get("more", with("a", "b", "c", s("d")))
		get("empty", with("", "b"))
		get("another type", item{"pk": n("1"), "sk": s("b")})
		get("none", item{})
		put := func(what string, i item) {
			_, err := e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: e.table, Item: i})
			e.note(what, err)
		}
		put("put without", item{"pk": s("a")})
		put("put empty", with("a", ""))
		put("put of 2,049 bytes", with(strings.Repeat("x", 2049), "b"))
		put("put of 2,048 bytes", with(strings.Repeat("x", 2048), "b"))
		put("put with a sort key of 1,025 bytes", with("a", strings.Repeat("x", 1025)))
		put("put of 400 KB", with("a", "b", "v", s(strings.Repeat("x", 400<<10))))
		put("put of just less", with("a", "b", "v", s(strings.Repeat("x", 400<<10-10))))
	}},
	{"expressions that are wrong", func(e *asked) {
		for _, test := range []struct {
			expression string
			values     item
		}{
			{"SET v = :v", nil},
			{"SET v = :v", item{":v": n("1"), ":w": n("1")}},
			{"SET #v = :v", item{":v": n("1")}},
			{"SET name = :v", item{":v": n("1")}},
			{"SET v = ", nil},
			{"PUT v = :v", item{":v": n("1")}},
			{"", nil},
			{"SET v = :v SET w = :v", item{":v": n("1")}},
			{"SET v = unknown(:v)", item{":v": n("1")}},
		} {
			e.note(test.expression, e.update(test.expression, test.values))
		}
		for _, condition := range []string{"sk = :p", "pk > :p", "pk = :p AND v = :p", "pk = :p OR sk = :p", "pk = :p AND contains(sk, :p)", "pk = :p AND pk = :p"} {
			_, err := e.Query(e.ctx, &dynamodb.QueryInput{
				TableName: e.table, KeyConditionExpression: &condition, ExpressionAttributeValues: item{":p": s("a")},
			})
			e.note(condition, err)
		}
		_, err := e.Query(e.ctx, &dynamodb.QueryInput{
			TableName: e.table, KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("a")},
		})
		e.note("a filter on a key", err)
	}},
	{"tables that are absent", func(e *asked) {
		absent := aws.String("Absent")
		_, err := e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: absent, Key: with("a", "b")})
		e.note("get", err)
		_, err = e.PutItem(e.ctx, &dynamodb.PutItemInput{TableName: absent, Item: with("a", "b")})
		e.note("put", err)
		_, err = e.DescribeTable(e.ctx, &dynamodb.DescribeTableInput{TableName: absent})
		e.note("describe", err)
		_, err = e.DeleteTable(e.ctx, &dynamodb.DeleteTableInput{TableName: absent})
		e.note("delete", err)
		_, err = e.DescribeTimeToLive(e.ctx, &dynamodb.DescribeTimeToLiveInput{TableName: absent})
		e.note("TTL", err)
		_, err = e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: aws.String(strings.ToLower(*e.table)), Key: with("a", "b")})
		e.note("a name in other letters", strings.ReplaceAll(sentenceOf(err), strings.ToLower(*e.table), "table"))
		_, err = e.GetItem(e.ctx, &dynamodb.GetItemInput{TableName: aws.String("a b"), Key: with("a", "b")})
		e.note("a name with a blank", err)
	}},
}

func sentenceOf(err error) string {
	if err == nil {
		return "<nil>"
	}
	return sentence(err)
}

var tables = []question{
	{"a table's description", func(e *asked) {
		out, err := e.DescribeTable(e.ctx, &dynamodb.DescribeTableInput{TableName: e.table})
		e.must(err)
		d := out.Table
		e.note("status", d.TableStatus)
		e.note("ARN", *d.TableArn)
		e.note("stream ARN", regexp.MustCompile(`\d`).ReplaceAllString(strings.ReplaceAll(*d.LatestStreamArn, *d.TableArn, "ARN"), "0"))
		e.note("stream label", regexp.MustCompile(`\d`).ReplaceAllString(*d.LatestStreamLabel, "0"))
		e.note("stream", d.StreamSpecification.StreamViewType)
		e.note("billing", d.BillingModeSummary != nil && d.BillingModeSummary.BillingMode == types.BillingModePayPerRequest)
		e.note("throughput", d.ProvisionedThroughput != nil && *d.ProvisionedThroughput.ReadCapacityUnits == 0)
		e.note("index", d.GlobalSecondaryIndexes[0].IndexStatus)
		e.note("index ARN", strings.ReplaceAll(aws.ToString(d.GlobalSecondaryIndexes[0].IndexArn), *d.TableArn, "ARN"))
		e.note("id", len(aws.ToString(d.TableId)))
		e.note("class", d.TableClassSummary != nil)
		e.note("protected", d.DeletionProtectionEnabled != nil)
	}},
	{"making and deleting tables", func(e *asked) {
		_, err := e.CreateTable(e.ctx, &dynamodb.CreateTableInput{
			TableName: e.table, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: attributes("pk", "sk"), KeySchema: keys("pk", "sk"),
		})
		e.note("again", err)
		_, err = e.CreateTable(e.ctx, &dynamodb.CreateTableInput{
			TableName: aws.String("x"), BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: attributes("pk", "sk"), KeySchema: keys("pk", "sk"),
		})
		e.note("a name that is too short", err)
		_, err = e.CreateTable(e.ctx, &dynamodb.CreateTableInput{
			TableName: aws.String(*e.table + "2"), BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: attributes("pk", "sk", "more"), KeySchema: keys("pk", "sk"),
		})
		e.note("an attribute that is no key", err)
		_, err = e.UpdateTable(e.ctx, &dynamodb.UpdateTableInput{
			TableName: e.table, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly},
		})
		e.note("another stream", err)
		out, err := e.DeleteTable(e.ctx, &dynamodb.DeleteTableInput{TableName: e.table})
		e.must(err)
		e.note("deleted", out.TableDescription.TableStatus)
		_, err = e.DescribeTable(e.ctx, &dynamodb.DescribeTableInput{TableName: e.table})
		e.note("afterwards", err)
		stream, err := e.streams.DescribeStream(e.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: e.stream})
		if err != nil {
			e.note("its stream", "gone")
		} else {
			e.note("its stream", stream.StreamDescription.StreamStatus)
		}
	}},
}
