package chattable

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// memberAttempts is how often the change of a member is tried when others come
// between.
const memberAttempts = 8

// UpdateMember makes a connection one of its member's in a channel if it is
// subscribed, and none if it is not. The member and the channel's count change in
// one transaction, which asks for the subscription once more: so the count is
// right whatever comes twice, late or at the same time.
func (t *Table) UpdateMember(ctx context.Context, s chat.Subscription) (count int, err error) {
	for range memberAttempts {
		err = t.updateMember(ctx, s)
		if !errors.Is(err, chat.ErrChanged) {
			break
		}
	}
	if err != nil {
		return 0, err
	}
	return t.CountMembers(ctx, s.ChannelID)
}

// updateMember returns an error that wraps chat.ErrChanged if it was overtaken.
func (t *Table) updateMember(ctx context.Context, s chat.Subscription) error {
	subscription, member := subscriptionKey(s.ChannelID, s.ConnectionID), memberKey(s.ChannelID, s.User, s.ConnectionID)
	there, err := t.getAll(ctx, []item{subscription, member})
	if err != nil {
		return err
	}
	connections := connectionsOf(there.of(member))
	present := there.of(subscription) != nil
	if slices.Contains(connections, s.ConnectionID) == present {
		return nil
	}
	writes, counts := t.memberWrites(s, connections, present)
	_, err = t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		err = fmt.Errorf("%w: %w", chat.ErrChanged, canceled)
		if n := len(canceled.CancellationReasons); counts && n > 0 &&
			aws.ToString(canceled.CancellationReasons[n-1].Code) == "ValidationError" {
			err = errors.Join(err, t.recount(ctx, s.ChannelID))
		}
	}
	return wrap("update", member, err)
}

// memberWrites are what makes a connection one of its member's, or none any more,
// as long as the subscription is present or is not and the member has these
// connections. The last one is the count's, if that changes.
func (t *Table) memberWrites(s chat.Subscription, connections []string, present bool) (writes []types.TransactWriteItem, counts bool) {
	var (
		member = memberKey(s.ChannelID, s.User, s.ConnectionID)
		check  = types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: aws.String(t.Name), Key: subscriptionKey(s.ChannelID, s.ConnectionID), ConditionExpression: aws.String(ifAbsent),
		}}
		these = item{":these": &types.AttributeValueMemberSS{Value: []string{s.ConnectionID}}}
		those = item{":this": text(s.ConnectionID), ":one": number(1)}
		delta int64
	)
	if present {
		check.ConditionCheck.ConditionExpression = aws.String(ifPresent)
	}
	writes = append(writes, check)
	switch {
	case present && len(connections) == 0:
		delta = 1
		i := member
		i["connections"], i["since"] = these[":these"], timestamp(s.Since)
		setText(i, "user", s.User)
		setText(i, "name", s.Name)
		writes = append(writes, types.TransactWriteItem{Put: &types.Put{
			TableName: aws.String(t.Name), Item: i,
			ConditionExpression:       aws.String("attribute_not_exists(connections) OR NOT attribute_type(connections, :set)"),
			ExpressionAttributeValues: item{":set": text("SS")},
		}})
	case present:
		writes = append(writes, types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String(t.Name), Key: member, UpdateExpression: aws.String("ADD connections :these"),
			ConditionExpression: aws.String(ifPresent), ExpressionAttributeValues: these,
		}})
	case len(connections) == 1:
		delta = -1
		writes = append(writes, types.TransactWriteItem{Delete: &types.Delete{
			TableName: aws.String(t.Name), Key: member, ExpressionAttributeValues: those,
			ConditionExpression: aws.String("contains(connections, :this) AND size(connections) = :one"),
		}})
	default:
		maps.Copy(those, these)
		writes = append(writes, types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String(t.Name), Key: member, UpdateExpression: aws.String("DELETE connections :these"),
			ConditionExpression:       aws.String("contains(connections, :this) AND size(connections) > :one"),
			ExpressionAttributeValues: those,
		}})
	}
	if delta != 0 {
		writes = append(writes, types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String(t.Name), Key: countKey(s.ChannelID), UpdateExpression: aws.String("ADD members :delta"),
			ExpressionAttributeValues: item{":delta": number(delta)},
		}})
	}
	return writes, delta != 0
}

// connectionsOf gives a member's connections, none if it is not one of the chat's.
func connectionsOf(member item) []string {
	if set, ok := member["connections"].(*types.AttributeValueMemberSS); ok {
		return set.Value
	}
	return nil
}

// recount puts right a count that another service has made no number. Nobody
// comes or goes meanwhile, as nothing can be added to it.
func (t *Table) recount(ctx context.Context, channelID string) error {
	n := int64(0)
	for i, err := range t.query(ctx, t.itemsOf(channelID, memberPrefix)) {
		if err != nil {
			return err
		}
		if len(connectionsOf(i)) > 0 {
			n++
		}
	}
	key := countKey(channelID)
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key, UpdateExpression: aws.String("SET members = :n"),
		ConditionExpression:       aws.String("NOT attribute_type(members, :number)"),
		ExpressionAttributeValues: item{":n": number(n), ":number": text("N")},
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("recount", key, err)
}

// CountMembers gives the number of a channel's members, as far as the stream has
// been read.
func (t *Table) CountMembers(ctx context.Context, channelID string) (int, error) {
	i, err := t.get(ctx, countKey(channelID))
	if errors.Is(err, chat.ErrGone) {
		return 0, nil
	}
	return int(numberOf(i, "members")), err
}

// ListMembers gives the members of a channel: anonymous connections, sorted, and
// then users, sorted; from after a cursor on, or all for "". The first page that
// is read is of limit.
func (t *Table) ListMembers(ctx context.Context, channelID, cursor string, limit int) iter.Seq2[chat.ListedMember, error] {
	input := t.itemsOf(channelID, memberPrefix)
	input.Limit = aws.Int32(int32(limit))
	if cursor != "" {
		input.ExclusiveStartKey = key(channelPrefix+channelID, memberPrefix+cursor)
	}
	return func(yield func(chat.ListedMember, error) bool) {
		for i, err := range t.query(ctx, input) {
			if err != nil {
				yield(chat.ListedMember{}, err)
				return
			}
			connections := connectionsOf(i)
			if len(connections) == 0 {
				continue
			}
			cursor, _ := suffix(textOf(i, "sk"), memberPrefix)
			if !yield(chat.ListedMember{Cursor: cursor, Member: chat.Member{
				User: textOf(i, "user"), Name: textOf(i, "name"), Connections: connections, Since: timeOf(i, "since"),
			}}, nil) {
				return
			}
		}
	}
}
