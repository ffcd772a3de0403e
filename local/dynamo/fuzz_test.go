package dynamo

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzCalls looks for what crashes the reading of calls and of answers, and for
// requests that become no JSON.
func FuzzCalls(f *testing.F) {
	const arn = "arn:aws:dynamodb:r:1:table/t"
	for _, seed := range [][2]string{
		{"DynamoDB_20120810.PutItem", `{"TableName":"t","Item":{"pk":{"S":"a"}}}`},
		{"DynamoDB_20120810.GetItem", `{"TableName":"` + arn + `","Key":{},"ProjectionExpression":"a.b, #c[1], if_not_exists(d, :e)"}`},
		{"DynamoDB_20120810.Query", `{"TableName":"struck","KeyConditionExpression":"#k=:v and b > :w","ExpressionAttributeNames":{"#k":"pk"},"ExpressionAttributeValues":{":v":{"S":"a"}}}`},
		{"DynamoDB_20120810.BatchWriteItem", `{"RequestItems":{"struck":[{"PutRequest":{"Item":{}}},{"DeleteRequest":{"Key":{}}}],"t":[]}}`},
		{"DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"struck":{"Keys":[{},{}]},"t":null}}`},
		{"DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"struck":null,"t":{"Keys":[{}]}}}`},
		{"DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"struck"}},{"Get":null},1,{"Update":{"TableName":"` + arn + `"}}]}`},
		{"DynamoDB_20120810.ExecuteStatement", `{"Statement":"SELECT * FROM \"struck\".\"i\""}`},
		{"DynamoDBStreams_20120810.GetRecords", `{"ShardIterator":"` + arn + `/stream/x|1|abc"}`},
		{"DynamoDBStreams_20120810.GetShardIterator", `{"StreamArn":"` + arn + `/stream/x"}`},
		{"DynamoDB_20120810.CreateTable", `{"TableName":1}`},
	} {
		f.Add(seed[0], seed[1], `{"Records":[{"eventName":"REMOVE","dynamodb":{"Keys":{},"OldImage":{"a":{"N":"1"}}}}],"NextShardIterator":"x","UnprocessedItems":{"struck":[]}}`)
	}
	front, err := NewFront(FrontOptions{Engine: "http://127.0.0.1:0", Region: "r", Account: "1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, body, answer string) {
		c := parseTarget(target)
		if c.request = parse([]byte(body)); c.request == nil {
			return
		}
		changed, err := front.plain(&c, []byte(body))
		if err != nil {
			return
		}
		uses, err := front.uses(&c)
		if err == nil {
			for _, u := range uses {
				if u.table != "" && !strings.HasPrefix(u.resource, "arn:") {
					t.Errorf("%q uses %q", body, u.resource)
				}
				u.leadingKeys("pk")
				u.attributes()
			}
		}
		if strings.HasPrefix(c.operation, "Batch") && c.hold(map[string]bool{"struck": true}) == nil {
			changed = true
			if json.Valid([]byte(answer)) && !json.Valid(c.unprocessed([]byte(answer))) {
				t.Errorf("unprocessed of %q is no JSON", answer)
			}
		}
		if changed {
			if sent, err := encode(c.request); err != nil || parse(sent) == nil {
				t.Errorf("%q became %q: %v", body, sent, err)
			}
		}
		if json.Valid([]byte(answer)) {
			for _, rewritten := range [][]byte{
				front.records(&c, []byte(answer)), wrapField([]byte(answer), "NextShardIterator", "s"), rewriteARNs(openShards([]byte(answer)), front.fromEngine),
			} {
				if !json.Valid(rewritten) {
					t.Errorf("%q became %q", answer, rewritten)
				}
			}
		}
	})
}

// TestTheOrderOfAKeyConditionDoesNotMatter to who asks for the leading key.
func TestTheOrderOfAKeyConditionDoesNotMatter(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"pk = :p":                              `{"S":"a"}`,
		"sk > :s AND pk = :p":                  `{"S":"a"}`,
		":p = pk AND sk BETWEEN :s AND :s":     `{"S":"a"}`,
		"(#k=:p)AND(begins_with ( sk , :s ) )": `{"S":"a"}`,
		"sk = :p":                              "",
		"":                                     "",
		"pk > :p":                              "",
	} {
		request := fields{"ExpressionAttributeNames": []byte(`{"#k":"pk"}`), "ExpressionAttributeValues": []byte(`{":p":{"S":"a"},":s":{"S":"b"}}`)}
		if err := request.set("KeyConditionExpression", expression); err != nil {
			t.Fatal(err)
		}
		if got := string(request.queriedKey("pk")); got != want {
			t.Errorf("%s: %s, want %s", expression, got, want)
		}
	}
}
