package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/iam"
)

// A guardedRig is a front that asks an authority.
type guardedRig struct {
	*rig      // signs as the account's owner
	authority *iam.Authority
}

func newGuardedRig(t *testing.T) *guardedRig {
	t.Helper()
	authority := iam.New(account)
	authority.SetRegion(region)
	authority.PutPrincipal("AKIAOWNER", iam.Principal{ARN: "arn:aws:iam::" + account + ":root", SecretAccessKey: "secret"})
	return &guardedRig{newRigWith(t, dynamo.FrontOptions{Authority: authority}).as("AKIAOWNER", "secret", ""), authority}
}

// role returns clients of a function whose role has a policy of statements.
func (g *guardedRig) role(name string, statements ...string) *rig {
	g.t.Helper()
	policies := map[string]iam.Policy{}
	if len(statements) > 0 {
		policy, err := iam.ParsePolicy(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
		if err != nil {
			g.t.Fatal(err)
		}
		policies["policy"] = policy
	}
	g.authority.PutRole(name, policies)
	g.authority.PutPrincipal("ASIA"+name, iam.Principal{
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/f", Role: name, SecretAccessKey: "secret", SessionToken: "token",
	})
	return g.as("ASIA"+name, "secret", "token")
}

// A need is an action on a resource.
type need struct{ action, resource string }

func (n need) allowed() string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, "dynamodb:"+n.action, n.resource)
}

// refusal returns the code and the message of an error that the front answered
// with.
func refusal(err error) (code, message string) {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return "", ""
	}
	return refused.ErrorCode(), refused.ErrorMessage()
}

// TestEachCallTakesItsActionsOnItsResources lets each call have just what it
// takes, which is enough, and then lacks each of that, which is refused.
func TestEachCallTakesItsActionsOnItsResources(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	created, other := g.table(), g.table()
	name, arn, stream := created.TableName, *created.TableArn, *created.LatestStreamArn
	key := map[string]types.AttributeValue{"pk": text("p"), "sk": text("s")}
	g.put(name, "first", nil) // DynamoDB Local loses iterators of a stream without records
	described, err := g.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &stream})
	if err != nil {
		t.Fatal(err)
	}
	shard := described.StreamDescription.Shards[0].ShardId
	iterator, err := g.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &stream, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	none := aws.String("none")
	noneARN := prefix + "table/none"
	equal := aws.String("pk = :p")
	p := map[string]types.AttributeValue{":p": text("p")}
	write := types.WriteRequest{PutRequest: &types.PutRequest{Item: key}}
	statement := func(s string) *string { return aws.String(fmt.Sprintf(s, *name)) }

	for what, test := range map[string]struct {
		call  func(ctx context.Context, r *rig) error
		needs []need
	}{
		"GetItem": {func(ctx context.Context, r *rig) error {
			_, err := r.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key})
			return err
		}, []need{{"GetItem", arn}}},
		"GetItem of a table by its ARN": {func(ctx context.Context, r *rig) error {
			_, err := r.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &arn, Key: key})
			return err
		}, []need{{"GetItem", arn}}},
		"PutItem": {func(ctx context.Context, r *rig) error {
			_, err := r.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: key})
			return err
		}, []need{{"PutItem", arn}}},
		"UpdateItem": {func(ctx context.Context, r *rig) error {
			_, err := r.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: name, Key: key})
			return err
		}, []need{{"UpdateItem", arn}}},
		"DeleteItem": {func(ctx context.Context, r *rig) error {
			_, err := r.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: key})
			return err
		}, []need{{"DeleteItem", arn}}},
		"Query": {func(ctx context.Context, r *rig) error {
			_, err := r.db.Query(ctx, &dynamodb.QueryInput{TableName: name, KeyConditionExpression: equal, ExpressionAttributeValues: p})
			return err
		}, []need{{"Query", arn}}},
		"Query of an index": {func(ctx context.Context, r *rig) error {
			_, err := r.db.Query(ctx, &dynamodb.QueryInput{TableName: name, IndexName: aws.String("byUser"), KeyConditionExpression: equal, ExpressionAttributeValues: p})
			return ignore(err, "ValidationException") // there is none of this name
		}, []need{{"Query", arn + "/index/byUser"}}},
		"Scan": {func(ctx context.Context, r *rig) error {
			_, err := r.db.Scan(ctx, &dynamodb.ScanInput{TableName: name})
			return err
		}, []need{{"Scan", arn}}},
		"Scan of an index": {func(ctx context.Context, r *rig) error {
			_, err := r.db.Scan(ctx, &dynamodb.ScanInput{TableName: name, IndexName: aws.String("byUser")})
			return ignore(err, "ValidationException")
		}, []need{{"Scan", arn + "/index/byUser"}}},
		"BatchGetItem": {func(ctx context.Context, r *rig) error {
			keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{key}}
			_, err := r.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{*name: keys, *other.TableName: keys}})
			return err
		}, []need{{"BatchGetItem", arn}, {"BatchGetItem", *other.TableArn}}},
		"BatchWriteItem": {func(ctx context.Context, r *rig) error {
			_, err := r.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*name: {write}, *other.TableName: {write}}})
			return err
		}, []need{{"BatchWriteItem", arn}, {"BatchWriteItem", *other.TableArn}}},
		"TransactGetItems": {func(ctx context.Context, r *rig) error {
			_, err := r.db.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: name, Key: key}}}})
			return err
		}, []need{{"GetItem", arn}}},
		"TransactWriteItems": {func(ctx context.Context, r *rig) error {
			at := func(sk string) map[string]types.AttributeValue {
				return map[string]types.AttributeValue{"pk": text("t"), "sk": text(sk)}
			}
			_, err := r.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: name, Item: at("put")}},
				{Update: &types.Update{TableName: &arn, Key: at("update"), UpdateExpression: aws.String("SET a = :p"), ExpressionAttributeValues: p}},
				{Delete: &types.Delete{TableName: name, Key: at("delete")}},
				{ConditionCheck: &types.ConditionCheck{TableName: other.TableName, Key: at("check"), ConditionExpression: aws.String("attribute_not_exists(pk)")}},
			}})
			return err
		}, []need{{"PutItem", arn}, {"UpdateItem", arn}, {"DeleteItem", arn}, {"ConditionCheckItem", *other.TableArn}}},
		"ExecuteStatement, SELECT": {func(ctx context.Context, r *rig) error {
			_, err := r.db.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: statement(`SELECT * FROM "%s" WHERE pk = 'a'`)})
			return err
		}, []need{{"PartiQLSelect", arn}}},
		"ExecuteStatement, INSERT": {func(ctx context.Context, r *rig) error {
			_, err := r.db.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: statement(`INSERT INTO "%s" VALUE {'pk':'i','sk':'` + rand.Text() + `'}`)})
			return err
		}, []need{{"PartiQLInsert", arn}}},
		"BatchExecuteStatement": {func(ctx context.Context, r *rig) error {
			_, err := r.db.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
				{Statement: statement(`UPDATE "%s" SET a = 1 WHERE pk='i' AND sk='u'`)},
				{Statement: statement(`DELETE FROM "%s" WHERE pk='i' AND sk='d'`)},
			}})
			return err
		}, []need{{"PartiQLUpdate", arn}, {"PartiQLDelete", arn}}},
		"ExecuteTransaction": {func(ctx context.Context, r *rig) error {
			_, err := r.db.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
				{Statement: statement(`INSERT INTO "%s" VALUE {'pk':'x','sk':'` + rand.Text() + `'}`)},
			}})
			return err
		}, []need{{"PartiQLInsert", arn}}},
		"DescribeTable": {func(ctx context.Context, r *rig) error {
			_, err := r.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name})
			return err
		}, []need{{"DescribeTable", arn}}},
		"DescribeTimeToLive": {func(ctx context.Context, r *rig) error {
			_, err := r.db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: name})
			return err
		}, []need{{"DescribeTimeToLive", arn}}},
		"UpdateTimeToLive": {func(ctx context.Context, r *rig) error {
			_, err := r.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: none, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}})
			return ignore(err, "ResourceNotFoundException")
		}, []need{{"UpdateTimeToLive", noneARN}}},
		"UpdateTable": {func(ctx context.Context, r *rig) error {
			_, err := r.db.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: none, BillingMode: types.BillingModePayPerRequest})
			return ignore(err, "ResourceNotFoundException")
		}, []need{{"UpdateTable", noneARN}}},
		"CreateTable": {func(ctx context.Context, r *rig) error {
			_, err := r.db.CreateTable(ctx, &dynamodb.CreateTableInput{
				TableName: none, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: []types.AttributeDefinition{}, KeySchema: []types.KeySchemaElement{},
			})
			return ignore(err, "ValidationException")
		}, []need{{"CreateTable", noneARN}}},
		"DeleteTable": {func(ctx context.Context, r *rig) error {
			_, err := r.db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: none})
			return ignore(err, "ResourceNotFoundException")
		}, []need{{"DeleteTable", noneARN}}},
		"TagResource": {func(ctx context.Context, r *rig) error {
			_, err := r.db.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
			return ignore(err, "UnknownOperationException") // DynamoDB Local has none
		}, []need{{"TagResource", arn}}},
		"ListTables": {func(ctx context.Context, r *rig) error {
			_, err := r.db.ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		}, []need{{"ListTables", "*"}}},
		"ListStreams": {func(ctx context.Context, r *rig) error {
			_, err := r.streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: name})
			return err
		}, []need{{"ListStreams", "*"}}},
		"DescribeStream": {func(ctx context.Context, r *rig) error {
			_, err := r.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &stream})
			return err
		}, []need{{"DescribeStream", stream}}},
		"GetShardIterator": {func(ctx context.Context, r *rig) error {
			_, err := r.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
				StreamArn: &stream, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeLatest,
			})
			return err
		}, []need{{"GetShardIterator", stream}}},
		"GetRecords": {func(ctx context.Context, r *rig) error {
			page, err := r.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator.ShardIterator})
			if err != nil {
				return err
			}
			_, err = r.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: page.NextShardIterator})
			return err
		}, []need{{"GetRecords", stream}}},
	} {
		t.Run(what, func(t *testing.T) {
			role := strings.NewReplacer(" ", "", ",", "").Replace(what)
			var statements []string
			for _, n := range test.needs {
				statements = append(statements, n.allowed())
			}
			if err := test.call(t.Context(), g.role(role, statements...)); err != nil {
				t.Errorf("with what it takes: %v", err)
			}
			for i, lacked := range test.needs {
				rest := append(append([]string{}, statements[:i]...), statements[i+1:]...)
				code, message := refusal(test.call(t.Context(), g.role(role, rest...)))
				want := "User: arn:aws:sts::" + account + ":assumed-role/" + role + "/f is not authorized to perform: dynamodb:" + lacked.action +
					" on resource: " + lacked.resource + " because no identity-based policy allows the dynamodb:" + lacked.action + " action"
				if code != "AccessDeniedException" || message != want {
					t.Errorf("without %s: %s: %s\nwant %s", lacked.action, code, message, want)
				}
			}
		})
	}
}

// ignore drops an error of the engine's that comes after the call was allowed.
func ignore(err error, code string) error {
	if got, _ := refusal(err); got == code {
		return nil
	}
	return err
}

func TestADenyNamesItselfInTheAnswer(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	table := g.table()
	r := g.role("denied", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`, `{"Effect":"Deny","Action":"dynamodb:Scan","Resource":"`+*table.TableArn+`"}`)
	_, err := r.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: table.TableName})
	if _, message := refusal(err); !strings.HasSuffix(message, "on resource: "+*table.TableArn+" with an explicit deny in an identity-based policy") {
		t.Error(err)
	}
}

func TestWhoIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	g.role("known", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	for name, test := range map[string]struct {
		client *rig
		code   string
	}{
		"another access key":    {g.as("ASIANOBODY", "secret", "token"), "UnrecognizedClientException"},
		"another secret":        {g.as("ASIAknown", "guess", "token"), "InvalidSignatureException"},
		"another session token": {g.as("ASIAknown", "secret", "guess"), "UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range []func() error{
				func() error { _, err := test.client.db.ListTables(t.Context(), nil); return err },
				func() error { _, err := test.client.streams.ListStreams(t.Context(), nil); return err },
			} {
				err := call()
				var answer interface{ HTTPStatusCode() int }
				if code, _ := refusal(err); code != test.code || !errors.As(err, &answer) || answer.HTTPStatusCode() != 400 {
					t.Errorf("%v, want 400 and %s", err, test.code)
				}
			}
		})
	}
}

func TestARequestWithoutASignatureIsRefused(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	status, body := g.post("DynamoDB_20120810.ListTables", "{}", nil)
	if status != 400 || body != `{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}` {
		t.Errorf("%d %s", status, body)
	}
}

func TestAnOperationThatIsNotKnownIsTheOwnersAlone(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	r := g.role("all", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	_, err := r.db.ListBackups(t.Context(), nil)
	if code, message := refusal(err); code != "UnknownOperationException" || !strings.Contains(message, "permissions ListBackups takes") {
		t.Errorf("%v, want it to be named", err)
	}
}

func TestAnIteratorThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	r := g.role("all", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	for _, client := range []*rig{r, g.rig} {
		_, err := client.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("made up")})
		if code, _ := refusal(err); code != "ValidationException" {
			t.Errorf("%v, want ValidationException", err)
		}
	}
}

func TestIteratorsLastThroughARestartOfTheFront(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	table := g.table()
	g.put(table.TableName, "a", nil)
	described, err := g.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	iterator, err := g.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: table.LatestStreamArn, ShardId: described.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	again := newGuardedRig(t).role("reader", need{"GetRecords", *table.LatestStreamArn}.allowed())
	page, err := again.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%d records, %v", len(page.Records), err)
	}
}

// TestLeadingKeysAreThoseOfTheRequest allows one partition alone.
func TestLeadingKeysAreThoseOfTheRequest(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	table := g.table().TableName
	r := g.role("tenant", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["mine*"]}}}`)
	item := func(pk string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"pk": text(pk), "sk": text("s")}
	}
	query := func(expression string, names map[string]string, pk string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := r.db.Query(ctx, &dynamodb.QueryInput{
				TableName: table, KeyConditionExpression: &expression, ExpressionAttributeNames: names,
				ExpressionAttributeValues: map[string]types.AttributeValue{":s": text("s"), ":pk": text(pk)},
			})
			return err
		}
	}
	for name, calls := range map[string]func(pk string) func(ctx context.Context) error{
		"GetItem": func(pk string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := r.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: item(pk)})
				return err
			}
		},
		"PutItem": func(pk string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := r.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item(pk)})
				return err
			}
		},
		"BatchGetItem": func(pk string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := r.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					*table: {Keys: []map[string]types.AttributeValue{item("mine"), item(pk + "2")}},
				}})
				return err
			}
		},
		"BatchWriteItem": func(pk string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := r.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
					*table: {{PutRequest: &types.PutRequest{Item: item("mine")}}, {DeleteRequest: &types.DeleteRequest{Key: item(pk + "2")}}},
				}})
				return err
			}
		},
		"TransactWriteItems": func(pk string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := r.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					{Put: &types.Put{TableName: table, Item: item("mine")}}, {Delete: &types.Delete{TableName: table, Key: item(pk + "2")}},
				}})
				return err
			}
		},
		"Query": func(pk string) func(context.Context) error { return query("sk = :s AND pk = :pk", nil, pk) },
		"Query with a placeholder": func(pk string) func(context.Context) error {
			return query("( #k=:pk ) and begins_with(sk, :s)", map[string]string{"#k": "pk"}, pk)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := calls("mine")(t.Context()); err != nil {
				t.Errorf("mine: %v", err)
			}
			if code, _ := refusal(calls("theirs")(t.Context())); code != "AccessDeniedException" {
				t.Errorf("theirs: %q, want AccessDeniedException", code)
			}
		})
	}
	t.Run("PartiQL is refused by name", func(t *testing.T) {
		t.Parallel()
		_, err := r.db.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + *table + `" WHERE pk = 'mine'`)})
		if code, message := refusal(err); code != "AccessDeniedException" || !strings.Contains(message, "does not know dynamodb:LeadingKeys") {
			t.Error(err)
		}
	})
}

// TestConditionsKnowTheRequest allows what each condition is about, and not the
// rest.
func TestConditionsKnowTheRequest(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	table := g.table().TableName
	key := map[string]types.AttributeValue{"pk": text("p"), "sk": text("s")}
	update := func(expression string, names map[string]string, returns types.ReturnValue) func(r *rig) error {
		return func(r *rig) error {
			_, err := r.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: table, Key: key, UpdateExpression: &expression, ExpressionAttributeNames: names, ReturnValues: returns,
				ExpressionAttributeValues: map[string]types.AttributeValue{":v": text("v")},
			})
			return err
		}
	}
	scan := func(selected types.Select, projection *string) func(r *rig) error {
		return func(r *rig) error {
			_, err := r.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: table, Select: selected, ProjectionExpression: projection})
			return err
		}
	}
	get := func(r *rig) error {
		_, err := r.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: key})
		return err
	}
	transact := func(r *rig) error {
		_, err := r.db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: table, Key: key}}}})
		return err
	}
	attributes := `"ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","name","map"]}`
	for name, test := range map[string]struct {
		condition    string
		right, wrong func(r *rig) error
	}{
		"Attributes of an update":   {attributes, update("SET map.anything = if_not_exists(#n, :v) REMOVE map[0].x", map[string]string{"#n": "name"}, ""), update("SET secret = :v", nil, "")},
		"Attributes of placeholder": {attributes, update("SET #n = :v", map[string]string{"#n": "name"}, ""), update("SET #n = :v", map[string]string{"#n": "secret"}, "")},
		"Attributes of projection":  {attributes, scan("", aws.String("pk, map.secret")), scan("", aws.String("pk, secret.map"))},
		"Select":                    {`"StringEquals":{"dynamodb:Select":"COUNT"}`, scan(types.SelectCount, nil), scan(types.SelectAllAttributes, nil)},
		"ReturnValues":              {`"StringEqualsIfExists":{"dynamodb:ReturnValues":["NONE","UPDATED_NEW"]}`, update("SET a = :v", nil, types.ReturnValueUpdatedNew), update("SET a = :v", nil, types.ReturnValueAllOld)},
		"EnclosingOperation":        {`"StringEquals":{"dynamodb:EnclosingOperation":"TransactGetItems"}`, transact, get},
		"RequestedRegion":           {`"StringEquals":{"aws:RequestedRegion":"` + region + `"}`, get, nil},
		"SecureTransport":           {`"Bool":{"aws:SecureTransport":"true"}`, get, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := g.role(strings.ReplaceAll(name, " ", ""), `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{`+test.condition+`}}`)
			if code, message := refusal(test.right(r)); code == "AccessDeniedException" {
				t.Errorf("what it is about: %s", message)
			}
			if test.wrong == nil {
				return
			}
			if code, _ := refusal(test.wrong(r)); code != "AccessDeniedException" {
				t.Errorf("another: %q, want AccessDeniedException", code)
			}
		})
	}
}

// TestStatementsWhoseTableIsNotClearAreRefused: they would be checked against
// the wrong one.
func TestStatementsWhoseTableIsNotClearAreRefused(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	r := g.role("partiql", `{"Effect":"Allow","Action":"dynamodb:PartiQL*","Resource":"`+prefix+`table/mine"}`)
	for statement, want := range map[string]string{
		`SELECT * FROM "mine"`:                                         "ResourceNotFoundException", // allowed, but not there
		`select a, b from mine where a = 1`:                            "ResourceNotFoundException",
		`SELECT * FROM "theirs"`:                                       "AccessDeniedException",
		`SELECT * FROM "mine"."index"`:                                 "AccessDeniedException", // which is another resource
		`SELECT ' FROM "mine" ' FROM "theirs"`:                         "ValidationException",
		`SELECT * FROM "theirs" WHERE a = ' FROM mine'`:                "ValidationException",
		`DROP TABLE "mine"`:                                            "ValidationException",
		`EXISTS(SELECT * FROM "mine" WHERE pk = 'a')`:                  "ValidationException",
		`INSERT INTO "theirs" VALUE {'pk':'INSERT INTO "mine" VALUE'}`: "AccessDeniedException",
		`-- SELECT * FROM "mine"`:                                      "ValidationException",
	} {
		_, err := r.db.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: &statement})
		if code, _ := refusal(err); code != want {
			t.Errorf("%s: %v, want %s", statement, err, want)
		}
	}
}

// TestTheNamesOfFieldsCountWithTheirCase: what is checked is what the engine does.
func TestTheNamesOfFieldsCountWithTheirCase(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	mine, theirs := *g.table().TableName, *g.table().TableName
	r := g.role("mine", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"`+prefix+`table/`+mine+`"}`)
	for _, body := range []string{
		`{"TableName":"` + theirs + `","tablename":"` + mine + `","Key":{"pk":{"S":"a"},"sk":{"S":"a"}}}`,
		`{"tablename":"` + mine + `","TableName":"` + theirs + `","Key":{"pk":{"S":"a"},"sk":{"S":"a"}}}`,
	} {
		status, answer := g.post("DynamoDB_20120810.GetItem", body, r)
		if status != http.StatusBadRequest || !strings.Contains(answer, "AccessDeniedException") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

func TestABodyThatIsNoObjectIsASerializationException(t *testing.T) {
	t.Parallel()
	g := newGuardedRig(t)
	for _, body := range []string{"", "[]", `{"TableName":`} {
		if status, answer := g.post("DynamoDB_20120810.GetItem", body, g.rig); status != 400 || answer != `{"__type":"com.amazon.coral.service#SerializationException"}` {
			t.Errorf("%q: %d %s", body, status, answer)
		}
	}
}
