package chattable

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// KickTTL is how long a kick is kept that nobody has applied: the 24 hours for
// which the stream keeps its record.
const KickTTL = 24 * time.Hour

// PutBan bans a user from a channel, or everywhere if that is "": its
// subscriptions end, everywhere also its connections, and it gets no new ones
// until the ban ends, which without an Until it does not. It replaces the user's
// ban for the same channel. The user is told the reason. At is now if it is zero.
func (t *Table) PutBan(ctx context.Context, x chat.Sanction) error {
	x.Kind = chat.Banned
	return t.PutSanction(ctx, x)
}

// DeleteBan takes a ban back; other bans of the user stay. There need be none.
func (t *Table) DeleteBan(ctx context.Context, user, channelID string) error {
	return t.DeleteSanction(ctx, chat.Banned, user, channelID)
}

// ListBans gives the bans of a user that are in force, the one for everywhere
// first.
func (t *Table) ListBans(ctx context.Context, user string) iter.Seq2[chat.Sanction, error] {
	return t.listSanctions(ctx, chat.Banned, user)
}

// PutMute keeps a user from writing in a channel, or everywhere if that is "",
// until the mute ends, which without an Until it does not. It replaces the user's
// mute for the same channel. The user is told the reason. At is now if it is zero.
func (t *Table) PutMute(ctx context.Context, x chat.Sanction) error {
	x.Kind = chat.Muted
	return t.PutSanction(ctx, x)
}

// DeleteMute takes a mute back; other mutes of the user stay. There need be none.
func (t *Table) DeleteMute(ctx context.Context, user, channelID string) error {
	return t.DeleteSanction(ctx, chat.Muted, user, channelID)
}

// ListMutes gives the mutes of a user that are in force, the one for everywhere
// first.
func (t *Table) ListMutes(ctx context.Context, user string) iter.Seq2[chat.Sanction, error] {
	return t.listSanctions(ctx, chat.Muted, user)
}

// PutKick takes a user out of a channel, or closes its connections if that is "".
// The user is told the reason and may come back at once. Who came after At is
// left alone; leave it zero unless that matters and the clock is right.
func (t *Table) PutKick(ctx context.Context, x chat.Sanction) error {
	x.Kind = chat.Kicked
	return t.PutSanction(ctx, x)
}

// PutSanction is PutBan, PutMute or PutKick, by the kind.
func (t *Table) PutSanction(ctx context.Context, x chat.Sanction) error {
	i := userKey(prefixOf(x.Kind), x.User, x.ChannelID)
	setText(i, "reason", x.Reason)
	setText(i, "by", x.By)
	switch {
	case !x.At.IsZero():
		i["at"] = timestamp(x.At)
	case x.Kind != chat.Kicked:
		i["at"] = timestamp(t.now())
	}
	switch {
	case x.Kind == chat.Kicked:
		i["ttl"] = expiry(t.now().Add(KickTTL))
	case !x.Until.IsZero():
		i["ttl"] = expiry(x.Until)
	}
	_, err := t.put(ctx, i, "")
	return err
}

// GetSanction gives what is in force for a user in a channel, or everywhere if
// that is "", or an error that wraps [chat.ErrGone]. A ban or mute for everywhere
// is not given for a channel.
func (t *Table) GetSanction(ctx context.Context, kind chat.SanctionKind, user, channelID string) (chat.Sanction, error) {
	i, err := t.get(ctx, userKey(prefixOf(kind), user, channelID))
	if err != nil {
		return chat.Sanction{}, err
	}
	return *sanctionOf(kind, user, channelID, i), nil
}

// DeleteSanction is DeleteBan or DeleteMute, by the kind.
func (t *Table) DeleteSanction(ctx context.Context, kind chat.SanctionKind, user, channelID string) error {
	return t.delete(ctx, userKey(prefixOf(kind), user, channelID))
}

// DeleteKick deletes a kick that is done, unless another was put in its place.
// Its at may be written in any way.
func (t *Table) DeleteKick(ctx context.Context, x chat.Sanction) error {
	key := userKey(kickPrefix, x.User, x.ChannelID)
	there, err := t.getEvenExpired(ctx, key)
	switch at := there["at"]; {
	case errors.Is(err, chat.ErrGone):
		return nil
	case err != nil:
		return err
	case !timeOf(there, "at").Equal(x.At):
		return nil
	case at == nil:
		return t.deleteIf(ctx, key, "attribute_not_exists(#a)", "at", nil)
	default:
		return t.deleteIf(ctx, key, "#a = :at", "at", item{":at": at})
	}
}

// PutSlowMode sets the time between two messages of a user in a channel, in whole
// seconds, at most chat.MaxSlowMode; 0 ends slow mode. The channel is told.
func (t *Table) PutSlowMode(ctx context.Context, channelID string, every time.Duration) error {
	key := settingsKey(channelID)
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key,
		UpdateExpression:          aws.String("SET slowMode = :seconds"),
		ExpressionAttributeValues: item{":seconds": number(int64(every / time.Second))},
	})
	return wrap("put", key, err)
}

// PutGrant lets a user read in a private channel, write to it, or both, in all
// private channels if that is "", until a time or, if that is zero, for good. It
// replaces the user's grant for the same channel: what it takes away ends.
func (t *Table) PutGrant(ctx context.Context, user, channelID string, rights chat.Rights, until time.Time) error {
	i := userKey(grantPrefix, user, channelID)
	switch rights {
	case chat.MayRead:
		i["rights"] = text("read")
	case chat.MayWrite:
		i["rights"] = text("write")
	case chat.MayRead | chat.MayWrite:
	default:
		return wrap("put", i, errors.New("a grant is for reading, writing or both"))
	}
	if !until.IsZero() {
		i["ttl"] = expiry(until)
	}
	_, err := t.put(ctx, i, "")
	return err
}

// DeleteGrant takes a grant back: subscriptions that nothing else allows end.
// There need be none.
func (t *Table) DeleteGrant(ctx context.Context, user, channelID string) error {
	return t.delete(ctx, userKey(grantPrefix, user, channelID))
}

func (t *Table) listSanctions(ctx context.Context, kind chat.SanctionKind, user string) iter.Seq2[chat.Sanction, error] {
	return func(yield func(chat.Sanction, error) bool) {
		for i, err := range t.query(ctx, &dynamodb.QueryInput{
			TableName:                 aws.String(t.Name),
			KeyConditionExpression:    aws.String("pk = :pk"),
			ExpressionAttributeValues: item{":pk": text(prefixOf(kind) + user)},
			ConsistentRead:            aws.Bool(true),
		}) {
			if err != nil {
				yield(chat.Sanction{}, err)
				return
			}
			if channelID, ok := placeOf(textOf(i, "sk")); ok && !yield(*sanctionOf(kind, user, channelID, i), nil) {
				return
			}
		}
	}
}

// deleteIf deletes an item on a condition, which may name an attribute #a.
func (t *Table) deleteIf(ctx context.Context, key item, condition, attribute string, values item) error {
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(t.Name), Key: key, ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: map[string]string{"#a": attribute}, ExpressionAttributeValues: values,
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return nil
	}
	return wrap("delete", key, err)
}

func prefixOf(kind chat.SanctionKind) string {
	switch kind {
	case chat.Banned:
		return banPrefix
	case chat.Muted:
		return mutePrefix
	default:
		return kickPrefix
	}
}

// placeOf gives the channel that an item of a user is about, "" for everywhere.
func placeOf(sk string) (channelID string, ok bool) {
	if sk == everywhere {
		return "", true
	}
	return suffix(sk, channelPrefix)
}

func sanctionOf(kind chat.SanctionKind, user, channelID string, i item) *chat.Sanction {
	return &chat.Sanction{
		Kind: kind, User: user, ChannelID: channelID, Until: endOf(i),
		Reason: textOf(i, "reason"), By: textOf(i, "by"), At: timeOf(i, "at"),
	}
}
