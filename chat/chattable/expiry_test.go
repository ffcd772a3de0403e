package chattable_test

import (
	"fmt"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

func TestExpiriesAreListedByTheirMinute(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.PageSize = 2
	var want []chat.Expiry
	for i := range 5 {
		want = append(want, chat.Expiry{ConnectionID: fmt.Sprintf("c%d=", i), At: start.Add(time.Duration(i*14) * time.Second)})
	}
	next := chat.Expiry{ConnectionID: "next=", At: start.Add(time.Minute)}
	for _, e := range append(want, next, next) { // once more changes nothing
		if err := table.PutExpiry(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, "of a minute", collect(t, table.ListExpiries(ctx, start.Add(59*time.Second))), want)
	diff(t, "of the next", collect(t, table.ListExpiries(ctx, start.Add(time.Minute))), []chat.Expiry{next})
	for range 2 {
		if err := table.DeleteExpiry(ctx, next); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, "once deleted", collect(t, table.ListExpiries(ctx, start.Add(time.Minute))), []chat.Expiry(nil))
}

// The item is as docs/table.md has it.
func TestExpiryItem(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	at := time.Date(2026, 11, 23, 2, 5, 9, 0, time.FixedZone("", 3600))
	if err := table.PutExpiry(t.Context(), chat.Expiry{ConnectionID: "a=", At: at}); err != nil {
		t.Fatal(err)
	}
	diff(t, "item", plain(get(t, table, "EXPIRY|2026-11-23T01:05Z", "CONNECTION|a=")), map[string]string{
		"pk": "EXPIRY|2026-11-23T01:05Z", "sk": "CONNECTION|a=",
		"expiresAt": fmt.Sprint(at.Unix()), "ttl": fmt.Sprint(at.Add(130 * time.Minute).Unix()),
	})
}

// A device whose token has expired is none: nothing is sent to it any more.
func TestDevicesEndWithTheirTokens(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	clock := start
	table.Now = func() time.Time { return clock }
	for id, expiresAt := range map[string]time.Time{"a=": start.Add(time.Hour), "b=": start.Add(24 * time.Hour), "c=": {}} {
		c := chat.Connection{ID: id, ConnectedAt: start, Identity: chat.Identity{User: "ada", ExpiresAt: expiresAt}}
		if err := table.PutConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, "before", collect(t, table.ListDevices(ctx, "ada")), []string{"a=", "b=", "c="})
	clock = start.Add(time.Hour)
	diff(t, "at the expiry", collect(t, table.ListDevices(ctx, "ada")), []string{"b=", "c="})
}
