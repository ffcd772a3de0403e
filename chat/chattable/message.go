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
// after, in their order, reading a page as it is needed. A message is given as
// it is now, in its own place; revisions are not given. It ends at its first
// error.
func (t *Table) ListMessages(ctx context.Context, channelID string, after int64) iter.Seq2[chat.Message, error] {
	return func(yield func(chat.Message, error) bool) {
		for m, err := range t.ListHistory(ctx, channelID, chat.HistoryRange{After: after}) {
			if m.Target == 0 && !yield(m, err) {
				return
			}
		}
	}
}

// historyPage is how many messages of a bounded range are read first: two or
// three of the longest fill a frame already. Each further page is longer.
const historyPage = 12

// ListHistory gives the messages and revisions of a range, reading a page as it is needed and
// little beyond the range's limit. It ends at its first error.
func (t *Table) ListHistory(ctx context.Context, channelID string, r chat.HistoryRange) iter.Seq2[chat.Message, error] {
	last := text(messagePrefix + "99999999999999999999")
	if r.Before > 0 {
		last = messageKey(channelID, r.Before-1)["sk"]
	}
	input := t.messagesBetween(channelID, r.After+1, last)
	input.ScanIndexForward = aws.Bool(!r.NewestFirst)
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

// messagesBetween is the query of messages and revisions from one number to a
// last sort key.
func (t *Table) messagesBetween(channelID string, first int64, last types.AttributeValue) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:              aws.String(t.Name),
		KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
		ExpressionAttributeValues: item{
			":pk":    text(channelPrefix + channelID),
			":first": messageKey(channelID, first)["sk"],
			":last":  last,
		},
		ConsistentRead: aws.Bool(true),
	}
}

func (t *Table) messageItem(m chat.Message) item {
	i := messageKey(m.ChannelID, m.Seq)
	i["seq"] = number(m.Seq)
	i["messageId"] = text(m.ID)
	i["at"] = timestamp(m.At)
	i["name"] = text(m.Name)
	i["content"] = text(m.Content)
	setText(i, "senderId", m.SenderID)
	setText(i, "user", m.User)
	setText(i, "to", m.To)
	if t.Retention > 0 {
		i["ttl"] = expiry(m.At.Add(t.Retention))
	}
	return i
}

// GetMessage gives a message, or a revision, by its sequence number, or an
// error that wraps [chat.ErrGone].
func (t *Table) GetMessage(ctx context.Context, channelID string, seq int64) (chat.Message, error) {
	i, err := t.get(ctx, messageKey(channelID, seq))
	if err != nil {
		return chat.Message{}, err
	}
	return messageOf(channelID, i), nil
}

// PutRevision changes a stored message to m and puts the revision into its own
// place, in one transaction. Of two revisions, the one with the higher number
// is what the message ends as: the other returns an error that wraps
// [chat.ErrChanged] if it comes later.
func (t *Table) PutRevision(ctx context.Context, m, revision chat.Message) error {
	update := &types.Update{
		TableName: aws.String(t.Name),
		Key:       messageKey(m.ChannelID, m.Seq),
		ConditionExpression: aws.String("messageId = :id AND attribute_not_exists(deletedAt) AND " +
			"(attribute_not_exists(editSeq) OR editSeq < :seq)"),
		UpdateExpression:          aws.String("SET editSeq = :seq, editedAt = :at, content = :content"),
		ExpressionAttributeValues: item{":id": text(m.ID), ":seq": number(m.EditSeq), ":at": timestamp(revision.At)},
	}
	if m.DeletedAt.IsZero() {
		update.ExpressionAttributeValues[":content"] = text(m.Content)
	} else {
		update.UpdateExpression = aws.String("SET editSeq = :seq, deletedAt = :at REMOVE content")
	}
	i := messageKey(revision.ChannelID, revision.Seq)
	i["seq"] = number(revision.Seq)
	i["messageId"] = text(revision.ID)
	i["at"] = timestamp(revision.At)
	setText(i, "senderId", revision.SenderID)
	setText(i, "user", revision.User)
	setText(i, "to", revision.To)
	i["targetSeq"] = number(revision.Target)
	if t.Retention > 0 { // it is of no use without its message
		i["ttl"] = expiry(m.At.Add(t.Retention))
	}
	_, err := t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Update: update},
		{Put: &types.Put{TableName: aws.String(t.Name), Item: i, ConditionExpression: aws.String(ifAbsent)}},
	}})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok && len(canceled.CancellationReasons) > 0 {
		switch aws.ToString(canceled.CancellationReasons[0].Code) {
		case "ConditionalCheckFailed", "TransactionConflict":
			err = chat.ErrChanged
		}
	}
	return wrap("revise", update.Key, err)
}

func messageOf(channelID string, i item) chat.Message {
	return chat.Message{
		ChannelID: channelID, Seq: numberOf(i, "seq"), ID: textOf(i, "messageId"), At: timeOf(i, "at"),
		SenderID: textOf(i, "senderId"), User: textOf(i, "user"), To: textOf(i, "to"),
		Name: textOf(i, "name"), Content: textOf(i, "content"),
		EditedAt: timeOf(i, "editedAt"), DeletedAt: timeOf(i, "deletedAt"), EditSeq: numberOf(i, "editSeq"),
		Target: numberOf(i, "targetSeq"),
	}
}
