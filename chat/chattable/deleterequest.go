package chattable

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// PutDeleteRequest asks for a message to be deleted, as its author or a moderator
// could; everyone in the channel is told. While a request for the same message
// waits, another changes nothing; one that was rejected is replaced.
func (t *Table) PutDeleteRequest(ctx context.Context, channelID string, seq int64) error {
	return t.putRequest(ctx, deleteKey(channelID, strconv.FormatInt(seq, 10)))
}

// DeleteMessage is PutDeleteRequest, and waits until the message is deleted or ctx
// ends. It returns a [RejectedError] if it cannot be.
func (t *Table) DeleteMessage(ctx context.Context, channelID string, seq int64) error {
	if err := t.PutDeleteRequest(ctx, channelID, seq); err != nil {
		return err
	}
	return t.await(ctx, deleteKey(channelID, strconv.FormatInt(seq, 10)))
}

// PutEraseRequest is PutDeleteRequest, and takes away who the message was by as
// well: its name, user and senderId, also if it is deleted already.
func (t *Table) PutEraseRequest(ctx context.Context, channelID string, seq int64) error {
	i := deleteKey(channelID, strconv.FormatInt(seq, 10))
	i["erase"] = &types.AttributeValueMemberBOOL{Value: true}
	_, err := t.put(ctx, i, "")
	return err
}

// GetDeleteRequest gives a request that is not granted yet, or an error that
// wraps [chat.ErrGone].
func (t *Table) GetDeleteRequest(ctx context.Context, channelID, unique string) (chat.DeleteRequest, error) {
	i, err := t.get(ctx, deleteKey(channelID, unique))
	if err != nil {
		return chat.DeleteRequest{}, err
	}
	erase, _ := i["erase"].(*types.AttributeValueMemberBOOL)
	return chat.DeleteRequest{ChannelID: channelID, Key: unique, Erase: erase != nil && erase.Value}, nil
}

// GetDeleteRejection gives the reason why a message cannot be deleted, "" if
// there is none (yet). It returns an error that wraps [chat.ErrGone] if there is
// no such request (any more): then the message is deleted, or nobody asked for
// it, or the rejection is more than RejectedTTL ago.
func (t *Table) GetDeleteRejection(ctx context.Context, channelID string, seq int64) (string, error) {
	i, err := t.getEvenExpired(ctx, deleteKey(channelID, strconv.FormatInt(seq, 10)))
	return textOf(i, "error"), err
}

// FinishDeleteRequest deletes a request that is done, unless it was put anew
// meanwhile to erase as well.
func (t *Table) FinishDeleteRequest(ctx context.Context, r chat.DeleteRequest) error {
	key := deleteKey(r.ChannelID, r.Key)
	if r.Erase {
		return t.delete(ctx, key)
	}
	return t.deleteIf(ctx, key, "attribute_not_exists(#a) OR #a <> :yes", "erase",
		item{":yes": &types.AttributeValueMemberBOOL{Value: true}})
}

// RejectDeleteRequest writes onto a request why it cannot be granted, for its
// writer to see, and lets it expire.
func (t *Table) RejectDeleteRequest(ctx context.Context, r chat.DeleteRequest, reason string) error {
	return t.rejectRequest(ctx, deleteKey(r.ChannelID, r.Key), reason)
}

// EraseAuthor takes the name, the user and the senderId away from a deleted
// message and from its revisions, which lie between it and its last one.
func (t *Table) EraseAuthor(ctx context.Context, m chat.Message) error {
	if err := t.forgetAuthor(ctx, messageKey(m.ChannelID, m.Seq)); err != nil {
		return err
	}
	if m.EditSeq <= m.Seq { // it has none
		return nil
	}
	input := t.messagesBetween(m.ChannelID, m.Seq+1, messageKey(m.ChannelID, m.EditSeq)["sk"])
	input.FilterExpression = aws.String("targetSeq = :target")
	input.ExpressionAttributeValues[":target"] = number(m.Seq)
	for i, err := range t.query(ctx, input) {
		if err != nil {
			return err
		}
		if err := t.forgetAuthor(ctx, messageKey(m.ChannelID, numberOf(i, "seq"))); err != nil {
			return err
		}
	}
	return nil
}

// forgetAuthor takes from a message or a revision who it was by, and to.
func (t *Table) forgetAuthor(ctx context.Context, key item) error {
	return t.change(ctx, key, "REMOVE #name, #user, #to, senderId", nil,
		map[string]string{"#name": "name", "#user": "user", "#to": "to"})
}
