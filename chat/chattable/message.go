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
	return t.ListHistory(ctx, channelID, chat.HistoryRange{After: after})
}

// historyPage is how many messages of a bounded range are read first: two or
// three of the longest fill a frame already. Each further page is longer.
const historyPage = 12

// ListHistory gives the messages of a range, reading a page as it is needed and
// little beyond the range's limit. It ends at its first error.
func (t *Table) ListHistory(ctx context.Context, channelID string, r chat.HistoryRange) iter.Seq2[chat.Message, error] {
	last := text(messagePrefix + "99999999999999999999")
	if r.Before > 0 {
		last = messageKey(channelID, r.Before-1)["sk"]
	}
	input := &dynamodb.QueryInput{
		TableName:              aws.String(t.Name),
		KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
		ExpressionAttributeValues: item{
			":pk":    text(channelPrefix + channelID),
			":first": messageKey(channelID, r.After+1)["sk"],
			":last":  last,
		},
		ScanIndexForward: aws.Bool(!r.NewestFirst),
		ConsistentRead:   aws.Bool(true),
	}
	if r.Limit > 0 {
		input.Limit = aws.Int32(int32(min(r.Limit, historyPage)))
	}
	return func(yield func(chat.Message, error) bool) {
		if r.Before > 0 && r.After+1 >= r.Before { // DynamoDB refuses an empty range
			return
		}
		for i, err := range t.query(ctx, input) {
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
