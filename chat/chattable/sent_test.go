package chattable_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
)

func TestSent(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	s := chat.Sent{Sender: "connection|a=", ID: "7", Digest: "d", ChannelID: "General", Seq: 1, MessageID: "m", At: start}
	if _, err := table.GetSent(ctx, s.Sender, s.ID); !errors.Is(err, chat.ErrGone) {
		t.Errorf("before: %v", err)
	}
	other := s
	other.Seq, other.MessageID = 2, "n"
	for _, put := range []chat.Sent{s, other} {
		if kept, err := table.PutSent(ctx, put); err != nil || !cmp.Equal(kept, s) {
			t.Errorf("kept %+v, %v", kept, err)
		}
	}
	if kept, err := table.GetSent(ctx, s.Sender, s.ID); err != nil || !cmp.Equal(kept, s) {
		t.Errorf("kept %+v, %v", kept, err)
	}
	diff(t, "item", plain(get(t, table, "SENDER|connection|a=", "SENT|7")), map[string]string{
		"pk": "SENDER|connection|a=", "sk": "SENT|7", "channelId": "General", "seq": "1", "messageId": "m",
		"at": "2026-03-01T12:00:00.000Z", "digest": "d", "ttl": unix(start.Add(chat.SentFor)),
	})
	// Expired, also if DynamoDB has not deleted it yet.
	other.At = start.Add(chat.SentFor)
	table.Now = func() time.Time { return other.At }
	if _, err := table.GetSent(ctx, s.Sender, s.ID); !errors.Is(err, chat.ErrGone) {
		t.Errorf("expired: %v", err)
	}
	if kept, err := table.PutSent(ctx, other); err != nil || !cmp.Equal(kept, other) {
		t.Errorf("in the place of the expired: %+v, %v", kept, err)
	}
}

func TestPublishedIsRemembered(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	s := chat.Sent{Sender: "service|General", ID: "m", ChannelID: "General", MessageID: "m", At: start}
	for i := range 2 {
		n := int64(i + 1)
		r := chat.PublishRequest{ChannelID: "General", Key: fmt.Sprint(i), Name: "bot", Content: "x", MessageID: "m"}
		if err := table.PutPublishRequest(ctx, r); err != nil {
			t.Fatal(err)
		}
		m := chat.Message{ChannelID: "General", Seq: n, ID: "m", At: start, Name: "bot", Content: "x"}
		s.Seq = n
		err := table.PutPublished(ctx, r, m, chat.Delivery{ChannelID: "General", Key: fmt.Sprint(i), Frame: []byte("{}")}, s)
		if first := i == 0; first != (err == nil) || errors.Is(err, chat.ErrGone) {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	diff(t, "messages", len(collect(t, table.ListMessages(ctx, "General", 0))), 1)
}

// Copies of one frame that are served at once, as after a client's retry, are
// one message with one ack.
func TestConcurrentCopiesAreOneMessage(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	service := &chat.Service{Store: table, Poster: nowhere{}, Sanitize: func(s string) string { return s }}
	for round := range 10 {
		channelID := fmt.Sprint("room ", round)
		var wg sync.WaitGroup
		got := make([]chat.Message, 4)
		for i := range got {
			wg.Go(func() {
				m, err := service.Send(t.Context(), chat.Caller{ConnectionID: fmt.Sprint("c", round)}, chat.Draft{ID: "id", ChannelID: channelID, Name: "n", Content: "x"})
				if err != nil {
					t.Error(err)
				}
				got[i] = m
			})
		}
		wg.Wait()
		stored := collect(t, table.ListMessages(t.Context(), channelID, 0))
		if len(stored) != 1 {
			t.Fatalf("%d messages of one", len(stored))
		}
		for _, m := range got {
			if m.ID != stored[0].ID || m.Seq != stored[0].Seq || !m.At.Truncate(time.Millisecond).Equal(stored[0].At) {
				t.Errorf("acknowledged %+v, stored %+v", m, stored[0])
			}
		}
	}
}
