package chattable_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
	"example.com/chatstack/local/dynamo/dynamotest"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newTable makes a table of the test's own, whose clock stands at start.
func newTable(t testing.TB) *chattable.Table {
	t.Helper()
	client := dynamotest.Client(t)
	name := "chat-" + chat.NewID(time.Now())
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk"), attribute("sk"), attribute("subscriber")},
		KeySchema:            keys("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("bySubscriber"), KeySchema: keys("subscriber", "pk"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: aws.String(name)})
		if err != nil {
			t.Error(err)
		}
	})
	table := chattable.New(client, name)
	table.Now = func() time.Time { return start }
	return table
}

// get reads an item as it is.
func get(t testing.TB, table *chattable.Table, pk, sk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := table.Client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(table.Name), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// put writes an item as another service would: pairs of names and texts, or
// whole numbers for ttl and seq.
func put(t testing.TB, table *chattable.Table, pairs ...string) {
	t.Helper()
	i := map[string]types.AttributeValue{}
	for n := 0; n < len(pairs); n += 2 {
		i[pairs[n]] = &types.AttributeValueMemberS{Value: pairs[n+1]}
		if slices.Contains([]string{"ttl", "seq", "slowMode"}, pairs[n]) {
			i[pairs[n]] = &types.AttributeValueMemberN{Value: pairs[n+1]}
		}
	}
	_, err := table.Client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table.Name), Item: i})
	if err != nil {
		t.Fatal(err)
	}
}

// plain gives an item as text, sorted out by cmp.
func plain(i map[string]types.AttributeValue) map[string]string {
	out := map[string]string{}
	for name, v := range i {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[name] = v.Value
		case *types.AttributeValueMemberN:
			out[name] = v.Value
		default:
			out[name] = fmt.Sprintf("%T", v)
		}
	}
	return out
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func diff(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	c := chat.Connection{ID: "R1kmxc2VNjMCFIA=", ConnectedAt: start.Add(123 * time.Millisecond)}
	if err := table.PutConnection(ctx, c); err != nil {
		t.Fatal(err)
	}
	got, err := table.GetConnection(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "connection", got, c)
	diff(t, "item", plain(get(t, table, "CONNECTION|"+c.ID, "META")), map[string]string{
		"pk": "CONNECTION|" + c.ID, "sk": "META",
		"connectedAt": "2026-03-01T12:00:00.123Z", "ttl": unix(start.Add(chattable.ConnectionTTL)),
	})
	for range 2 {
		if err := table.DeleteConnection(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := table.GetConnection(ctx, c.ID); !errors.Is(err, chat.ErrGone) {
			t.Errorf("after its end: %v", err)
		}
	}
	put(t, table, "pk", "CONNECTION|old", "sk", "META", "ttl", unix(start))
	if _, err := table.GetConnection(ctx, "old"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("expired: %v", err)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	t.Run("a second put changes nothing", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		for i := range 2 {
			s := chat.Subscription{ChannelID: "General", ConnectionID: "a=", Since: start.Add(time.Duration(i) * time.Hour)}
			if err := table.PutSubscription(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		diff(t, "item", plain(get(t, table, "CHANNEL|General", "CONNECTION|a=")), map[string]string{
			"pk": "CHANNEL|General", "sk": "CONNECTION|a=", "subscriber": "CONNECTION|a=",
			"since": "2026-03-01T12:00:00.000Z", "ttl": unix(start.Add(chattable.ConnectionTTL)),
		})
	})
	t.Run("paged, from anywhere, without what is no subscription or expired", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		table.PageSize = 3
		var want []string
		for i := range 10 {
			id := fmt.Sprintf("c%02d", i)
			if err := table.PutSubscription(ctx, chat.Subscription{ChannelID: "room", ConnectionID: id, Since: start}); err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
		}
		put(t, table, "pk", "CHANNEL|room", "sk", "CONNECTION|c05x", "ttl", unix(start))
		put(t, table, "pk", "CHANNEL|room", "sk", "CONNECTION|")
		put(t, table, "pk", "CHANNEL|room", "sk", "MESSAGE|00000000000000000001")
		put(t, table, "pk", "CHANNEL|room2", "sk", "CONNECTION|other")
		if _, err := table.NextSeq(ctx, "room"); err != nil {
			t.Fatal(err)
		}
		diff(t, "all", collect(t, table.ListSubscribers(ctx, "room", "", 0)), want)
		diff(t, "after one", collect(t, table.ListSubscribers(ctx, "room", "c03", 0)), want[4:])
		diff(t, "after one that has left", collect(t, table.ListSubscribers(ctx, "room", "c03x", 0)), want[4:])
		diff(t, "after the last", collect(t, table.ListSubscribers(ctx, "room", "c09", 0)), []string(nil))
		diff(t, "of no channel", collect(t, table.ListSubscribers(ctx, "none", "", 0)), []string(nil))
		for _, pageSize := range []int32{3, 0} {
			table.PageSize = pageSize
			diff(t, "a few at a time", collect(t, table.ListSubscribers(ctx, "room", "c01", 4)), want[2:])
		}
		for id, err := range table.ListSubscribers(ctx, "room", "", 0) { // stopping early is no error
			if err != nil || id != "c00" {
				t.Errorf("%s, %v", id, err)
			}
			break
		}
	})
	t.Run("the channels of a connection", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		table.PageSize = 2
		var want []string
		for i := range 5 {
			channelID := fmt.Sprintf("room %d", i)
			if err := table.PutSubscription(ctx, chat.Subscription{ChannelID: channelID, ConnectionID: "a=", Since: start}); err != nil {
				t.Fatal(err)
			}
			want = append(want, channelID)
		}
		if err := table.PutSubscription(ctx, chat.Subscription{ChannelID: "room 9", ConnectionID: "a=b", Since: start}); err != nil {
			t.Fatal(err)
		}
		diff(t, "channels", collect(t, table.ListSubscriptions(ctx, "a=")), want)
		if err := table.DeleteSubscription(ctx, "room 0", "a="); err != nil {
			t.Fatal(err)
		}
		diff(t, "channels", collect(t, table.ListSubscriptions(ctx, "a=")), want[1:])
	})
	t.Run("a key alone is completed", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		put(t, table, "pk", "CHANNEL|VIP", "sk", "CONNECTION|a=")
		s := chat.Subscription{ChannelID: "VIP", ConnectionID: "a=", Since: start}
		for range 2 {
			if err := table.CompleteSubscription(ctx, s); err != nil {
				t.Fatal(err)
			}
			s.Since = s.Since.Add(time.Hour)
		}
		diff(t, "item", plain(get(t, table, "CHANNEL|VIP", "CONNECTION|a=")), map[string]string{
			"pk": "CHANNEL|VIP", "sk": "CONNECTION|a=", "subscriber": "CONNECTION|a=",
			"since": "2026-03-01T12:00:00.000Z", "ttl": unix(start.Add(chattable.ConnectionTTL)),
		})
		diff(t, "channels", collect(t, table.ListSubscriptions(ctx, "a=")), []string{"VIP"})
	})
	t.Run("a wrong subscriber is put right", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		put(t, table, "pk", "CHANNEL|VIP", "sk", "CONNECTION|a=", "subscriber", "CONNECTION|b=")
		if err := table.CompleteSubscription(ctx, chat.Subscription{ChannelID: "VIP", ConnectionID: "a=", Since: start}); err != nil {
			t.Fatal(err)
		}
		diff(t, "channels of a", collect(t, table.ListSubscriptions(ctx, "a=")), []string{"VIP"})
		diff(t, "channels of b", collect(t, table.ListSubscriptions(ctx, "b=")), []string(nil))
	})
	t.Run("one that is gone is not brought back", func(t *testing.T) {
		t.Parallel()
		table := newTable(t)
		err := table.CompleteSubscription(t.Context(), chat.Subscription{ChannelID: "VIP", ConnectionID: "a=", Since: start})
		if err != nil || get(t, table, "CHANNEL|VIP", "CONNECTION|a=") != nil {
			t.Errorf("it is there again, %v", err)
		}
	})
}

// Defect 1 of the 2018 example: one page of 1 MB was read, and the subscribers
// beyond it got nothing.
func TestDefect1SubscribersBeyondOnePageAreRead(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	var want []string
	for i := range 25 { // 2.5 MB
		id := fmt.Sprintf("c%02d", i)
		put(t, table, "pk", "CHANNEL|big", "sk", "CONNECTION|"+id, "note", strings.Repeat("x", 100<<10))
		want = append(want, id)
	}
	diff(t, "subscribers", collect(t, table.ListSubscribers(t.Context(), "big", "", 0)), want)
}

// Defect 2: two messages of one millisecond had one key, and one replaced the
// other.
func TestDefect2MessagesNeverReplaceEachOther(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	m := chat.Message{ChannelID: "General", Seq: 1, ID: "one", At: start, Name: "n", Content: "c"}
	for range 2 { // the same again is the SDK's second attempt
		if err := table.PutMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	m.ID = "two"
	if err := table.PutMessage(ctx, m); err == nil {
		t.Error("another message took the place")
	}
	diff(t, "message", plain(get(t, table, "CHANNEL|General", "MESSAGE|00000000000000000001"))["messageId"], "one")
}

// Defect 8: without a TTL, what a lost $disconnect left behind stayed.
func TestDefect8EverythingThatMustEndHasATTL(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.Retention = time.Hour
	for _, err := range []error{
		table.PutConnection(ctx, chat.Connection{ID: "a=", ConnectedAt: start}),
		table.PutSubscription(ctx, chat.Subscription{ChannelID: "General", ConnectionID: "a=", Since: start}),
		table.PutMessage(ctx, chat.Message{ChannelID: "General", Seq: 1, ID: "i", At: start}),
		table.PutDelivery(ctx, chat.Delivery{ChannelID: "General", Key: "k", Frame: []byte("{}")}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		pk, sk string
		want   time.Time
	}{
		{"CONNECTION|a=", "META", start.Add(2*time.Hour + 10*time.Minute)},
		{"CHANNEL|General", "CONNECTION|a=", start.Add(2*time.Hour + 10*time.Minute)},
		{"CHANNEL|General", "MESSAGE|00000000000000000001", start.Add(time.Hour)},
		{"CHANNEL|General", "DELIVERY|k", start.Add(24 * time.Hour)},
	} {
		diff(t, tt.sk, plain(get(t, table, tt.pk, tt.sk))["ttl"], unix(tt.want))
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.PageSize = 2
	var want []chat.Message
	for i := range int64(5) {
		seq, err := table.NextSeq(ctx, "General")
		if err != nil || seq != i+1 {
			t.Fatalf("NextSeq = %d, %v, want %d", seq, err, i+1)
		}
		m := chat.Message{ChannelID: "General", Seq: seq, ID: fmt.Sprint("id", seq), At: start, SenderID: "a=", Name: "n", Content: "c"}
		if i == 0 {
			m.SenderID = ""
		}
		if err := table.PutMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
	}
	diff(t, "all", collect(t, table.ListMessages(ctx, "General", 0)), want)
	diff(t, "after 3", collect(t, table.ListMessages(ctx, "General", 3)), want[3:])
	diff(t, "kept for ever", plain(get(t, table, "CHANNEL|General", "MESSAGE|00000000000000000005")), map[string]string{
		"pk": "CHANNEL|General", "sk": "MESSAGE|00000000000000000005", "seq": "5", "messageId": "id5",
		"at": "2026-03-01T12:00:00.000Z", "senderId": "a=", "name": "n", "content": "c",
	})
	history := func(r chat.HistoryRange) (seqs []int64) {
		for _, m := range collect(t, table.ListHistory(ctx, "General", r)) {
			seqs = append(seqs, m.Seq)
		}
		return seqs
	}
	put(t, table, "pk", "CHANNEL|General", "sk", "MESSAGE|00000000000000000006", "ttl", unix(start))
	put(t, table, "pk", "CHANNEL|General", "sk", "META2")
	for range 2 { // in pages of PageSize, and in those that follow from the limit
		diff(t, "latest", history(chat.HistoryRange{NewestFirst: true, Limit: 1}), []int64{5, 4, 3, 2, 1})
		diff(t, "before 4", history(chat.HistoryRange{Before: 4, NewestFirst: true, Limit: 2}), []int64{3, 2, 1})
		diff(t, "between", history(chat.HistoryRange{After: 1, Before: 4}), []int64{2, 3})
		diff(t, "nothing between", history(chat.HistoryRange{After: 3, Before: 4}), []int64(nil))
		diff(t, "nothing before", history(chat.HistoryRange{Before: 1}), []int64(nil))
		diff(t, "nothing after", history(chat.HistoryRange{After: chat.MaxSeq}), []int64(nil))
		table.PageSize = 0
	}
	diff(t, "without the expired", len(collect(t, table.ListMessages(ctx, "General", 0))), 5)
}

func TestChannels(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	for range 2 {
		if seq, err := table.OpenChannel(ctx, "General"); err != nil || seq != 0 {
			t.Fatalf("OpenChannel = %d, %v", seq, err)
		}
	}
	diff(t, "item", plain(get(t, table, "CHANNEL|General", "META")), map[string]string{
		"pk": "CHANNEL|General", "sk": "META", "seq": "0", "createdAt": "2026-03-01T12:00:00.000Z",
	})
	table.Now = func() time.Time { return start.Add(time.Hour) }
	if seq, err := table.NextSeq(ctx, "General"); err != nil || seq != 1 {
		t.Errorf("NextSeq = %d, %v", seq, err)
	}
	if seq, err := table.OpenChannel(ctx, "General"); err != nil || seq != 1 {
		t.Errorf("OpenChannel = %d, %v", seq, err)
	}
	diff(t, "createdAt", plain(get(t, table, "CHANNEL|General", "META"))["createdAt"], "2026-03-01T12:00:00.000Z")
}
