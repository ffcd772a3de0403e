package chattable

import (
	"context"

	"example.com/chatstack/chat"
)

// GetSent gives what is remembered of a message by its sender's id for it, or
// an error that wraps [chat.ErrGone].
func (t *Table) GetSent(ctx context.Context, sender, id string) (chat.Sent, error) {
	i, err := t.get(ctx, sentKey(sender, id))
	if err != nil {
		return chat.Sent{}, err
	}
	return sentOf(sender, id, i), nil
}

// PutSent remembers a message by its sender's id for it, until chat.SentFor
// after it was sent. It gives what is remembered, which is the first.
func (t *Table) PutSent(ctx context.Context, s chat.Sent) (chat.Sent, error) {
	existing, err := t.put(ctx, sentItem(s), ifAbsentOrExpired)
	if err != nil || existing == nil {
		return s, err
	}
	return sentOf(s.Sender, s.ID, existing), nil
}

func sentItem(s chat.Sent) item {
	i := sentKey(s.Sender, s.ID)
	i["channelId"] = text(s.ChannelID)
	i["seq"] = number(s.Seq)
	i["messageId"] = text(s.MessageID)
	i["at"] = timestamp(s.At)
	i["digest"] = text(s.Digest)
	i["ttl"] = expiry(s.At.Add(chat.SentFor))
	return i
}

func sentOf(sender, id string, i item) chat.Sent {
	return chat.Sent{
		Sender: sender, ID: id, ChannelID: textOf(i, "channelId"), Seq: numberOf(i, "seq"),
		MessageID: textOf(i, "messageId"), At: timeOf(i, "at"), Digest: textOf(i, "digest"),
	}
}
