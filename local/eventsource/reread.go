package eventsource

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// emptyPages is how many pages without a record are read on past: a stream may give
// some although more follows, and gives them without end where nothing does.
const emptyPages = 5

// Reread returns the records that a dead letter speaks of, as the function got
// them, by reading the stream again. Those that the stream no longer has are
// missing. With a parallelization factor above 1, records of other keys that lie
// between the first and the last are among them: the letter does not tell them
// apart.
func Reread(ctx context.Context, streams Streams, m Mapping, d DeadLetter) ([]json.RawMessage, error) {
	passing, err := parseFilters(m.Filters)
	if err != nil {
		return nil, err
	}
	first, last := d.Batch.StartSequenceNumber, d.Batch.EndSequenceNumber
	wrap := func(err error) error {
		return fmt.Errorf("records %s to %s of shard %s: %w", first, last, d.Batch.ShardID, err)
	}
	iterator, err := iteratorAt(ctx, streams, d)
	if err != nil {
		return nil, wrap(err)
	}
	records := []json.RawMessage{}
	for empty := 0; iterator != nil && empty < emptyPages; {
		page, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, wrap(err)
		}
		for _, record := range page.Records {
			if record.Dynamodb == nil {
				continue
			}
			sequence := aws.ToString(record.Dynamodb.SequenceNumber)
			if compareSequences(sequence, last) > 0 {
				return records, nil
			}
			if compareSequences(sequence, first) < 0 {
				continue
			}
			if event := m.event(record); passing.match(event) {
				records = append(records, encode(event))
			}
			if sequence == last {
				return records, nil
			}
		}
		if empty++; len(page.Records) > 0 {
			empty = 0
		}
		iterator = page.NextShardIterator
	}
	return records, nil
}

// iteratorAt begins with a letter's first record, or with the oldest one that the
// stream still has.
func iteratorAt(ctx context.Context, streams Streams, d DeadLetter) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &d.Batch.StreamARN, ShardId: &d.Batch.ShardID, SequenceNumber: &d.Batch.StartSequenceNumber,
		ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber,
	}
	out, err := streams.GetShardIterator(ctx, in)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		in.SequenceNumber, in.ShardIteratorType = nil, types.ShardIteratorTypeTrimHorizon
		out, err = streams.GetShardIterator(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// compareSequences compares sequence numbers, which are decimal numbers of any
// length without leading zeros to speak of.
func compareSequences(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
