package chattable_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"example.com/chatstack/chat"
)

// nowhere delivers to nobody: only what is stored matters here.
type nowhere struct{ chat.Poster }

func (nowhere) Post(_ context.Context, ids iter.Seq[string], _ []byte) chat.Outcome {
	var outcome chat.Outcome
	for range ids {
		outcome.Delivered++
	}
	return outcome
}

// However many send at once, clients and services, into however many channels:
// the messages of each channel have the numbers 1, 2, 3 …, no two alike.
func TestConcurrentSendersNeverShareASequenceNumber(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	service := &chat.Service{Store: table, Poster: nowhere{}, Sanitize: func(s string) string { return s }, Limits: chat.Limits{MessagesPerSecond: chat.NoRateLimit}}
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		senders := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 12).Draw(rt, "channel of each sender")
		publishers := rapid.SliceOfN(rapid.IntRange(0, 2), 0, 4).Draw(rt, "channel of each publisher")
		channel := func(n int) string { return fmt.Sprintf("round %d channel %d", round, n) }

		var wg sync.WaitGroup
		want := map[string]int{}
		for i, n := range senders {
			want[channel(n)]++
			wg.Go(func() {
				if _, err := service.Send(t.Context(), chat.Caller{ConnectionID: fmt.Sprint("c", i)}, chat.Draft{ChannelID: channel(n), Name: "n", Content: "x"}); err != nil {
					t.Error(err)
				}
			})
		}
		for i, n := range publishers {
			want[channel(n)]++
			wg.Go(func() {
				r := chat.PublishRequest{ChannelID: channel(n), Key: fmt.Sprint(i), Name: "bot", Content: "x"}
				if err := table.PutPublishRequest(t.Context(), r); err != nil {
					t.Error(err)
				}
				if err := service.Publish(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for channelID, n := range want {
			messages := collect(t, table.ListMessages(t.Context(), channelID, 0))
			if len(messages) != n {
				rt.Fatalf("%d messages in %s, want %d", len(messages), channelID, n)
			}
			for i, m := range messages {
				if m.Seq != int64(i+1) {
					rt.Fatalf("message %d of %s has the number %d", i+1, channelID, m.Seq)
				}
			}
		}
	})
}
