package dynamo_test

import (
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

// TestChecksumsFitTheBody serves an engine that sums up its answers, as
// DynamoDB does; the SDK refuses a body that does not fit.
func TestChecksumsFitTheBody(t *testing.T) {
	t.Parallel()
	const described = `{"Table":{"TableName":"t","TableArn":"arn:aws:dynamodb:elsewhere:1:table/t"}}`
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(described))), 10))
		io.WriteString(w, described)
	}))
	t.Cleanup(engine.Close)
	out, err := newRigOn(t, engine.URL).db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(out.Table.TableArn), prefix+"table/t"; got != want {
		t.Errorf("table ARN %s, want %s", got, want)
	}
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
