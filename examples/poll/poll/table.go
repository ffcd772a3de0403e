package poll

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// VoteTTL is how long a vote counts after it was cast.
const VoteTTL = 30 * 24 * time.Hour

// A Table keeps votes in the chat's table, beside the chat's own items: pk
// POLL|name of the poll, sk VOTE|connection id. The chat's stream leaves such
// items alone.
type Table struct {
	Client *dynamodb.Client
	Name   string

	// PageSize is the most votes that are read at a time; 0 means as many as
	// DynamoDB's 1 MB a page holds.
	PageSize int32

	// Now gives the time; nil means time.Now.
	Now func() time.Time
}

func (t *Table) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// PutVote stores a vote in place of the connection's earlier one.
func (t *Table) PutVote(ctx context.Context, v Vote) error {
	_, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(t.Name),
		Item: map[string]types.AttributeValue{
			"pk":     &types.AttributeValueMemberS{Value: "POLL|" + v.Poll},
			"sk":     &types.AttributeValueMemberS{Value: "VOTE|" + v.ConnectionID},
			"option": &types.AttributeValueMemberS{Value: v.Option},
			"ttl":    &types.AttributeValueMemberN{Value: strconv.FormatInt(t.now().Add(VoteTTL).Unix(), 10)},
		},
	})
	if err != nil {
		return fmt.Errorf("put the vote of %s in poll %s: %w", v.ConnectionID, v.Poll, err)
	}
	return nil
}

// CountVotes gives the number of votes for each option that has any. It reads
// every vote, page by page, and sees those that were stored before.
func (t *Table) CountVotes(ctx context.Context, poll string) (map[string]int, error) {
	input := &dynamodb.QueryInput{
		TableName:              aws.String(t.Name),
		ConsistentRead:         aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :poll and begins_with(sk, :vote)"),
		// What has expired stays in the table until DynamoDB gets to it.
		FilterExpression:         aws.String("#ttl > :now"),
		ProjectionExpression:     aws.String("#option"),
		ExpressionAttributeNames: map[string]string{"#option": "option", "#ttl": "ttl"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":poll": &types.AttributeValueMemberS{Value: "POLL|" + poll},
			":vote": &types.AttributeValueMemberS{Value: "VOTE|"},
			":now":  &types.AttributeValueMemberN{Value: strconv.FormatInt(t.now().Unix(), 10)},
		},
	}
	if t.PageSize > 0 {
		input.Limit = aws.Int32(t.PageSize)
	}
	counts := map[string]int{}
	for pages := dynamodb.NewQueryPaginator(t.Client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("count the votes in poll %s: %w", poll, err)
		}
		for _, item := range page.Items {
			if option, ok := item["option"].(*types.AttributeValueMemberS); ok {
				counts[option.Value]++
			}
		}
	}
	return counts, nil
}
