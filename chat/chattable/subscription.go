package chattable

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// PutSubscription puts a connection into a channel; the channel is told. A
// subscription that is there stays as it is, and nobody is told twice; but it
// ends when what allows it now does, if that is later.
func (t *Table) PutSubscription(ctx context.Context, s chat.Subscription) error {
	i := subscriptionKey(s.ChannelID, s.ConnectionID)
	i["subscriber"] = text(connectionPrefix + s.ConnectionID)
	i["since"] = timestamp(s.Since)
	i["ttl"] = subscriptionEnd(s)
	setText(i, "user", s.User)
	setText(i, "name", s.Name)
	existing, err := t.put(ctx, i, ifAbsent)
	if err != nil || existing == nil {
		return err
	}
	s.Since = timeOf(existing, "since")
	if numberOf(existing, "ttl") >= numberOf(item{"ttl": subscriptionEnd(s)}, "ttl") {
		return nil
	}
	return t.PutSubscriptionEnd(ctx, s)
}

// subscriptionEnd is when a subscription ends by itself.
func subscriptionEnd(s chat.Subscription) types.AttributeValue { return lastsUntil(s.Since, s.Until) }

// GetSubscription gives a subscription, or an error that wraps [chat.ErrGone].
func (t *Table) GetSubscription(ctx context.Context, channelID, connectionID string) (chat.Subscription, error) {
	i, err := t.get(ctx, subscriptionKey(channelID, connectionID))
	if err != nil {
		return chat.Subscription{}, err
	}
	return subscriptionOf(channelID, connectionID, i), nil
}

func subscriptionOf(channelID, connectionID string, i item) chat.Subscription {
	return chat.Subscription{
		ChannelID: channelID, ConnectionID: connectionID,
		User: textOf(i, "user"), Name: textOf(i, "name"), Since: timeOf(i, "since"),
	}
}

// PutSubscriptionEnd lets a subscription that is there end by itself at its
// Until; if that is zero, with the longest connection.
func (t *Table) PutSubscriptionEnd(ctx context.Context, s chat.Subscription) error {
	return t.change(ctx, subscriptionKey(s.ChannelID, s.ConnectionID), "SET #ttl = :ttl",
		item{":ttl": subscriptionEnd(s)}, map[string]string{"#ttl": "ttl"})
}

// CompleteSubscription adds what is missing to a subscription of which another
// service wrote the key alone, and puts right a subscriber that is not the key's and a
// user that is not the connection's.
func (t *Table) CompleteSubscription(ctx context.Context, s chat.Subscription) error {
	update := "SET subscriber = :subscriber, since = if_not_exists(since, :since), #ttl = if_not_exists(#ttl, :ttl)"
	names := map[string]string{"#ttl": "ttl", "#user": "user", "#name": "name"}
	values := item{
		":subscriber": text(connectionPrefix + s.ConnectionID),
		":since":      timestamp(s.Since),
		":ttl":        subscriptionEnd(s),
	}
	if s.User == "" {
		update += " REMOVE #user, #name"
	} else {
		update += ", #user = :user, #name = :name"
		values[":user"], values[":name"] = text(s.User), text(s.Name)
	}
	return t.change(ctx, subscriptionKey(s.ChannelID, s.ConnectionID), update, values, names)
}

// DeleteSubscription takes a connection out of a channel; the channel is told
// if it was in.
func (t *Table) DeleteSubscription(ctx context.Context, channelID, connectionID string) error {
	return t.delete(ctx, subscriptionKey(channelID, connectionID))
}

// EndSubscription is DeleteSubscription with a reason, which the channel and
// whoever is taken out are told.
func (t *Table) EndSubscription(ctx context.Context, channelID, connectionID string, reason chat.Reason) error {
	key := subscriptionKey(channelID, connectionID)
	if err := t.change(ctx, key, "SET reason = :reason", item{":reason": text(string(reason))}, nil); err != nil {
		return err
	}
	return t.delete(ctx, key)
}

// ListSubscribers gives the connections in a channel, sorted, those after one
// of them or all for "", reading a page as it is needed, the first of limit.
func (t *Table) ListSubscribers(ctx context.Context, channelID, after string, limit int) iter.Seq2[string, error] {
	input := t.itemsOf(channelID, connectionPrefix)
	if after != "" {
		input.ExclusiveStartKey = subscriptionKey(channelID, after)
	}
	if limit > 0 {
		input.Limit = aws.Int32(int32(limit))
	}
	return t.list(ctx, input, "sk", connectionPrefix)
}

// itemsOf is the query of a channel's items of one kind.
func (t *Table) itemsOf(channelID, prefix string) *dynamodb.QueryInput {
	return t.itemsUnder(channelPrefix+channelID, prefix)
}

// itemsUnder is the query of the items of one kind under a pk.
func (t *Table) itemsUnder(pk, prefix string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 aws.String(t.Name),
		KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: item{":pk": text(pk), ":sk": text(prefix)},
		ConsistentRead:            aws.Bool(true),
	}
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
