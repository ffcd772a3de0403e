package chattable

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// OpenChannel creates a channel unless it is there, and gives its last sequence
// number.
func (t *Table) OpenChannel(ctx context.Context, channelID string) (int64, error) {
	i, err := t.get(ctx, channelKey(channelID))
	if errors.Is(err, chat.ErrGone) {
		return t.addSeq(ctx, channelID, 0)
	}
	return numberOf(i, "seq"), err
}

// NextSeq gives a channel's next sequence number, creating the channel with its
// first. A number whose message is not stored then stays a gap for ever.
func (t *Table) NextSeq(ctx context.Context, channelID string) (int64, error) {
	return t.addSeq(ctx, channelID, 1)
}

func (t *Table) addSeq(ctx context.Context, channelID string, n int64) (int64, error) {
	key := channelKey(channelID)
	out, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:        aws.String(t.Name),
		Key:              key,
		UpdateExpression: aws.String("SET createdAt = if_not_exists(createdAt, :now) ADD seq :n"),
		ExpressionAttributeValues: item{
			":now": timestamp(t.now()),
			":n":   number(n),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, wrap("count", key, err)
	}
	return numberOf(out.Attributes, "seq"), nil
}

// PutMessage stores a message in its place. It never replaces another; the same
// message may be put again.
func (t *Table) PutMessage(ctx context.Context, m chat.Message) error {
	i := t.messageItem(m)
	existing, err := t.put(ctx, i, ifAbsent)
	if err != nil {
		return err
	}
	// A put whose answer was lost is tried again by the SDK and finds itself.
	if existing != nil && textOf(existing, "messageId") != m.ID {
		return wrap("put", i, fmt.Errorf("message %s is there already", textOf(existing, "messageId")))
	}
	return nil
}

// ListMessages gives the messages of a channel with a sequence number above
// after, in their order, reading a page as it is needed. It ends at its first
// error.
func (t *Table) ListMessages(ctx context.Context, channelID string, after int64) iter.Seq2[chat.Message, error] {
	return func(yield func(chat.Message, error) bool) {
		for i, err := range t.query(ctx, &dynamodb.QueryInput{
			TableName:              aws.String(t.Name),
			KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
			ExpressionAttributeValues: item{
				":pk":    text(channelPrefix + channelID),
				":first": messageKey(channelID, after+1)["sk"],
				":last":  text(messagePrefix + "99999999999999999999"),
			},
			ConsistentRead: aws.Bool(true),
		}) {
			if err != nil {
				yield(chat.Message{}, err)
				return
			}
			if !yield(messageOf(channelID, i), nil) {
				return
			}
		}
	}
}

func (t *Table) messageItem(m chat.Message) item {
	i := messageKey(m.ChannelID, m.Seq)
	i["seq"] = number(m.Seq)
	i["messageId"] = text(m.ID)
	i["at"] = timestamp(m.At)
	i["name"] = text(m.Name)
	i["content"] = text(m.Content)
	if m.SenderID != "" {
		i["senderId"] = text(m.SenderID)
	}
	if t.Retention > 0 {
		i["ttl"] = expiry(m.At.Add(t.Retention))
	}
	return i
}

func messageOf(channelID string, i item) chat.Message {
	return chat.Message{
		ChannelID: channelID, Seq: numberOf(i, "seq"), ID: textOf(i, "messageId"), At: timeOf(i, "at"),
		SenderID: textOf(i, "senderId"), Name: textOf(i, "name"), Content: textOf(i, "content"),
	}
}
