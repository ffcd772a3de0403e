package eventsource

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Reread returns the records that a message to the on-failure destination speaks
// of, as the function got them, by reading the stream again. Those that the stream
// no longer has are missing. With a parallelization factor above 1, records of other
// keys that lie between the first and the last are among them: the message does not
// tell them apart.
func Reread(ctx context.Context, streams Streams, m Mapping, letter []byte) ([]json.RawMessage, error) {
	var d deadLetter
	if err := json.Unmarshal(letter, &d); err != nil {
		return nil, fmt.Errorf("read a message to the on-failure destination: %w", err)
	}
	passing, err := parseFilters(m.Filters)
	if err != nil {
		return nil, err
	}
	start, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &d.Batch.StreamARN, ShardId: &d.Batch.ShardID, SequenceNumber: &d.Batch.StartSequenceNumber,
		ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber,
	})
	if err != nil {
		return nil, fmt.Errorf("records %s to %s of shard %s: %w", d.Batch.StartSequenceNumber, d.Batch.EndSequenceNumber, d.Batch.ShardID, err)
	}
	records := []json.RawMessage{}
	for iterator := start.ShardIterator; iterator != nil; {
		page, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, fmt.Errorf("records of shard %s: %w", d.Batch.ShardID, err)
		}
		for _, record := range page.Records {
			if record.Dynamodb == nil || unchanged(record) {
				continue
			}
			if event := m.event(record); passing.match(event) {
				records = append(records, encode(event))
			}
			if aws.ToString(record.Dynamodb.SequenceNumber) == d.Batch.EndSequenceNumber {
				return records, nil
			}
		}
		if len(page.Records) == 0 {
			break // nothing more for now: the last one is no longer there
		}
		iterator = page.NextShardIterator
	}
	return records, nil
}
