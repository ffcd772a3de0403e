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
		return nil, nil
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
	if name != events.DynamoDBOperationTypeInsert {
		return nil, nil
	}
	if unique, ok := suffix(sk, deliveryPrefix); ok {
		return storedDeliveryOf(r, channelID, unique)
	}
	return nil, nil
}

// joinedOf gives the change of a subscription that was put. Only one that was
// not there before is a join.
func joinedOf(r events.DynamoDBEventRecord, channelID, connectionID string) (chat.Change, error) {
	image, err := newImage(r)
	if err != nil {
		return nil, err
	}
	since := timeOf(image, "since")
	if since.IsZero() {
		since = writtenAt(r)
	}
	s := chat.Subscription{
		ChannelID: channelID, ConnectionID: connectionID, User: textOf(image, "user"), Name: textOf(image, "name"), Since: since,
	}
	// The key says who subscribes; an index entry of anybody else would stay.
	incomplete := textOf(image, "subscriber") != connectionPrefix+connectionID || image["ttl"] == nil
	switch {
	case r.EventName == string(events.DynamoDBOperationTypeInsert):
		return chat.Joined{Subscription: s, Incomplete: incomplete}, nil
	case incomplete:
		return chat.Rewritten{Subscription: s}, nil
	default:
		return nil, nil
	}
}

func leftOf(r events.DynamoDBEventRecord, channelID, connectionID string) chat.Change {
	// What expires, DynamoDB deletes in its own name.
	by, was := r.UserIdentity, itemOf(r.Change.OldImage)
	return chat.Left{
		Subscription: chat.Subscription{
			ChannelID: channelID, ConnectionID: connectionID,
			User: textOf(was, "user"), Name: textOf(was, "name"), Since: timeOf(was, "since"),
		},
		At: writtenAt(r), Reason: chat.Reason(textOf(was, "reason")),
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
	d := deliveryOf(channelID, unique, image)
	if len(d.Frame) == 0 {
		return nil, errors.New("delivery without the text attribute frame")
	}
	return d, nil
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
