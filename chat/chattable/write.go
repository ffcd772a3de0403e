package chattable

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

const (
	ifAbsent  = "attribute_not_exists(pk)"
	ifPresent = "attribute_exists(pk)"
	// ifAbsentOrExpired needs the name #ttl and the value :now.
	ifAbsentOrExpired = ifAbsent + " OR #ttl <= :now"
)

// put puts an item. With a condition it returns the item that is there instead,
// nil if there was none.
func (t *Table) put(ctx context.Context, i item, condition string) (existing item, err error) {
	input := &dynamodb.PutItemInput{TableName: aws.String(t.Name), Item: i}
	if condition == ifAbsentOrExpired {
		input.ExpressionAttributeNames = map[string]string{"#ttl": "ttl"}
		input.ExpressionAttributeValues = item{":now": expiry(t.now())}
	}
	if condition != "" {
		input.ConditionExpression = aws.String(condition)
		input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	_, err = t.Client.PutItem(ctx, input)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, nil
	}
	return nil, wrap("put", i, err)
}

// get reads an item that has not expired, or returns an error that wraps
// chat.ErrGone.
func (t *Table) get(ctx context.Context, key item) (item, error) {
	i, err := t.getEvenExpired(ctx, key)
	if err == nil && t.expired(i) {
		return nil, wrap("get", key, chat.ErrGone)
	}
	return i, err
}

// getEvenExpired is get for an item whose expiry does not matter.
func (t *Table) getEvenExpired(ctx context.Context, key item) (item, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(t.Name), Key: key, ConsistentRead: aws.Bool(true),
	})
	if err == nil && out.Item == nil {
		err = chat.ErrGone
	}
	if err != nil {
		return nil, wrap("get", key, err)
	}
	return out.Item, nil
}

// change updates an item, and does nothing if there is none.
func (t *Table) change(ctx context.Context, key item, update string, values item, names map[string]string) error {
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key,
		UpdateExpression: aws.String(update), ConditionExpression: aws.String(ifPresent),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("change", key, err)
}

func (t *Table) delete(ctx context.Context, key item) error {
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(t.Name), Key: key})
	return wrap("delete", key, err)
}

// wrap says which item an error is about. Keys are names and ids, no contents.
func wrap(verb string, i item, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("chattable: %s %s %s: %w", verb, textOf(i, "pk"), textOf(i, "sk"), err)
}
