package chattable

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// PutPublishRequest asks for a message to be published; everyone in the channel
// gets it. The key makes it safe to try again: while a request with the same key
// waits, another changes nothing. A request that was rejected is replaced. A key
// may be used again once its request is published, so use one that says what the
// message is about.
func (t *Table) PutPublishRequest(ctx context.Context, r chat.PublishRequest) error {
	i := publishKey(r.ChannelID, r.Key)
	i["name"] = text(r.Name)
	i["content"] = text(r.Content)
	if r.MessageID != "" {
		i["messageId"] = text(r.MessageID)
	}
	return t.putRequest(ctx, i)
}

// putRequest puts a service's request unless one like it waits.
func (t *Table) putRequest(ctx context.Context, i item) error {
	_, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                aws.String(t.Name),
		Item:                     i,
		ConditionExpression:      aws.String(ifAbsent + " OR attribute_exists(#error)"),
		ExpressionAttributeNames: map[string]string{"#error": "error"},
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("put", i, err)
}

// Publish is PutPublishRequest, and waits until the message is out or ctx ends. It
// gives the message's place; a [RejectedError] if there is none. An empty MessageID
// becomes a new one, and an empty Key the MessageID: so a Publish that broke off is
// tried again with the MessageID that it had, within chat.SentFor.
func (t *Table) Publish(ctx context.Context, r chat.PublishRequest) (chat.Sent, error) {
	if r.MessageID == "" {
		r.MessageID = chat.NewID(t.now())
	}
	if r.Key == "" {
		r.Key = r.MessageID
	}
	if err := t.PutPublishRequest(ctx, r); err != nil {
		return chat.Sent{}, err
	}
	if err := t.await(ctx, publishKey(r.ChannelID, r.Key)); err != nil {
		return chat.Sent{}, err
	}
	return t.GetSent(ctx, chat.ServiceSender(r.ChannelID), r.MessageID)
}

// GetPublishRequest gives a request that is not published yet, or an error that
// wraps [chat.ErrGone]. To see why one was rejected, use [Table.GetRejection].
func (t *Table) GetPublishRequest(ctx context.Context, channelID, unique string) (chat.PublishRequest, error) {
	i, err := t.get(ctx, publishKey(channelID, unique))
	if err != nil {
		return chat.PublishRequest{}, err
	}
	return chat.PublishRequest{
		ChannelID: channelID, Key: unique,
		Name: textOf(i, "name"), Content: textOf(i, "content"), MessageID: textOf(i, "messageId"),
	}, nil
}

// GetRejection gives the reason why a request cannot be published, "" if there
// is none (yet). It returns an error that wraps [chat.ErrGone] if there is no
// such request (any more): then it is published, or was never made, or was
// rejected more than RejectedTTL ago.
func (t *Table) GetRejection(ctx context.Context, channelID, unique string) (string, error) {
	// Also of a request that has expired: it must not look published.
	i, err := t.getEvenExpired(ctx, publishKey(channelID, unique))
	return textOf(i, "error"), err
}

// DeletePublishRequest takes a request back unless it is published already.
func (t *Table) DeletePublishRequest(ctx context.Context, channelID, unique string) error {
	return t.delete(ctx, publishKey(channelID, unique))
}

// PutPublished replaces a request by its message, the message's delivery and,
// unless its ID is empty, what is remembered of the message, in one transaction.
func (t *Table) PutPublished(ctx context.Context, r chat.PublishRequest, m chat.Message, d chat.Delivery, s chat.Sent) error {
	key := publishKey(r.ChannelID, r.Key)
	put := func(i item) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{
			TableName: aws.String(t.Name), Item: i, ConditionExpression: aws.String(ifAbsent),
		}}
	}
	writes := []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: aws.String(t.Name), Key: key, ConditionExpression: aws.String(ifPresent)}},
		put(t.messageItem(m)),
		put(t.deliveryItem(d)),
	}
	if s.ID != "" {
		remember := put(sentItem(s))
		remember.Put.ConditionExpression = aws.String(ifAbsentOrExpired)
		remember.Put.ExpressionAttributeNames = map[string]string{"#ttl": "ttl"}
		remember.Put.ExpressionAttributeValues = item{":now": expiry(t.now())}
		writes = append(writes, remember)
	}
	_, err := t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok && len(canceled.CancellationReasons) > 0 &&
		aws.ToString(canceled.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
		err = chat.ErrGone
	}
	return wrap("publish", key, err)
}

// RejectPublishRequest writes onto a request why it cannot be published, for
// its writer to see, and lets it expire.
func (t *Table) RejectPublishRequest(ctx context.Context, r chat.PublishRequest, reason string) error {
	return t.rejectRequest(ctx, publishKey(r.ChannelID, r.Key), reason)
}

func (t *Table) rejectRequest(ctx context.Context, key item, reason string) error {
	return t.change(ctx, key, "SET #error = :error, #ttl = if_not_exists(#ttl, :ttl)",
		item{":error": text(reason), ":ttl": expiry(t.now().Add(RejectedTTL))},
		map[string]string{"#error": "error", "#ttl": "ttl"})
}
