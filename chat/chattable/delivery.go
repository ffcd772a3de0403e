package chattable

import (
	"context"

	"example.com/chatstack/chat"
)

// PutDelivery stores what is still to be delivered; the stream goes on with it.
func (t *Table) PutDelivery(ctx context.Context, d chat.Delivery) error {
	_, err := t.put(ctx, t.deliveryItem(d), "")
	return err
}

// GetDelivery gives a delivery that is not finished, or an error that wraps
// [chat.ErrGone].
func (t *Table) GetDelivery(ctx context.Context, channelID, unique string) (chat.Delivery, error) {
	i, err := t.get(ctx, deliveryKey(channelID, unique))
	if err != nil {
		return chat.Delivery{}, err
	}
	return deliveryOf(channelID, unique, i), nil
}

// DeleteDelivery deletes a delivery; there need be none.
func (t *Table) DeleteDelivery(ctx context.Context, channelID, unique string) error {
	return t.delete(ctx, deliveryKey(channelID, unique))
}

func (t *Table) deliveryItem(d chat.Delivery) item {
	i := deliveryKey(d.ChannelID, d.Key)
	i["seq"] = number(d.Seq)
	i["frame"] = text(string(d.Frame))
	i["attempt"] = number(int64(d.Attempt))
	i["ttl"] = expiry(t.now().Add(DeliveryTTL))
	if d.Late {
		i["late"] = number(1)
	}
	if d.After != "" {
		i["after"] = text(d.After)
	}
	setTexts(i, "users", d.Users)
	setTexts(i, "to", d.To)
	return i
}

func deliveryOf(channelID, unique string, i item) chat.Delivery {
	return chat.Delivery{
		ChannelID: channelID, Key: unique, Seq: numberOf(i, "seq"), Frame: []byte(textOf(i, "frame")),
		After: textOf(i, "after"), Attempt: int(numberOf(i, "attempt")), Late: numberOf(i, "late") != 0,
		Users: textsOf(i, "users"), To: textsOf(i, "to"),
	}
}
