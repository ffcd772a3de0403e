package engines_test

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func (e *asked) shards() []streamtypes.Shard {
	e.t.Helper()
	out, err := e.streams.DescribeStream(e.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: e.stream})
	e.must(err)
	return out.StreamDescription.Shards
}

func (e *asked) iterator(shard streamtypes.Shard, from streamtypes.ShardIteratorType, sequence *string) *string {
	e.t.Helper()
	out, err := e.streams.GetShardIterator(e.ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: e.stream, ShardId: shard.ShardId, ShardIteratorType: from, SequenceNumber: sequence,
	})
	e.must(err)
	return out.ShardIterator
}

// records are all that the stream holds.
func (e *asked) records() (records []streamtypes.Record) {
	e.t.Helper()
	for _, shard := range e.shards() {
		for next := e.iterator(shard, streamtypes.ShardIteratorTypeTrimHorizon, nil); next != nil; {
			out, err := e.streams.GetRecords(e.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next})
			e.must(err)
			records = append(records, out.Records...)
			if len(out.Records) == 0 {
				break
			}
			next = out.NextShardIterator
		}
	}
	return records
}

// streamLabel is the part of a stream's ARN that says when it was made.
var streamLabel = regexp.MustCompile(`/stream/[0-9T:.-]+`)

func (e *asked) showRecords() {
	for _, r := range e.records() {
		e.note("record", fmt.Sprintf("%s %s new %s old %s", r.EventName,
			showMap(r.Dynamodb.Keys), showMap(r.Dynamodb.NewImage), showMap(r.Dynamodb.OldImage)))
		e.note("bytes", aws.ToInt64(r.Dynamodb.SizeBytes))
	}
}

var streamQuestions = []question{
	{"stream records", func(e *asked) {
		e.put(with("a", "b", "v", n("1")))
		e.put(with("a", "b", "v", n("22")))
		e.note("update", e.update("SET w = :w", item{":w": s("é")}))
		_, err := e.DeleteItem(e.ctx, &dynamodb.DeleteItemInput{TableName: e.table, Key: with("a", "b")})
		e.must(err)
		e.showRecords()
	}},
	{"what every stream record has", func(e *asked) {
		e.put(with("a", "b"))
		r := e.records()[0]
		e.note("event id", regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(aws.ToString(r.EventID)))
		e.note("source", aws.ToString(r.EventSource))
		e.note("version", aws.ToString(r.EventVersion))
		e.note("region", aws.ToString(r.AwsRegion))
		e.note("view", r.Dynamodb.StreamViewType)
		e.note("identity", showIdentity(r.UserIdentity))
		e.note("whole seconds", r.Dynamodb.ApproximateCreationDateTime.Nanosecond() == 0)
		e.note("a sequence number of 21 to 40 digits", regexp.MustCompile(`^\d{21,40}$`).MatchString(aws.ToString(r.Dynamodb.SequenceNumber)))
	}},
	{"writes that change nothing", func(e *asked) {
		e.put(with("a", "b", "v", n("1")))
		e.put(with("a", "b", "v", n("1")))
		e.put(with("a", "b", "v", n("1.0")))
		e.note("update", e.update("SET v = :v", item{":v": n("1")}))
		_, err := e.DeleteItem(e.ctx, &dynamodb.DeleteItemInput{TableName: e.table, Key: with("absent", "b")})
		e.must(err)
		_, err = e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: e.table, Item: with("a", "b", "v", n("1"))}},
			{Delete: &types.Delete{TableName: e.table, Key: with("absent", "b")}},
		}})
		e.must(err)
		e.showRecords()
	}},
	{"the stream of a transaction and a batch", func(e *asked) {
		_, err := e.TransactWriteItems(e.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: e.table, Item: with("a", "1")}},
			{Put: &types.Put{TableName: e.table, Item: with("a", "2")}},
			{Update: &types.Update{TableName: e.table, Key: with("a", "3"), UpdateExpression: aws.String("ADD v :v"), ExpressionAttributeValues: item{":v": n("1")}}},
		}})
		e.must(err)
		_, err = e.BatchWriteItem(e.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*e.table: {
			{DeleteRequest: &types.DeleteRequest{Key: with("a", "1")}},
			{PutRequest: &types.PutRequest{Item: with("a", "4")}},
		}}})
		e.must(err)
		e.showRecords()
	}},
	{"the description of a stream", func(e *asked) {
		e.put(with("a", "b"))
		out, err := e.streams.DescribeStream(e.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: e.stream})
		e.must(err)
		d := out.StreamDescription
		e.note("status", d.StreamStatus)
		e.note("view", d.StreamViewType)
		e.note("table", aws.ToString(d.TableName))
		e.note("keys", len(d.KeySchema))
		e.note("shards", len(d.Shards))
		shard := d.Shards[0]
		id := aws.ToString(shard.ShardId)
		e.note("a shard id of 28 to 65 letters", len(id) >= 28 && len(id) <= 65)
		e.note("a shard id as AWS forms them", regexp.MustCompile(`^shardId-\d{20}-[0-9a-f]{8}$`).MatchString(id))
		e.note("closed", shard.SequenceNumberRange.EndingSequenceNumber != nil)
		e.note("begins", shard.SequenceNumberRange.StartingSequenceNumber != nil)
		e.note("parent", shard.ParentShardId != nil)
		limited, err := e.streams.DescribeStream(e.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: e.stream, ExclusiveStartShardId: shard.ShardId})
		if err != nil {
			e.note("after the shard", err)
		} else {
			e.note("after the shard", len(limited.StreamDescription.Shards))
		}
		listed, err := e.streams.ListStreams(e.ctx, &dynamodbstreams.ListStreamsInput{TableName: e.table})
		e.must(err)
		e.note("streams of the table", len(listed.Streams))
	}},
	{"iterators", func(e *asked) {
		for i := range 5 {
			e.put(with("a", fmt.Sprint(i)))
		}
		shard := e.shards()[0]
		read := func(what string, iterator *string, limit int32) *dynamodbstreams.GetRecordsOutput {
			in := &dynamodbstreams.GetRecordsInput{ShardIterator: iterator}
			if limit > 0 {
				in.Limit = &limit
			}
			out, err := e.streams.GetRecords(e.ctx, in)
			e.must(err)
			var sks []string
			for _, r := range out.Records {
				sks = append(sks, show(r.Dynamodb.Keys["sk"]))
			}
			e.note(what, fmt.Sprint(sks, " goes on ", out.NextShardIterator != nil))
			return out
		}
		horizon := e.iterator(shard, streamtypes.ShardIteratorTypeTrimHorizon, nil)
		first := read("two from the horizon", horizon, 2)
		read("the next", first.NextShardIterator, 0)
		read("the horizon again", horizon, 1)
		second := first.Records[1].Dynamodb.SequenceNumber
		read("at the second", e.iterator(shard, streamtypes.ShardIteratorTypeAtSequenceNumber, second), 1)
		read("after the second", e.iterator(shard, streamtypes.ShardIteratorTypeAfterSequenceNumber, second), 1)
		latest := e.iterator(shard, streamtypes.ShardIteratorTypeLatest, nil)
		read("the latest", latest, 0)
		e.put(with("a", "new"))
		read("the latest after a write", latest, 0)
	}},
	{"iterators that are wrong", func(e *asked) {
		e.put(with("a", "b"))
		shard := e.shards()[0]
		ask := func(what string, in dynamodbstreams.GetShardIteratorInput) {
			if in.StreamArn == nil {
				in.StreamArn = e.stream
			}
			if in.ShardId == nil {
				in.ShardId = shard.ShardId
			}
			_, err := e.streams.GetShardIterator(e.ctx, &in)
			text := strings.ReplaceAll(sentenceOf(err), *shard.ShardId, "SHARD")
			e.note(what, streamLabel.ReplaceAllString(text, "/stream/LABEL"))
		}
		const latest = streamtypes.ShardIteratorTypeLatest
		ask("an unknown shard", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: latest, ShardId: aws.String("shardId-00000000000000000000-00000000")})
		ask("a shard id that is too short", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: latest, ShardId: aws.String("shard")})
		ask("an unknown stream", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: latest, StreamArn: aws.String(strings.Replace(*e.stream, *e.table, "Absent", 1))})
		ask("no ARN", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: latest, StreamArn: aws.String("stream")})
		ask("an unknown type", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: "FIRST"})
		ask("no sequence number", dynamodbstreams.GetShardIteratorInput{ShardIteratorType: streamtypes.ShardIteratorTypeAfterSequenceNumber})
		ask("a sequence number with the horizon", dynamodbstreams.GetShardIteratorInput{
			ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon, SequenceNumber: aws.String("100000000000000000001"),
		})
		_, err := e.streams.GetRecords(e.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("nonsense")})
		e.note("a wrong iterator", err)
		_, err = e.streams.GetRecords(e.ctx, &dynamodbstreams.GetRecordsInput{
			ShardIterator: e.iterator(shard, streamtypes.ShardIteratorTypeTrimHorizon, nil), Limit: aws.Int32(1001),
		})
		e.note("more than 1,000 records", err)
		_, err = e.streams.DescribeStream(e.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(strings.Replace(*e.stream, *e.table, "Absent", 1))})
		e.note("describe an unknown stream", streamLabel.ReplaceAllString(sentenceOf(err), "/stream/LABEL"))
	}},
}
