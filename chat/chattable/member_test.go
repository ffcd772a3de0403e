package chattable_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// Whoever joins and leaves, and however often, late and at once the stream says
// so: when all is quiet, the members of a channel are the users of its
// subscriptions, each with all its connections, and their number is the count.
func TestMembersAreWhoIsSubscribed(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		channelID := fmt.Sprint("round ", round)
		connections := map[string]string{"a1": "ann", "a2": "ann", "a3": "ann", "b1": "bob", "x1": "", "x2": ""}
		of := func(id string) chat.Subscription {
			return chat.Subscription{ChannelID: channelID, ConnectionID: id, User: connections[id], Name: connections[id], Since: start}
		}
		ids := rapid.SampledFrom(slices.Sorted(func(yield func(string) bool) {
			for id := range connections {
				if !yield(id) {
					return
				}
			}
		}))
		in := map[string]bool{}
		var records []string
		for range rapid.IntRange(1, 12).Draw(rt, "changes") {
			id := ids.Draw(rt, "connection")
			records = append(records, id)
			var err error
			if in[id] = rapid.Bool().Draw(rt, "join"); in[id] {
				err = table.PutSubscription(t.Context(), of(id))
			} else {
				err = table.DeleteSubscription(t.Context(), channelID, id)
			}
			if err != nil {
				rt.Fatal(err)
			}
			// Records come later, more than once, and several at a time.
			var wg sync.WaitGroup
			for _, id := range records[rapid.IntRange(0, len(records)-1).Draw(rt, "from"):] {
				wg.Go(func() {
					if _, err := table.UpdateMember(t.Context(), of(id)); err != nil && !errors.Is(err, chat.ErrChanged) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		for _, id := range records {
			if _, err := table.UpdateMember(t.Context(), of(id)); err != nil {
				rt.Fatal(err)
			}
		}

		want := map[string][]string{}
		for id, joined := range in {
			if joined && connections[id] == "" {
				want["CONNECTION|"+id] = []string{id}
			} else if joined {
				user := "USER|" + connections[id]
				want[user] = slices.Sorted(slices.Values(append(want[user], id)))
			}
		}
		got := map[string][]string{}
		for _, m := range collect(t, table.ListMembers(t.Context(), channelID, "", 2)) {
			got[m.Cursor] = slices.Sorted(slices.Values(m.Connections))
		}
		diff(t, "members", got, want)
		if count, err := table.CountMembers(t.Context(), channelID); err != nil || count != len(want) {
			rt.Fatalf("count %d, %v, want %d", count, err, len(want))
		}
	})
}

// A member or a count that another service has spoiled is put right, and keeps
// nobody from coming and going.
func TestSpoiledMembersAreReplaced(t *testing.T) {
	t.Parallel()
	list := &types.AttributeValueMemberL{Value: []types.AttributeValue{
		&types.AttributeValueMemberS{Value: "old"}, &types.AttributeValueMemberS{Value: "a1"},
	}}
	for name, spoiled := range map[string]map[string]types.AttributeValue{
		"no connections":     {"sk": &types.AttributeValueMemberS{Value: "MEMBER|USER|ann"}},
		"a text":             {"sk": &types.AttributeValueMemberS{Value: "MEMBER|USER|ann"}, "connections": &types.AttributeValueMemberS{Value: "a1"}},
		"a list":             {"sk": &types.AttributeValueMemberS{Value: "MEMBER|USER|ann"}, "connections": list},
		"a count in letters": {"sk": &types.AttributeValueMemberS{Value: "COUNT"}, "members": &types.AttributeValueMemberS{Value: "many"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, ctx := newTable(t), t.Context()
			spoiled["pk"] = &types.AttributeValueMemberS{Value: "CHANNEL|General"}
			if _, err := table.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table.Name), Item: spoiled}); err != nil {
				t.Fatal(err)
			}
			diff(t, "members before", len(collect(t, table.ListMembers(ctx, "General", "", 9))), 0)
			sub := chat.Subscription{ChannelID: "General", ConnectionID: "a1", User: "ann", Name: "Ann", Since: start}
			if _, err := table.UpdateMember(ctx, sub); err != nil { // a leave that comes late
				t.Errorf("before: %v", err)
			}
			if err := table.PutSubscription(ctx, sub); err != nil {
				t.Fatal(err)
			}
			if count, err := table.UpdateMember(ctx, sub); err != nil || count != 1 {
				t.Errorf("after the join: %d, %v", count, err)
			}
			if err := table.DeleteSubscription(ctx, "General", "a1"); err != nil {
				t.Fatal(err)
			}
			if count, err := table.UpdateMember(ctx, sub); err != nil || count != 0 {
				t.Errorf("after the leave: %d, %v", count, err)
			}
			diff(t, "members", len(collect(t, table.ListMembers(ctx, "General", "", 9))), 0)
		})
	}
}

// A subscription that another service wrote for somebody else than its
// connection's user is put right, so that its end is not that of another member.
func TestACompletedSubscriptionIsItsConnections(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	put(t, table, "pk", "CHANNEL|General", "sk", "CONNECTION|x1", "user", "bob", "name", "Bob")
	if err := table.CompleteSubscription(ctx, chat.Subscription{ChannelID: "General", ConnectionID: "x1", Since: start}); err != nil {
		t.Fatal(err)
	}
	sub, err := table.GetSubscription(ctx, "General", "x1")
	if err != nil || sub.User != "" || sub.Name != "" {
		t.Errorf("%+v, %v", sub, err)
	}
}

// What holds for a user is what has not expired, of the channel and of
// everywhere, and everywhere counts more.
func TestRulesAreThoseInForce(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	at := func(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }
	for _, i := range [][]string{
		{"BAN|ann", "CHANNEL|General", "ttl", at(time.Hour), "reason", "spam", "by", "mod"},
		{"BAN|ann", "CHANNEL|Other"},
		{"BAN|old", "*", "ttl", at(-time.Second)},
		{"BAN|both", "*", "reason", "all"},
		{"BAN|both", "CHANNEL|General", "reason", "one"},
		{"MUTE|ann", "*"},
		{"GRANT|ann", "CHANNEL|private:a", "rights", "read", "ttl", at(time.Minute)},
		{"GRANT|ann", "*", "rights", "write", "ttl", at(time.Hour)},
		{"GRANT|bob", "CHANNEL|private:a"},
		{"GRANT|odd", "CHANNEL|private:a", "rights", "admin"},
		{"CHANNEL|General", "SETTINGS", "slowMode", "30"},
	} {
		put(t, table, append([]string{"pk", i[0], "sk", i[1]}, i[2:]...)...)
	}
	ban := &chat.Sanction{Kind: chat.Banned, User: "ann", ChannelID: "General", Until: start.Add(time.Hour), Reason: "spam", By: "mod"}
	for _, tt := range []struct {
		user, channelID string
		want            chat.Rules
	}{
		{"ann", "General", chat.Rules{
			Ban: ban, Mute: &chat.Sanction{Kind: chat.Muted, User: "ann"}, SlowMode: 30 * time.Second,
		}},
		{"ann", "private:a", chat.Rules{
			Mute: &chat.Sanction{Kind: chat.Muted, User: "ann"}, Grant: chat.MayRead | chat.MayWrite, GrantUntil: start.Add(time.Minute),
		}},
		{"ann", "", chat.Rules{Mute: &chat.Sanction{Kind: chat.Muted, User: "ann"}}},
		{"old", "General", chat.Rules{SlowMode: 30 * time.Second}},
		{"both", "General", chat.Rules{Ban: &chat.Sanction{Kind: chat.Banned, User: "both", Reason: "all"}, SlowMode: 30 * time.Second}},
		{"bob", "private:a", chat.Rules{Grant: chat.MayRead | chat.MayWrite}},
		{"odd", "private:a", chat.Rules{}},
		{"", "General", chat.Rules{SlowMode: 30 * time.Second}},
		{"", "None", chat.Rules{}},
		{"nobody", "", chat.Rules{}},
	} {
		got, err := table.GetRules(ctx, tt.user, tt.channelID)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, tt.user+" in "+tt.channelID, got, tt.want)
	}
}

// The connections of a user are known as long as they are there.
func TestDevicesAreTheConnectionsOfAUser(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	identity := chat.Identity{User: "auth0|ann", Name: "Ann", Channels: []string{"private:*"}, ExpiresAt: start.Add(time.Hour)}
	devices := func() []string { return collect(t, table.ListDevices(ctx, identity.User)) }
	for _, id := range []string{"a1=", "a2="} {
		c := chat.Connection{ID: id, ConnectedAt: start, Identity: identity}
		if err := table.PutConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
		got, err := table.GetConnection(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "connection", got, c)
	}
	if err := table.PutConnection(ctx, chat.Connection{ID: "b=", ConnectedAt: start}); err != nil {
		t.Fatal(err)
	}
	diff(t, "devices", devices(), []string{"a1=", "a2="})
	if err := table.DeleteConnection(ctx, "a1="); err != nil {
		t.Fatal(err)
	}
	diff(t, "devices", devices(), []string{"a2="})
	table.Now = func() time.Time { return start.Add(chattable.ConnectionTTL) }
	diff(t, "devices", devices(), []string(nil))
}

// A subscription ends when what allows it does, and lasts longer once that does.
func TestASubscriptionEndsWithItsGrant(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	subscribed := func(until time.Duration, now time.Duration) []string {
		t.Helper()
		s := chat.Subscription{ChannelID: "private:a", ConnectionID: "a=", Since: start}
		if until > 0 {
			s.Until = start.Add(until)
		}
		if err := table.PutSubscription(ctx, s); err != nil {
			t.Fatal(err)
		}
		table.Now = func() time.Time { return start.Add(now) }
		return collect(t, table.ListSubscribers(ctx, "private:a", "", 0))
	}
	diff(t, "before its end", subscribed(time.Minute, 59*time.Second), []string{"a="})
	diff(t, "at its end", subscribed(time.Minute, time.Minute), []string(nil))
	diff(t, "with a longer grant", subscribed(time.Hour, time.Minute), []string{"a="})
	diff(t, "with a shorter one", subscribed(time.Minute, 59*time.Minute), []string{"a="})
	diff(t, "with one for good", subscribed(0, 2*time.Hour), []string{"a="})
}

// The reason why a subscription was ended is what the stream's record has.
func TestEndSubscriptionLeavesNothing(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	for range 2 { // the second finds nothing, and makes nothing
		if err := table.EndSubscription(ctx, "room", "a=", chat.ReasonBanned); err != nil {
			t.Fatal(err)
		}
		diff(t, "subscribers", collect(t, table.ListSubscribers(ctx, "room", "", 0)), []string(nil))
		if err := table.PutSubscription(ctx, chat.Subscription{ChannelID: "room", ConnectionID: "b=", Since: start}); err != nil {
			t.Fatal(err)
		}
		if err := table.EndSubscription(ctx, "room", "b=", chat.ReasonKicked); err != nil {
			t.Fatal(err)
		}
	}
}
