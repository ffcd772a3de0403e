package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// A bot follows a channel. Several may follow the same: the chat takes the answer
// of one.
type bot struct {
	table         *chattable.Table
	channel, name string
	log           *slog.Logger
}

// run answers until ctx ends or something fails; then it may be started again, and
// goes on where it was.
func (b *bot) run(ctx context.Context) error {
	after, err := b.cursor(ctx)
	if err != nil {
		return err
	}
	b.log.InfoContext(ctx, "bot follows", "channel", b.channel, "after", after)
	for m, err := range b.table.Follow(ctx, b.channel, after) {
		if err != nil {
			return err
		}
		text, ok := answer(m)
		if !ok {
			continue
		}
		// The id is made from the message's: to answer a second time, after a crash,
		// or because two bots run, makes no second answer.
		err = b.table.PutPublishRequest(ctx, chat.PublishRequest{
			ChannelID: b.channel, Key: "roll " + m.ID, MessageID: "roll " + m.ID, Name: b.name, Content: text,
		})
		if err == nil {
			err = b.setCursor(ctx, m.Seq)
		}
		if err != nil {
			return err
		}
		b.log.InfoContext(ctx, "bot answered", "channel", b.channel, "seq", m.Seq)
	}
	return nil
}

// answer gives what to say to a message, and whether anything. Nothing is said to
// other services, and so not to the bot itself.
func answer(m chat.Message) (string, bool) {
	if m.SenderID == "" || m.Target != 0 || !m.DeletedAt.IsZero() {
		return "", false
	}
	result, ok := roll(html.UnescapeString(m.Content), m.ID)
	return fmt.Sprintf("<b>%s</b> rolls %s", html.EscapeString(m.Name), result), ok
}

// cursorKey is of an item of the bot's own, beside the chat's: up to which message
// it has answered. The chat's stream leaves such items alone.
func (b *bot) cursorKey() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "BOT|dice"},
		"sk": &types.AttributeValueMemberS{Value: "CHANNEL|" + b.channel},
	}
}

// cursor gives the number after which to go on: at first, that of the channel's
// last message.
func (b *bot) cursor(ctx context.Context) (int64, error) {
	out, err := b.table.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(b.table.Name), Key: b.cursorKey(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return 0, fmt.Errorf("read the cursor: %w", err)
	}
	if n, ok := out.Item["seq"].(*types.AttributeValueMemberN); ok {
		return strconv.ParseInt(n.Value, 10, 64)
	}
	seq, err := b.table.LastSeq(ctx, b.channel)
	if err != nil {
		return 0, err
	}
	return seq, b.setCursor(ctx, seq)
}

// setCursor moves the cursor on, never back.
func (b *bot) setCursor(ctx context.Context, seq int64) error {
	item := b.cursorKey()
	n := &types.AttributeValueMemberN{Value: strconv.FormatInt(seq, 10)}
	item["seq"] = n
	_, err := b.table.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(b.table.Name), Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(seq) OR seq < :seq"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":seq": n},
	})
	if _, overtaken := errors.AsType[*types.ConditionalCheckFailedException](err); overtaken {
		return nil
	}
	return err
}
