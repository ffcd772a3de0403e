package chattable

import (
	"context"

	"example.com/chatstack/chat"
)

// PutConnection stores a connection until it is deleted or ConnectionTTL after
// it was made.
func (t *Table) PutConnection(ctx context.Context, c chat.Connection) error {
	i := connectionKey(c.ID)
	i["connectedAt"] = timestamp(c.ConnectedAt)
	i["ttl"] = expiry(c.ConnectedAt.Add(ConnectionTTL))
	_, err := t.put(ctx, i, "")
	return err
}

// GetConnection gives a connection, or an error that wraps [chat.ErrGone].
func (t *Table) GetConnection(ctx context.Context, connectionID string) (chat.Connection, error) {
	i, err := t.get(ctx, connectionKey(connectionID))
	if err != nil {
		return chat.Connection{}, err
	}
	return chat.Connection{ID: connectionID, ConnectedAt: timeOf(i, "connectedAt")}, nil
}

// DeleteConnection deletes a connection; there need be none. It does not close
// the WebSocket; its subscriptions end with it.
func (t *Table) DeleteConnection(ctx context.Context, connectionID string) error {
	return t.delete(ctx, connectionKey(connectionID))
}
