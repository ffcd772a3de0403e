package chattable_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
		"grant", "kick", "member", "message", "message", "mute", "rate", "rate", "revision", "sent", "subscription",
	})
}

// An erased user is in no item any more; others are in all of theirs, and messages
// keep their places.
func TestEraseUserLeavesNothing(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	fill(t, table, "anna")
	before := items(t, table)
	fill(t, table, "bert")
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	wg.Go(func() { deal(ctx, t, table) })
	report, err := table.EraseUser(ctx, "bert")
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "report", report, chattable.Report{Left: map[string]int{}, Removed: map[string]int{
		"ban": 1, "ban imposed": 1, "connection": 1, "conversation": 2, "direct message": 2, "grant": 1, "message": 2, "mute": 1, "rate": 2,
		"revision": 1, "sent": 1,
	}})
	diff(t, "export", collect(t, table.ExportUser(ctx, "bert")), []chattable.UserItem(nil))
	for _, was := range before {
		texts := plain(was)
		if texts["sk"] == "META" && texts["pk"] == "CHANNEL|General" || texts["sk"] == "COUNT" {
			continue
		}
		diff(t, "anna's", plain(get(t, table, texts["pk"], texts["sk"])), texts)
	}
	if members, err := table.CountMembers(ctx, "General"); err != nil || members != 1 {
		t.Errorf("%d members, %v", members, err)
	}
	places := map[int64]bool{}
	for m, err := range table.ListHistory(ctx, "General", chat.HistoryRange{After: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		places[m.Seq] = true
		if m.Target == 0 && m.ID != "a" && (m.DeletedAt.IsZero() || m.Name != "" || m.Content != "" || m.SenderID != "") {
			t.Errorf("of a message, there is still %+v", m)
		}
	}
	diff(t, "places", places, map[int64]bool{5: true, 6: true, 7: true, 8: true, 9: true, 10: true})
	if again, err := table.EraseUser(ctx, "bert"); err != nil || len(again.Removed)+len(again.Left) > 0 {
		t.Errorf("again: %v, %v", again, err)
	}
	cancel()
}

// items gives all of a table.
func items(t testing.TB, table *chattable.Table) []map[string]types.AttributeValue {
	t.Helper()
	out, err := table.Client.Scan(context.WithoutCancel(t.Context()), &dynamodb.ScanInput{TableName: aws.String(table.Name), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Error(err)
		return nil
	}
	return out.Items
}

// deal does what the stream would have the chat do, until ctx ends.
func deal(ctx context.Context, t *testing.T, table *chattable.Table) {
	service := &chat.Service{Store: table, Poster: nobody{}, Sanitize: func(s string) string { return s }, Now: table.Now}
	for ctx.Err() == nil {
		for _, i := range items(t, table) {
			texts := plain(i)
			var change chat.Change
			channelID := strings.TrimPrefix(texts["pk"], "CHANNEL|")
			if user, ok := strings.CutPrefix(texts["pk"], "KICK|"); ok && user != "anna" {
				change = chat.SanctionChanged{Sanction: chat.Sanction{Kind: chat.Kicked, User: user}, WrittenAt: start}
			} else if seq, ok := strings.CutPrefix(texts["sk"], "DELETE|"); ok {
				change = chat.DeleteRequest{ChannelID: channelID, Key: seq}
			} else if user, ok := strings.CutPrefix(texts["sk"], "MEMBER|USER|"); ok {
				change = chat.Left{Subscription: chat.Subscription{ChannelID: channelID, ConnectionID: "connection of " + user, User: user}}
				if get(t, table, texts["pk"], "CONNECTION|connection of "+user) != nil {
					continue
				}
			} else {
				continue
			}
			if err := service.Apply(ctx, change); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}
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
	put(t, table, "pk", "SENDER|slow|General|5s|"+sender, "sk", "RATE")
	direct := "direct:" + user
	for range 2 {
		if _, err := table.NextSeq(ctx, direct); err != nil {
			t.Fatal(err)
		}
	}
	put(t, table, "pk", "CHANNEL|"+direct, "sk", "MESSAGE|00000000000000000001", "seq", "1", "user", user, "to", "peer", "messageId", "d")
	put(t, table, "pk", "CHANNEL|"+direct, "sk", "MESSAGE|00000000000000000002", "seq", "2", "user", "peer", "to", user, "messageId", "d")
	put(t, table, "pk", "USER|"+user, "sk", "DIRECT|peer", "channelId", direct)
	put(t, table, "pk", "USER|peer", "sk", "DIRECT|"+user, "channelId", direct)
	for _, kind := range []string{"BAN", "MUTE", "KICK", "GRANT"} {
		put(t, table, "pk", kind+"|"+user, "sk", "*")
	}
	put(t, table, "pk", "BAN|someone", "sk", "CHANNEL|of "+user, "by", user)
	put(t, table, "pk", "POLL|lunch", "sk", "VOTE|"+user, "user", user) // another service's
}
