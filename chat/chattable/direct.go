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

// PutDirect makes a direct message, or a revision of one, the last in the lists of
// both its users, unless they have a later one of their conversation. With nothing
// later, that is listed for the table's Retention.
func (t *Table) PutDirect(ctx context.Context, m chat.Message) error {
	if err := t.putDirect(ctx, m.User, m.To, m); err != nil || m.User == m.To {
		return err
	}
	return t.putDirect(ctx, m.To, m.User, m)
}

func (t *Table) putDirect(ctx context.Context, user, peer string, m chat.Message) error {
	update := "SET channelId = :channel, seq = :seq, #at = :at"
	names := map[string]string{"#at": "at"}
	values := item{":channel": text(m.ChannelID), ":seq": number(m.Seq), ":at": timestamp(m.At)}
	if t.Retention > 0 {
		update += ", #ttl = :ttl"
		names["#ttl"], values[":ttl"] = "ttl", expiry(m.At.Add(t.Retention))
	}
	key := directKey(user, peer)
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key,
		UpdateExpression: aws.String(update), ConditionExpression: aws.String("attribute_not_exists(seq) OR seq < :seq"),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("put", key, err)
}

// ListDirects gives a user's conversations sorted by their peers, those after one
// of them or all for "". The first page that is read is of limit.
func (t *Table) ListDirects(ctx context.Context, user, after string, limit int) iter.Seq2[chat.Direct, error] {
	input := t.itemsUnder(userPrefix+user, directPrefix)
	input.Limit = aws.Int32(int32(limit))
	if after != "" {
		input.ExclusiveStartKey = directKey(user, after)
	}
	return func(yield func(chat.Direct, error) bool) {
		for i, err := range t.query(ctx, input) {
			if err != nil {
				yield(chat.Direct{}, err)
				return
			}
			peer, _ := suffix(textOf(i, "sk"), directPrefix)
			if !yield(chat.Direct{Peer: peer, ChannelID: textOf(i, "channelId"), Seq: numberOf(i, "seq"), At: timeOf(i, "at")}, nil) {
				return
			}
		}
	}
}
