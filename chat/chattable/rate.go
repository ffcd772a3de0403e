package chattable

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// bucketTries bounds the writes for one call when others take tokens too.
const bucketTries = 5

// TakeTokens takes tokens from a sender's bucket if it is full, else one, or
// gives how long it takes until there is one. The item knows when the bucket
// will be full: that moves on by what is taken, and the time itself fills it.
func (t *Table) TakeTokens(ctx context.Context, sender string, b chat.Bucket, tokens int) (taken int, wait time.Duration, err error) {
	each := b.Every.Microseconds()
	size := int64(b.Size) * each
	for range bucketTries {
		now := t.now().UnixMicro()
		was, err := t.fill(ctx, sender, "attribute_not_exists(fullAt) OR fullAt <= :now", "fullAt = :full", item{
			":now": number(now), ":full": number(now + int64(tokens)*each),
		}, now+int64(tokens)*each)
		if err != nil {
			return 0, 0, err
		}
		if was == nil {
			return tokens, 0, nil
		}
		fullAt := numberOf(was, "fullAt")
		if short := fullAt + each - now - size; short > 0 {
			return 0, time.Duration(short) * time.Microsecond, nil
		}
		was, err = t.fill(ctx, sender, "fullAt > :now AND fullAt <= :most", "fullAt = fullAt + :each", item{
			":now": number(now), ":most": number(now + size - each), ":each": number(each),
		}, fullAt+each)
		if err != nil {
			return 0, 0, err
		}
		if was == nil {
			return 1, 0, nil
		}
	}
	return 0, time.Duration(each) * time.Microsecond, nil // so many at once are too fast
}

// fill makes an update of a bucket, or gives the bucket if the condition is not
// met.
func (t *Table) fill(ctx context.Context, sender, condition, set string, values item, fullAt int64) (item, error) {
	key := rateKey(sender)
	values[":ttl"] = expiry(time.UnixMicro(fullAt).Add(time.Minute))
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           aws.String(t.Name),
		Key:                                 key,
		ConditionExpression:                 aws.String(condition),
		UpdateExpression:                    aws.String("SET " + set + ", #ttl = :ttl"),
		ExpressionAttributeNames:            map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if failed.Item == nil { // it has expired just now
			return item{}, nil
		}
		return failed.Item, nil
	}
	return nil, wrap("fill", key, err)
}
