package dynamo_test

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/local/dynamo/dynamotest"
)

func TestARNsNameTheRegionOfTheLocalCloud(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	described, err := r.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := r.streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: table.TableName})
	if err != nil {
		t.Fatal(err)
	}
	for what, arn := range map[string]*string{
		"CreateTable's table":    table.TableArn,
		"CreateTable's stream":   table.LatestStreamArn,
		"DescribeTable's table":  described.Table.TableArn,
		"DescribeTable's stream": described.Table.LatestStreamArn,
		"ListStreams' stream":    listed.Streams[0].StreamArn,
	} {
		if !strings.HasPrefix(aws.ToString(arn), prefix+"table/"+*table.TableName) {
			t.Errorf("%s is %s, want it to begin with %s", what, aws.ToString(arn), prefix)
		}
	}
}

func TestStreamARNsWorkInTheFirstRequestAfterARestart(t *testing.T) {
	t.Parallel()
	before := newRig(t)
	table := before.table()
	before.put(table.TableName, "a", nil)
	for name, first := range map[string]func(r *rig) error{
		"DescribeStream": func(r *rig) error {
			_, err := r.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
			return err
		},
		"GetShardIterator": func(r *rig) error {
			described, err := before.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
			if err != nil {
				return err
			}
			_, err = r.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
				StreamArn: table.LatestStreamArn, ShardId: described.StreamDescription.Shards[0].ShardId, ShardIteratorType: "TRIM_HORIZON",
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := first(newRig(t)); err != nil {
				t.Error(err)
			}
		})
	}
	if got := len(newRig(t).records(table.LatestStreamArn)); got != 1 {
		t.Errorf("%d records, want 1", got)
	}
}

func TestAStreamThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	_, err := newRig(t).streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{
		StreamArn: aws.String(prefix + "table/none/stream/2026-01-01T00:00:00.000"),
	})
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("%v, want ResourceNotFoundException", err)
	}
}

// TestItemsWithTextLikeARNsPassUnchanged stores ARNs as each side writes them,
// and reads them back through the front, from the engine itself and from the
// stream.
func TestItemsWithTextLikeARNsPassUnchanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table() // from here on the front knows how the engine writes ARNs
	engine := dynamotest.Client(t)
	own, err := engine.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	if err != nil {
		t.Fatal(err)
	}
	for name, arn := range map[string]string{
		"the local cloud's": *table.TableArn,
		"the engine's":      *own.Table.TableArn,
		"AWS's":             "arn:aws:dynamodb:us-west-2:123456789012:table/theirs",
	} {
		t.Run(name, func(t *testing.T) {
			value := map[string]types.AttributeValue{"StreamArn": text(arn)}
			r.put(table.TableName, arn, value)
			key := map[string]types.AttributeValue{"pk": text("p"), "sk": text(arn)}
			for reader, client := range map[string]*dynamodb.Client{"the front": r.db, "the engine": engine} {
				got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table.TableName, Key: key})
				if err != nil {
					t.Fatal(err)
				}
				if stored, _ := got.Item["StreamArn"].(*types.AttributeValueMemberS); stored == nil || stored.Value != arn {
					t.Errorf("%s gives %v, want %s", reader, got.Item["StreamArn"], arn)
				}
			}
			records := r.records(table.LatestStreamArn)
			image := records[len(records)-1].Dynamodb.NewImage["StreamArn"]
			if got := streamText(image); got != arn {
				t.Errorf("the stream gives %s, want %s", got, arn)
			}
		})
	}
}

func TestEveryCallerSeesTheSameTables(t *testing.T) {
	t.Parallel()
	var signed string
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		io.WriteString(w, `{}`)
	}))
	t.Cleanup(engine.Close)
	if _, err := newRigOn(t, engine.URL).db.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(signed, " Credential=chatstack/") || !strings.Contains(signed, "/us-east-1/dynamodb/aws4_request,") {
		t.Errorf("the engine gets %q, want one access key and Region for all", signed)
	}
}

// TestTheEngineGetsItsOwnARNs serves an engine that knows no other; the front has
// not seen any of them before.
func TestTheEngineGetsItsOwnARNs(t *testing.T) {
	t.Parallel()
	const own = "arn:aws:dynamodb:ddblocal:000000000001:table/t"
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch _, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
		case action == "DescribeTable":
			io.WriteString(w, `{"Table":{"TableArn":"`+own+`"}}`)
		case strings.Contains(string(body), `"`+own+`/stream/1"`):
			io.WriteString(w, `{"StreamDescription":{"StreamArn":"`+own+`/stream/1"}}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"ResourceNotFoundException","message":"`+strings.ReplaceAll(string(body), `"`, "'")+`"}`)
		}
	}))
	t.Cleanup(engine.Close)
	out, err := newRigOn(t, engine.URL).streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{
		StreamArn: aws.String(prefix + "table/t/stream/1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(out.StreamDescription.StreamArn), prefix+"table/t/stream/1"; got != want {
		t.Errorf("stream ARN %s, want %s", got, want)
	}
}

func TestRequestsWithItemsMayBeLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := *r.table().TableName
	var writes []types.WriteRequest
	for i := range 4 {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"pk": text("p"), "sk": text(strconv.Itoa(i)), "content": text(strings.Repeat("x", 390<<10)),
		}}})
	}
	_, err := r.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes}})
	if err != nil {
		t.Error(err)
	}
}

// TestChecksumsFitTheBody serves an engine that sums up its answers, as
// DynamoDB does.
func TestChecksumsFitTheBody(t *testing.T) {
	t.Parallel()
	sum := func(body string) string {
		return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)
	}
	const described = `{"Table":{"TableName":"t","TableArn":"arn:aws:dynamodb:elsewhere:1:table/t"}}`
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Crc32", sum(described))
		io.WriteString(w, described)
	}))
	t.Cleanup(engine.Close)
	front := newRigOn(t, engine.URL).front
	for action, want := range map[string]string{
		"DescribeTable": strings.ReplaceAll(described, "arn:aws:dynamodb:elsewhere:1:", prefix),
		"GetItem":       described, // an item's, as it is
	} {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+action)
		answer := httptest.NewRecorder()
		front.ServeHTTP(answer, req)
		body := answer.Body.String()
		if sorted(body) != sorted(want) || answer.Header().Get("X-Amz-Crc32") != sum(body) {
			t.Errorf("%s: sum %s of %s, want %s of %s", action, answer.Header().Get("X-Amz-Crc32"), body, sum(body), want)
		}
	}
}

// sorted is a JSON text with its fields in the order of their names.
func sorted(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err.Error()
	}
	ordered, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(ordered)
}

func TestAnEngineThatIsGoneIsAServerError(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.NotFoundHandler())
	engine.Close()
	_, err := newRigOn(t, engine.URL).db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("t"), Key: map[string]types.AttributeValue{"pk": text("p")},
	})
	if err == nil || !strings.Contains(err.Error(), "InternalServerError: the table engine does not answer") {
		t.Errorf("%v, want InternalServerError", err)
	}
}

func TestARequestThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	status, body := newRigOn(t, "http://127.0.0.1:0").post("DynamoDB_20120810.PutItem", strings.Repeat(" ", 32<<20+1), nil)
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "RequestEntityTooLargeException") {
		t.Errorf("%d %s", status, body)
	}
}

func TestAKeyConditionMayNameTheSortKeyFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table().TableName
	r.put(table, "a", nil)
	r.put(table, "b", nil)
	for _, condition := range []string{"sk = :s AND pk = :p", "(#s=:s)and(:p=#p)", "pk = :p AND sk = :s", "begins_with(sk, :s) AND pk = :p"} {
		var names map[string]string
		if strings.Contains(condition, "#") {
			names = map[string]string{"#s": "sk", "#p": "pk"}
		}
		out, err := r.db.Query(t.Context(), &dynamodb.QueryInput{
			TableName: table, KeyConditionExpression: &condition, ExpressionAttributeNames: names,
			ExpressionAttributeValues: map[string]types.AttributeValue{":p": text("p"), ":s": text("a")},
		})
		if err != nil || out.Count != 1 {
			t.Errorf("%s: %v, %v", condition, out, err)
		}
	}
}
