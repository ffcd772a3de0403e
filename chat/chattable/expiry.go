package chattable

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// ExpiryTTL is how long after its time an expiry is kept: longer than the
// connection that it is to end can last.
const ExpiryTTL = ConnectionTTL

// minuteForm names the partition of the connections that end within a minute.
const minuteForm = "2006-01-02T15:04Z"

func expiryKey(e chat.Expiry) item {
	return key(expiryPartition(e.At), connectionPrefix+e.ConnectionID)
}

func expiryPartition(t time.Time) string { return expiryPrefix + t.UTC().Format(minuteForm) }

// lastsUntil gives the ttl of what belongs to a connection: it ends with what
// allows it, zero for no sooner than the connection.
func lastsUntil(since, until time.Time) types.AttributeValue {
	end := since.Add(ConnectionTTL)
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	return expiry(end)
}

// PutExpiry stores when a connection ends because its token does.
func (t *Table) PutExpiry(ctx context.Context, e chat.Expiry) error {
	i := expiryKey(e)
	i["expiresAt"] = expiry(e.At)
	i["ttl"] = expiry(e.At.Add(ExpiryTTL))
	_, err := t.put(ctx, i, "")
	return err
}

// ListExpiries gives the connections whose tokens expire in the minute that
// minute is in, sorted by their ids.
func (t *Table) ListExpiries(ctx context.Context, minute time.Time) iter.Seq2[chat.Expiry, error] {
	return func(yield func(chat.Expiry, error) bool) {
		for i, err := range t.query(ctx, t.itemsUnder(expiryPartition(minute), connectionPrefix)) {
			if err != nil {
				yield(chat.Expiry{}, err)
				return
			}
			if id, ok := suffix(textOf(i, "sk"), connectionPrefix); ok &&
				!yield(chat.Expiry{ConnectionID: id, At: time.Unix(numberOf(i, "expiresAt"), 0).UTC()}, nil) {
				return
			}
		}
	}
}

// DeleteExpiry deletes an expiry; there need be none.
func (t *Table) DeleteExpiry(ctx context.Context, e chat.Expiry) error {
	return t.delete(ctx, expiryKey(e))
}
