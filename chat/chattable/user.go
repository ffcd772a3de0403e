package chattable

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A UserItem is an item of a user, or about one.
type UserItem struct {
	// Kind is what docs/table.md calls such an item.
	Kind string `json:"kind"`
	// Item has the attributes as JSON has them: texts, numbers as json.Number,
	// booleans, lists.
	Item map[string]any `json:"item"`
}

// ExportUser gives all that the table has of a user: its messages and their
// revisions, direct messages from and to it, its connections, subscriptions,
// memberships, grants, bans, mutes and kicks, what it has imposed on others, and
// the chat's own notes. Items that have expired and are still stored are among
// them, items of other services are not.
//
// It reads the whole table, with the permission dynamodb:Scan, which no function
// of the chat has: half a read unit for every 4 KB stored, so about $0.02 a GB.
func (t *Table) ExportUser(ctx context.Context, user string) iter.Seq2[UserItem, error] {
	return func(yield func(UserItem, error) bool) {
		for i, err := range t.scanUser(ctx, user) {
			if err != nil {
				yield(UserItem{}, err)
				return
			}
			if kind := kindOf(i, user); kind != "" {
				if !yield(UserItem{Kind: kind, Item: attributesOf(i)}, nil) {
					return
				}
			}
		}
	}
}

// userPrefixes begin the partitions that are a user's own.
var userPrefixes = map[string]string{
	banPrefix: "ban", mutePrefix: "mute", kickPrefix: "kick", grantPrefix: "grant",
}

// scanUser gives the items that name a user, among them such as are no item of
// the chat's.
func (t *Table) scanUser(ctx context.Context, user string) iter.Seq2[item, error] {
	values := item{
		":user": text(user), ":own": text(userPrefix + user), ":sender": text(userSender(user)),
		":member": text(memberPrefix + userPrefix + user), ":direct": text(directPrefix + user),
	}
	partitions := ":own, :sender"
	for prefix, kind := range userPrefixes {
		values[":"+kind] = text(prefix + user)
		partitions += ", :" + kind
	}
	input := &dynamodb.ScanInput{
		TableName: aws.String(t.Name),
		FilterExpression: aws.String("#user = :user OR #to = :user OR #by = :user OR sk IN (:member, :direct) OR " +
			"pk IN (" + partitions + ")"),
		ExpressionAttributeNames:  map[string]string{"#user": "user", "#to": "to", "#by": "by"},
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(false),
	}
	if t.PageSize > 0 {
		input.Limit = aws.Int32(t.PageSize)
	}
	return func(yield func(item, error) bool) {
		for pages := dynamodb.NewScanPaginator(t.Client, input); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("chattable: scan: %w", err))
				return
			}
			for _, i := range page.Items {
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}

// kindOf says what an item that names a user is, "" if it is not the chat's.
func kindOf(i item, user string) string {
	pk, sk := textOf(i, "pk"), textOf(i, "sk")
	has := func(s, prefix string) bool { return strings.HasPrefix(s, prefix) }
	for prefix, kind := range userPrefixes {
		switch {
		case pk == prefix+user:
			return kind
		case has(pk, prefix) && textOf(i, "by") == user:
			return kind + " imposed"
		}
	}
	switch {
	case pk == userSender(user) && sk == rateSort:
		return "rate"
	case pk == userSender(user):
		return "sent"
	case has(pk, userPrefix) && has(sk, directPrefix):
		return "conversation"
	case pk == userPrefix+user && has(sk, connectionPrefix):
		return "device"
	case has(pk, connectionPrefix) && sk == metaSort:
		return "connection"
	case !has(pk, channelPrefix):
		return ""
	case has(sk, connectionPrefix):
		return "subscription"
	case has(sk, memberPrefix):
		return "member"
	case has(sk, messagePrefix) && i["targetSeq"] != nil:
		return "revision"
	case has(sk, messagePrefix) && i["to"] != nil:
		return "direct message"
	case has(sk, messagePrefix):
		return "message"
	}
	return ""
}

// attributesOf gives an item as JSON has it.
func attributesOf(i item) map[string]any {
	plain := make(map[string]any, len(i))
	for name, v := range i {
		plain[name] = plainOf(v)
	}
	return plain
}

func plainOf(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return json.Number(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberNS:
		numbers := make([]json.Number, len(v.Value))
		for n, value := range v.Value {
			numbers[n] = json.Number(value)
		}
		return numbers
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for n, element := range v.Value {
			list[n] = plainOf(element)
		}
		return list
	case *types.AttributeValueMemberM:
		return attributesOf(v.Value)
	default:
		return nil
	}
}
