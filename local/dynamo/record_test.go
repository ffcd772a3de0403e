package dynamo_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
)

func TestRecordsNameTheRegionOfTheLocalCloud(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	r.put(table.TableName, "a", nil)
	if got := aws.ToString(r.records(table.LatestStreamArn)[0].AwsRegion); got != region {
		t.Errorf("awsRegion is %s", got)
	}
}

func TestAWriteThatChangesNothingIsNotInTheStream(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	item := func(set ...string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{
			"set": &types.AttributeValueMemberSS{Value: set},
			"map": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": number(1), "y": text("y")}},
		}
	}
	r.put(table.TableName, "a", item("1", "2"))
	r.put(table.TableName, "a", item("1", "2"))
	r.put(table.TableName, "a", item("2", "1")) // sets have no order
	r.put(table.TableName, "a", item("1", "3"))
	var got []string
	for _, record := range r.records(table.LatestStreamArn) {
		got = append(got, string(record.EventName))
	}
	if diff := cmp.Diff([]string{"INSERT", "MODIFY"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestAStreamThatIsSwitchedOnAgainBeginsEmpty(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	r.put(table.TableName, "before", nil)
	stream := func(specification types.StreamSpecification) *types.TableDescription {
		updated, err := r.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table.TableName, StreamSpecification: &specification})
		if err != nil {
			t.Fatal(err)
		}
		return updated.TableDescription
	}
	stream(types.StreamSpecification{StreamEnabled: aws.Bool(false)})
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // records are stamped with whole seconds
	again := stream(types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly})
	if aws.ToString(again.LatestStreamArn) == aws.ToString(table.LatestStreamArn) {
		t.Fatal("it has the ARN of the stream before")
	}
	r.put(table.TableName, "after", nil)
	var got []string
	for _, record := range r.records(again.LatestStreamArn) {
		got = append(got, record.Dynamodb.Keys["sk"].(*streamtypes.AttributeValueMemberS).Value)
	}
	if diff := cmp.Diff([]string{"after"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestAnOpenShardHasNoEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	r.put(table.TableName, "a", nil)
	described, err := r.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range described.StreamDescription.Shards {
		if end := shard.SequenceNumberRange.EndingSequenceNumber; end != nil {
			t.Errorf("%s ends at %s", *shard.ShardId, *end)
		}
	}
}

// TestOnlyOpenShardsLoseTheirEnd serves streams as no engine at hand has them.
func TestOnlyOpenShardsLoseTheirEnd(t *testing.T) {
	t.Parallel()
	const shards = `"Shards":[` +
		`{"ShardId":"old","SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"2"}},` +
		`{"ShardId":"new","ParentShardId":"old","SequenceNumberRange":{"StartingSequenceNumber":"3","EndingSequenceNumber":"4"}}]`
	for name, test := range map[string]struct {
		stream string
		want   []string
	}{
		"a stream that is on":         {`"StreamStatus":"ENABLED",` + shards, []string{"2", ""}},
		"a stream that is off":        {`"StreamStatus":"DISABLED",` + shards, []string{"2", "4"}},
		"a page of a stream's shards": {`"StreamStatus":"ENABLED","LastEvaluatedShardId":"new",` + shards, []string{"2", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, `{"StreamDescription":{`+test.stream+`}}`)
			}))
			t.Cleanup(engine.Close)
			described, err := newRigOn(t, engine.URL).streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String("arn:aws:dynamodb:r:1:table/t/stream/x")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, shard := range described.StreamDescription.Shards {
				got = append(got, aws.ToString(shard.SequenceNumberRange.EndingSequenceNumber))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("ends (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGetRecordsIsRefusedMoreThanAThousand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	table := r.table()
	described, err := r.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	start, err := r.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: table.LatestStreamArn, ShardId: described.StreamDescription.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(limit int32) error {
		_, err := r.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: start.ShardIterator, Limit: &limit})
		return err
	}
	if err := get(1000); err != nil {
		t.Errorf("1000: %v", err)
	}
	if code, _ := refusal(get(1001)); code != "ValidationException" {
		t.Errorf("1001: %s, want ValidationException", code)
	}
}
