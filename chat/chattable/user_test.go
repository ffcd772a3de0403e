package chattable_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// The export has every item that names a user, and no other.
func TestExportUserFindsAll(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.PageSize = 3 // pages may be empty
	fill(t, table, "anna")
	fill(t, table, "ann") // whose keys begin alike
	var kinds []string
	for i, err := range table.ExportUser(ctx, "anna") {
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(i)
		if err != nil || !strings.Contains(string(line), "anna") {
			t.Errorf("%s, %v", line, err)
		}
		kinds = append(kinds, i.Kind)
	}
	slices.Sort(kinds)
	diff(t, "kinds", kinds, []string{
		"ban", "ban imposed", "connection", "conversation", "conversation", "device", "direct message", "direct message",
		"grant", "kick", "member", "message", "message", "mute", "rate", "revision", "sent", "subscription",
	})
}

// fill writes one item of each kind for a user, and some that are of nobody.
func fill(t *testing.T, table *chattable.Table, user string) {
	t.Helper()
	ctx := t.Context()
	identity := chat.Identity{User: user, Name: "Name of " + user}
	c := chat.Connection{ID: "connection of " + user, ConnectedAt: start, Identity: identity}
	sub := chat.Subscription{ChannelID: "General", ConnectionID: c.ID, User: user, Name: identity.Name, Since: start}
	said := chat.Message{ChannelID: "General", ID: user + "'s", At: start, User: user, Name: identity.Name, Content: "c", SenderID: c.ID}
	edited, anonymous := said, chat.Message{ChannelID: "General", ID: "a", At: start, Name: user, Content: user}
	for _, m := range []*chat.Message{&said, &edited, &anonymous} {
		var err error
		if m.Seq, err = table.NextSeq(ctx, "General"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if edited.EditSeq, err = table.NextSeq(ctx, "General"); err != nil {
		t.Fatal(err)
	}
	revision := chat.Message{ChannelID: "General", Seq: edited.EditSeq, Target: edited.Seq, ID: edited.ID, At: start, User: user}
	_, errMember := table.UpdateMember(ctx, sub) // before there is a subscription
	for _, err := range []error{
		errMember,
		table.PutConnection(ctx, c), table.PutSubscription(ctx, sub),
		table.PutMessage(ctx, said), table.PutMessage(ctx, edited), table.PutMessage(ctx, anonymous),
		table.PutRevision(ctx, edited, revision),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := table.UpdateMember(ctx, sub); err != nil {
		t.Fatal(err)
	}
	sender := chat.UserSender(user)
	if _, err := table.PutSent(ctx, chat.Sent{Sender: sender, ID: "1", ChannelID: "General", MessageID: user, At: start}); err != nil {
		t.Fatal(err)
	}
	put(t, table, "pk", "SENDER|"+sender, "sk", "RATE")
	direct := "direct:" + user
	put(t, table, "pk", "CHANNEL|"+direct, "sk", "MESSAGE|00000000000000000001", "user", user, "to", "peer", "messageId", "d")
	put(t, table, "pk", "CHANNEL|"+direct, "sk", "MESSAGE|00000000000000000002", "user", "peer", "to", user, "messageId", "d")
	put(t, table, "pk", "USER|"+user, "sk", "DIRECT|peer", "channelId", direct)
	put(t, table, "pk", "USER|peer", "sk", "DIRECT|"+user, "channelId", direct)
	for _, kind := range []string{"BAN", "MUTE", "KICK", "GRANT"} {
		put(t, table, "pk", kind+"|"+user, "sk", "*")
	}
	put(t, table, "pk", "BAN|someone", "sk", "CHANNEL|of "+user, "by", user)
	put(t, table, "pk", "POLL|lunch", "sk", "VOTE|"+user, "user", user) // another service's
}
