package chattable

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
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

// A Report says what EraseUser has done, by the kinds of items.
type Report struct {
	// Removed counts what is gone, and messages of which only the place is left.
	Removed map[string]int
	// Left counts what is there yet: to be erased by another call.
	Left map[string]int
}

// EraseUser removes all that ExportUser finds. It closes the user's connections by
// a kick first; messages, also those of others to the user, are deleted by the
// chat, which tells their channels, and keep their place, with no content and
// nothing that says who wrote them. An erased ban lets the user back in.
//
// It waits for the chat until ctx ends, and may be called again: for what was left,
// or what the user has written meanwhile. What it costs is what ExportUser costs,
// and a deletion for each message.
func (t *Table) EraseUser(ctx context.Context, user string) (Report, error) {
	report := Report{Removed: map[string]int{}, Left: map[string]int{}}
	for _, err := range t.ListDevices(ctx, user) {
		if err != nil {
			return report, err
		}
		report.Removed["connection"]++ // by the kick
	}
	if err := t.PutKick(ctx, chat.Sanction{User: user}); err != nil {
		return report, err
	}
	if err := t.await(ctx, userKey(kickPrefix, user, "")); err != nil {
		return report, err
	}
	type erasure struct {
		kind   string
		item   item
		finish func() error
	}
	var begun []erasure
	for i, err := range t.scanUser(ctx, user) {
		if err != nil {
			return report, err
		}
		if kind := kindOf(i, user); kind != "" {
			finish, err := t.erase(ctx, kind, i)
			if err != nil {
				return report, err
			}
			begun = append(begun, erasure{kind: kind, item: key(textOf(i, "pk"), textOf(i, "sk")), finish: finish})
		}
	}
	// A conversation is listed again with every deletion in it.
	slices.SortStableFunc(begun, func(a, b erasure) int { return cmp.Compare(rank(a.kind), rank(b.kind)) })
	var failed error
	for _, e := range begun {
		if err := e.finish(); err != nil {
			failed = wrap("erase", e.item, err)
			report.Left[e.kind]++
		} else {
			report.Removed[e.kind]++
		}
	}
	return report, failed
}

// rank says which items are finished first.
func rank(kind string) int {
	if kind == "conversation" {
		return 1
	}
	return 0
}

// erase begins to erase an item, and gives what finishes it.
func (t *Table) erase(ctx context.Context, kind string, i item) (finish func() error, err error) {
	key := key(textOf(i, "pk"), textOf(i, "sk"))
	channelID, _ := suffix(textOf(i, "pk"), channelPrefix)
	seq := numberOf(i, "seq")
	done := func() error { return nil }
	request := deleteKey(channelID, strconv.FormatInt(seq, 10))
	switch {
	case kind == "member": // the chat deletes it after its subscriptions, and counts
		return func() error { return t.await(ctx, key) }, nil
	case kind == "conversation":
		return func() error { return t.delete(ctx, key) }, nil
	case t.expired(i): // for the chat it is gone already
		return done, t.delete(ctx, key)
	case kind == "message":
		return func() error { return t.await(ctx, request) }, t.PutEraseRequest(ctx, channelID, seq)
	case kind == "direct message": // which the chat deletes only with its author on it
		return func() error {
			if err := t.await(ctx, request); err != nil {
				return err
			}
			m, err := t.GetMessage(ctx, channelID, seq)
			if err != nil {
				return err
			}
			return t.EraseAuthor(ctx, m)
		}, t.PutDeleteRequest(ctx, channelID, seq)
	case kind == "revision":
		return done, t.forgetAuthor(ctx, key)
	case strings.HasSuffix(kind, imposed):
		return done, t.change(ctx, key, "REMOVE #by", nil, map[string]string{"#by": "by"})
	default:
		return done, t.delete(ctx, key)
	}
}

// imposed marks what a user has put upon another.
const imposed = " imposed"

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
		":slowed": text("|" + chat.UserSender(user)),
	}
	partitions := ":own, :sender"
	for prefix, kind := range userPrefixes {
		values[":"+kind] = text(prefix + user)
		partitions += ", :" + kind
	}
	input := &dynamodb.ScanInput{
		TableName: aws.String(t.Name),
		FilterExpression: aws.String("#user = :user OR #to = :user OR #by = :user OR sk IN (:member, :direct) OR " +
			"pk IN (" + partitions + ") OR contains(pk, :slowed)"),
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
			return kind + imposed
		}
	}
	switch {
	case sk == rateSort && (pk == userSender(user) || isSlowed(pk, user)):
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

// isSlowed reports whether a partition has the pace of a user in a channel in slow
// mode: SENDER|slow|<channel>|<pace>|<the user as a sender>.
func isSlowed(pk, user string) bool {
	rest, ok := suffix(pk, senderPrefix+"slow|")
	parts := strings.SplitN(rest, "|", 3)
	return ok && len(parts) == 3 && parts[2] == chat.UserSender(user)
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
