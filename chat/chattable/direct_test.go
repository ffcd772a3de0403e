package chattable_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

func TestDirects(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.PageSize = 2
	directs := func(user, after string) []chat.Direct {
		t.Helper()
		return collect(t, table.ListDirects(ctx, user, after, 100))
	}
	say := func(from, to string, seq int64) chat.Direct {
		t.Helper()
		m := chat.Message{ChannelID: chat.DirectChannel(from, to), Seq: seq, At: start.Add(time.Duration(seq) * time.Second), User: from, To: to}
		if err := table.PutDirect(ctx, m); err != nil {
			t.Fatal(err)
		}
		return chat.Direct{Peer: to, ChannelID: m.ChannelID, Seq: m.Seq, At: m.At}
	}
	var want []chat.Direct
	for _, peer := range []string{"anna", "a|DIRECT|b", "bert", "carl", "ümit 👋"} {
		want = append(want, say("anna", peer, 1))
	}
	diff(t, "anna's", directs("anna", ""), want)
	diff(t, "anna's after bert", directs("anna", "bert"), want[3:])
	diff(t, "anna's after carla", directs("anna", "carla"), want[4:])
	diff(t, "nobody's", directs("ann", ""), []chat.Direct(nil))

	late := say("bert", "anna", 3)
	late.Peer = "bert"
	say("anna", "bert", 2)
	want[2] = late
	diff(t, "anna's, when a message was overtaken", directs("anna", ""), want)
	late.Peer = "anna"
	diff(t, "bert's", directs("bert", ""), []chat.Direct{late})
	diff(t, "bert's item", plain(get(t, table, "USER|bert", "DIRECT|anna")), map[string]string{
		"pk": "USER|bert", "sk": "DIRECT|anna", "channelId": late.ChannelID, "seq": "3", "at": "2026-03-01T12:00:03.000Z",
	})

	// What a service keeps on the item stays.
	put(t, table, "pk", "USER|bert", "sk", "DIRECT|dora", "read", "7")
	table.Retention = time.Hour
	say("dora", "bert", 1)
	item := plain(get(t, table, "USER|bert", "DIRECT|dora"))
	if item["read"] != "7" || item["ttl"] != unix(start.Add(time.Hour+time.Second)) {
		t.Errorf("bert's item of dora is %v", item)
	}
	table.Now = func() time.Time { return start.Add(2 * time.Hour) }
	diff(t, "bert's after the retention", directs("bert", ""), []chat.Direct{late})
}

// Two users who write at the same time, each twice under one id and from two
// connections: every message is stored once, with a number of its own, under
// both names of the conversation, and both lists end at the last.
func TestConcurrentDirectMessages(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	service := &chat.Service{Store: table, Poster: nowhere{}, Sanitize: func(s string) string { return s }, Limits: chat.Limits{MessagesPerSecond: chat.NoRateLimit}}
	peers := map[string]string{"anna": "bert", "bert": "anna"}
	const messages = 5
	var wg sync.WaitGroup
	for user, peer := range peers {
		for connection := range 2 {
			c := chat.Caller{ConnectionID: fmt.Sprint(user, connection), Identity: chat.Identity{User: user, Name: user}}
			if err := service.Connect(ctx, chat.Connection{ID: c.ConnectionID, ConnectedAt: start, Identity: c.Identity}); err != nil {
				t.Fatal(err)
			}
			for id := range messages {
				wg.Go(func() {
					if _, err := service.Send(ctx, c, chat.Draft{ID: fmt.Sprint(id), To: peer, Content: fmt.Sprint(user, " ", id)}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	wg.Wait()
	channel := chat.DirectChannel("bert", "anna")
	said := map[string]int{}
	last := int64(0)
	for _, m := range collect(t, table.ListMessages(ctx, channel, 0)) {
		said[m.Content]++
		if m.To != peers[m.User] || m.Seq <= last {
			t.Errorf("message %d of %s is to %s, after number %d", m.Seq, m.User, m.To, last)
		}
		last = m.Seq
	}
	if len(said) != 2*messages {
		t.Errorf("%d messages: %v", len(said), said)
	}
	for content, n := range said {
		if n != 1 {
			t.Errorf("%s was stored %d times", content, n)
		}
	}
	for user := range peers {
		if list := collect(t, table.ListDirects(ctx, user, "", 100)); len(list) != 1 || list[0].Seq != last {
			t.Errorf("%s has %v, the last message is %d", user, list, last)
		}
	}
}

// What a delivery to users is and to whom of theirs survives the table.
func TestDeliveriesToUsers(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	want := chat.Delivery{
		ChannelID: "direct:x", Key: "k", Seq: 1, Frame: []byte("{}"), Users: []string{"anna", "bert"}, To: []string{"c1"}, Attempt: 1,
	}
	if err := table.PutDelivery(ctx, want); err != nil {
		t.Fatal(err)
	}
	got, err := table.GetDelivery(ctx, "direct:x", "k")
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "delivery", got, want)
}
