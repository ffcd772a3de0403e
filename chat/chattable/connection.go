package chattable

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/chat"
)

// PutConnection stores a connection until it is deleted or ConnectionTTL after
// it was made, and then that it is one of its user's devices: a device without
// a connection would be deleted by the first post to it.
func (t *Table) PutConnection(ctx context.Context, c chat.Connection) error {
	i := connectionKey(c.ID)
	i["connectedAt"] = timestamp(c.ConnectedAt)
	i["ttl"] = lastsUntil(c.ConnectedAt, time.Time{})
	setText(i, "user", c.User)
	setText(i, "name", c.Name)
	setTexts(i, "grants", c.Channels)
	setTexts(i, "moderates", c.Moderates)
	if !c.ExpiresAt.IsZero() {
		i["expiresAt"] = timestamp(c.ExpiresAt)
	}
	if _, err := t.put(ctx, i, ""); err != nil || c.User == "" {
		return err
	}
	device := deviceKey(c.User, c.ID)
	device["connectedAt"] = timestamp(c.ConnectedAt)
	device["ttl"] = lastsUntil(c.ConnectedAt, c.ExpiresAt) // nothing is sent to it then
	_, err := t.put(ctx, device, "")
	return err
}

// GetConnection gives a connection, or an error that wraps [chat.ErrGone].
func (t *Table) GetConnection(ctx context.Context, connectionID string) (chat.Connection, error) {
	i, err := t.get(ctx, connectionKey(connectionID))
	if err != nil {
		return chat.Connection{}, err
	}
	return chat.Connection{
		ID: connectionID, ConnectedAt: timeOf(i, "connectedAt"),
		Identity: chat.Identity{
			User: textOf(i, "user"), Name: textOf(i, "name"), Channels: textsOf(i, "grants"), Moderates: textsOf(i, "moderates"),
			ExpiresAt: timeOf(i, "expiresAt"),
		},
	}, nil
}

// DeleteConnection deletes a connection; there need be none. It does not close
// the WebSocket; its subscriptions end with it.
func (t *Table) DeleteConnection(ctx context.Context, connectionID string) error {
	key := connectionKey(connectionID)
	out, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(t.Name), Key: key, ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return wrap("delete", key, err)
	}
	if user := textOf(out.Attributes, "user"); user != "" {
		return t.DeleteDevice(ctx, user, connectionID)
	}
	return nil
}

// ListDevices gives the connections of a user, sorted.
func (t *Table) ListDevices(ctx context.Context, user string) iter.Seq2[string, error] {
	return t.list(ctx, t.itemsUnder(userPrefix+user, connectionPrefix), "sk", connectionPrefix)
}

// DeleteDevice makes a connection none of its user's any more; the connection
// itself stays as it is.
func (t *Table) DeleteDevice(ctx context.Context, user, connectionID string) error {
	return t.delete(ctx, deviceKey(user, connectionID))
}
