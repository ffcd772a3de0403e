package eventsource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// CheckAccess returns the error with which AWS refuses to create a mapping whose
// function's role may not read the stream. Put does not ask: a mapping that exists
// goes on as soon as its role may. Of the four actions that AWS asks for, ListStreams
// is not tried, since nothing here needs it.
func (p *Poller) CheckAccess(ctx context.Context, m Mapping) error {
	if err := tryToRead(ctx, p.opts.StreamsFor(m), m.StreamARN); accessDenied(err) {
		return fmt.Errorf("event source mapping %s: InvalidParameterValueException: %s (%w)", m.UUID, cannotAccess(m.StreamARN), err)
	}
	return nil
}

// tryToRead does what a mapping does to read a stream, once.
func tryToRead(ctx context.Context, streams Streams, streamARN string) error {
	described, err := streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &streamARN})
	if err != nil || described.StreamDescription == nil || len(described.StreamDescription.Shards) == 0 {
		return err
	}
	start, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &streamARN, ShardId: described.StreamDescription.Shards[0].ShardId, ShardIteratorType: types.ShardIteratorTypeLatest,
	})
	if err != nil {
		return err
	}
	_, err = streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: start.ShardIterator})
	return err
}

// problem words why a stream cannot be read.
func problem(streamARN string, err error) string {
	if accessDenied(err) {
		return "PROBLEM: " + cannotAccess(streamARN)
	}
	return "PROBLEM: " + err.Error()
}

// cannotAccess is AWS's sentence when the function's role may not read a stream.
func cannotAccess(streamARN string) string {
	return "Cannot access stream " + streamARN + ". Please ensure the role can perform the GetRecords, " +
		"GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
}

// accessDenied says whether an error is a refusal by a policy.
func accessDenied(err error) bool {
	var coded interface{ ErrorCode() string }
	return errors.As(err, &coded) && strings.HasPrefix(coded.ErrorCode(), "AccessDenied")
}
