package chattable

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// DecodeRecord gives the change that a record of the table's stream stands for,
// nil if it is none that clients see: a stored message, a counter, whatever was
// only modified. Its error means that the record is not one of this table's
// stream, or its item not in the form that docs/table.md demands; no other
// attempt will make it better.
//
// The mapping's filter may already have kept such records away. That only saves
// calls: nothing here relies on it.
func DecodeRecord(r events.DynamoDBEventRecord) (chat.Change, error) {
	keys := itemOf(r.Change.Keys)
	pk, sk := textOf(keys, "pk"), textOf(keys, "sk")
	if pk == "" || sk == "" {
		return nil, errors.New("chattable: stream record without the keys pk and sk")
	}
	change, err := decode(r, pk, sk)
	if err != nil {
		return nil, fmt.Errorf("chattable: stream record %s of %s %s: %w", r.EventName, pk, sk, err)
	}
	return change, nil
}

func decode(r events.DynamoDBEventRecord, pk, sk string) (chat.Change, error) {
	name := events.DynamoDBOperationType(r.EventName)
	switch name {
	case events.DynamoDBOperationTypeInsert, events.DynamoDBOperationTypeModify, events.DynamoDBOperationTypeRemove:
	default:
		return nil, errors.New("unknown event name")
	}
	if connectionID, ok := suffix(pk, connectionPrefix); ok && sk == metaSort && name == events.DynamoDBOperationTypeRemove {
		return chat.ConnectionEnded{ConnectionID: connectionID, User: textOf(itemOf(r.Change.OldImage), "user")}, nil
	}
	channelID, ok := suffix(pk, channelPrefix)
	if !ok {
		return ofUser(r, name, pk, sk)
	}
	if sk == settingsSort {
		return slowModeOf(r, channelID), nil
	}
	if connectionID, ok := suffix(sk, connectionPrefix); ok {
		if name == events.DynamoDBOperationTypeRemove {
			return leftOf(r, channelID, connectionID), nil
		}
		return joinedOf(r, channelID, connectionID)
	}
	if unique, ok := suffix(sk, publishPrefix); ok {
		if name == events.DynamoDBOperationTypeInsert || name == events.DynamoDBOperationTypeModify && replacesRejected(r) {
			return requestOf(r, channelID, unique)
		}
		return nil, nil
	}
	if unique, ok := suffix(sk, deletePrefix); ok {
		_, rejected := r.Change.NewImage["error"]
		if name == events.DynamoDBOperationTypeRemove || rejected {
			return nil, nil
		}
		return chat.DeleteRequest{ChannelID: channelID, Key: unique}, nil
	}
	if name != events.DynamoDBOperationTypeInsert {
		return nil, nil
	}
	if unique, ok := suffix(sk, deliveryPrefix); ok {
		return storedDeliveryOf(r, channelID, unique)
	}
	return nil, nil
}

// ofUser gives the change of what is put upon a user. What has expired is over
// without DynamoDB's deleting it, and was told with its end; but a grant may
// outlive its expiry by another's.
func ofUser(r events.DynamoDBEventRecord, name events.DynamoDBOperationType, pk, sk string) (chat.Change, error) {
	channelID, ok := placeOf(sk)
	if !ok {
		return nil, nil
	}
	if user, ok := suffix(pk, grantPrefix); ok {
		if name == events.DynamoDBOperationTypeInsert {
			return nil, nil
		}
		return chat.GrantChanged{User: user, ChannelID: channelID}, nil
	}
	for _, kind := range []chat.SanctionKind{chat.Banned, chat.Muted, chat.Kicked} {
		user, ok := suffix(pk, prefixOf(kind))
		if !ok {
			continue
		}
		c := chat.SanctionChanged{Deleted: name == events.DynamoDBOperationTypeRemove, WrittenAt: writtenAt(r)}
		image, err := itemOf(r.Change.OldImage), error(nil)
		if !c.Deleted {
			image, err = newImage(r)
		}
		if err != nil {
			return nil, err
		}
		c.Sanction = *sanctionOf(kind, user, channelID, image)
		if c.Deleted && (kind == chat.Kicked || !c.Until.IsZero() && !c.WrittenAt.Before(c.Until)) {
			return nil, nil
		}
		return c, nil
	}
	return nil, nil
}

// slowModeOf gives the change of a channel's settings, if it is one of slow mode.
func slowModeOf(r events.DynamoDBEventRecord, channelID string) chat.Change {
	was, is := itemOf(r.Change.OldImage), itemOf(r.Change.NewImage)
	if numberOf(was, "slowMode") == numberOf(is, "slowMode") {
		return nil
	}
	return chat.SlowModeChanged{ChannelID: channelID}
}

// joinedOf gives the change of a subscription that was put. Only one that was
// not there before is a join. One stays its user's: whoever leaves must be who
// came.
func joinedOf(r events.DynamoDBEventRecord, channelID, connectionID string) (chat.Change, error) {
	image, err := newImage(r)
	if err != nil {
		return nil, err
	}
	since := timeOf(image, "since")
	if since.IsZero() {
		since = writtenAt(r)
	}
	s := subscriptionOf(channelID, connectionID, image)
	s.Since = since
	// The key says who subscribes; an index entry of anybody else would stay.
	incomplete := textOf(image, "subscriber") != connectionPrefix+connectionID || image["ttl"] == nil
	was := itemOf(r.Change.OldImage)
	user := textOf(was, "user")
	switch {
	case r.EventName == string(events.DynamoDBOperationTypeInsert):
		return chat.Joined{Subscription: s, Incomplete: incomplete}, nil
	case incomplete, user != "" && user != s.User:
		s.User, s.Name = user, textOf(was, "name")
		return chat.Rewritten{Subscription: s}, nil
	default:
		return nil, nil
	}
}

func leftOf(r events.DynamoDBEventRecord, channelID, connectionID string) chat.Change {
	// What expires, DynamoDB deletes in its own name.
	by, was := r.UserIdentity, itemOf(r.Change.OldImage)
	return chat.Left{
		Subscription: subscriptionOf(channelID, connectionID, was),
		At:           writtenAt(r), Reason: chat.Reason(textOf(was, "reason")),
		Expired: by != nil && by.Type == "Service" && by.PrincipalID == "dynamodb.amazonaws.com",
	}
}

// replacesRejected reports whether a request was put in the place of one that
// was rejected. To modify one in any other way does nothing: the chat's own
// rejection must not be acted on.
func replacesRejected(r events.DynamoDBEventRecord) bool {
	_, was := r.Change.OldImage["error"]
	_, is := r.Change.NewImage["error"]
	return was && !is
}

func requestOf(r events.DynamoDBEventRecord, channelID, unique string) (chat.Change, error) {
	image, err := newImage(r)
	if err != nil {
		return nil, err
	}
	return chat.PublishRequest{
		ChannelID: channelID, Key: unique,
		Name: textOf(image, "name"), Content: textOf(image, "content"), MessageID: textOf(image, "messageId"),
	}, nil
}

func storedDeliveryOf(r events.DynamoDBEventRecord, channelID, unique string) (chat.Change, error) {
	image, err := newImage(r)
	if err != nil {
		return nil, err
	}
	return deliveryOf(channelID, unique, image), nil
}

func newImage(r events.DynamoDBEventRecord) (item, error) {
	if len(r.Change.NewImage) == 0 {
		return nil, errors.New("no new image: the stream's view type must be NEW_AND_OLD_IMAGES")
	}
	return itemOf(r.Change.NewImage), nil
}

// writtenAt is when the change was made, in whole seconds.
func writtenAt(r events.DynamoDBEventRecord) time.Time {
	return r.Change.ApproximateCreationDateTime.UTC()
}

// itemOf gives the attributes of an image that are text, numbers or lists of
// them: no item of this table has others.
func itemOf(image map[string]events.DynamoDBAttributeValue) item {
	i := make(item, len(image))
	for name, value := range image {
		if v := valueOf(value); v != nil {
			i[name] = v
		}
	}
	return i
}

func valueOf(v events.DynamoDBAttributeValue) types.AttributeValue {
	switch v.DataType() {
	case events.DataTypeString:
		return text(v.String())
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: v.Number()}
	case events.DataTypeList:
		list := &types.AttributeValueMemberL{}
		for _, element := range v.List() {
			if e := valueOf(element); e != nil {
				list.Value = append(list.Value, e)
			}
		}
		return list
	default:
		return nil
	}
}
