package chattable

import (
	"context"
	"errors"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// PutSubscription puts a connection into a channel; the channel is told. A
// subscription that is there stays as it is, and nobody is told twice.
func (t *Table) PutSubscription(ctx context.Context, s chat.Subscription) error {
	i := subscriptionKey(s.ChannelID, s.ConnectionID)
	i["subscriber"] = text(connectionPrefix + s.ConnectionID)
	i["since"] = timestamp(s.Since)
	i["ttl"] = expiry(s.Since.Add(ConnectionTTL))
	_, err := t.put(ctx, i, ifAbsent)
	return err
}

// CompleteSubscription adds what is missing to a subscription of which another
// service wrote the key alone, and puts right a subscriber that is not the key's.
func (t *Table) CompleteSubscription(ctx context.Context, s chat.Subscription) error {
	key := subscriptionKey(s.ChannelID, s.ConnectionID)
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name),
		Key:       key,
		UpdateExpression: aws.String("SET subscriber = :subscriber, " +
			"since = if_not_exists(since, :since), #ttl = if_not_exists(#ttl, :ttl)"),
		ConditionExpression:      aws.String(ifPresent),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: item{
			":subscriber": text(connectionPrefix + s.ConnectionID),
			":since":      timestamp(s.Since),
			":ttl":        expiry(s.Since.Add(ConnectionTTL)),
		},
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("complete", key, err)
}

// DeleteSubscription takes a connection out of a channel; the channel is told
// if it was in.
func (t *Table) DeleteSubscription(ctx context.Context, channelID, connectionID string) error {
	return t.delete(ctx, subscriptionKey(channelID, connectionID))
}

// ListSubscribers gives the connections in a channel, sorted, those after one
// of them or all for "", reading a page as it is needed.
func (t *Table) ListSubscribers(ctx context.Context, channelID, after string) iter.Seq2[string, error] {
	return t.list(ctx, t.subscribersOf(channelID, after), "sk", connectionPrefix)
}

// ListMembers gives the subscriptions of a channel, sorted by connection, those
// after the one of a connection, or all for "", in pages of limit.
func (t *Table) ListMembers(ctx context.Context, channelID, after string, limit int) iter.Seq2[chat.Subscription, error] {
	input := t.subscribersOf(channelID, after)
	input.Limit = aws.Int32(int32(limit))
	return func(yield func(chat.Subscription, error) bool) {
		for i, err := range t.query(ctx, input) {
			if err != nil {
				yield(chat.Subscription{}, err)
				return
			}
			if id, ok := suffix(textOf(i, "sk"), connectionPrefix); ok &&
				!yield(chat.Subscription{ChannelID: channelID, ConnectionID: id, Since: timeOf(i, "since")}, nil) {
				return
			}
		}
	}
}

// subscribersOf is the query of a channel's subscriptions.
func (t *Table) subscribersOf(channelID, after string) *dynamodb.QueryInput {
	input := &dynamodb.QueryInput{
		TableName:              aws.String(t.Name),
		KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: item{
			":pk": text(channelPrefix + channelID),
			":sk": text(connectionPrefix),
		},
		ConsistentRead: aws.Bool(true),
	}
	if after != "" {
		input.ExclusiveStartKey = subscriptionKey(channelID, after)
	}
	return input
}

// ListSubscriptions gives the channels of a connection, sorted. The index that
// knows them is eventually consistent: it lags behind writes, usually by less
// than a second.
func (t *Table) ListSubscriptions(ctx context.Context, connectionID string) iter.Seq2[string, error] {
	// The index has the keys only, so what has expired shows here until
	// DynamoDB deletes it. That is after the connection's own end.
	return t.list(ctx, &dynamodb.QueryInput{
		TableName:              aws.String(t.Name),
		IndexName:              aws.String(subscriberIndex),
		KeyConditionExpression: aws.String("subscriber = :subscriber AND begins_with(pk, :pk)"),
		ExpressionAttributeValues: item{
			":subscriber": text(connectionPrefix + connectionID),
			":pk":         text(channelPrefix),
		},
	}, "pk", channelPrefix)
}
