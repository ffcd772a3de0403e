package chattable_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

// What has expired is not given, even while DynamoDB keeps it, and whoever
// resumes from before that is told where to begin.
func TestResumeAcrossRetention(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.Retention = time.Hour
	clock := start
	table.Now = func() time.Time { return clock }
	service := &chat.Service{Store: table, Poster: nowhere{}, Sanitize: func(s string) string { return s }, Now: table.Now}
	if err := service.Connect(ctx, chat.Connection{ID: "a=", ConnectedAt: clock}); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if _, err := service.Send(ctx, chat.Caller{ConnectionID: "a="}, chat.Draft{ChannelID: "c", Name: "n", Content: "x"}); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(20 * time.Minute)
	}
	// It is 12:00 + 2 h: those of 12:00, 12:20, 12:40 and 13:00 are gone.
	for _, tt := range []struct{ frame, want string }{
		{`{"channelId":"c","after":2}`, `[5 6] from 5 more false`},
		{`{"channelId":"c","after":4}`, `[5 6] from 0 more false`},
		{`{"channelId":"c","after":5}`, `[6] from 0 more false`},
	} {
		answer, err := service.Answer(ctx, chat.ActionSubscribeChannel, chat.Caller{ConnectionID: "a="}, []byte(tt.frame))
		var l struct {
			Missed []struct{ Seq int64 }
			From   int64
			More   bool
		}
		if err := json.Unmarshal(answer, &l); err != nil {
			t.Fatal(err)
		}
		seqs := []int64{}
		for _, m := range l.Missed {
			seqs = append(seqs, m.Seq)
		}
		if got := fmt.Sprintf("%v from %d more %t", seqs, l.From, l.More); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.frame, got, err, tt.want)
		}
	}
	diff(t, "history", len(collect(t, table.ListHistory(ctx, "c", chat.HistoryRange{NewestFirst: true, Limit: 50}))), 2)
}
