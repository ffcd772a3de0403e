package chattable_test

import (
	"errors"
	"testing"
	"time"

	"example.com/chatstack/chat"
)

func TestRevisions(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.Retention = time.Hour
	m := chat.Message{ChannelID: "c", Seq: 1, ID: "m", At: start, SenderID: "a=", Name: "n", Content: "first"}
	if err := table.PutMessage(ctx, m); err != nil {
		t.Fatal(err)
	}
	at := start.Add(time.Minute)
	revise := func(seq int64, content string) error {
		m.EditSeq, m.Content, m.EditedAt, m.DeletedAt = seq, content, at, time.Time{}
		if content == "" {
			m.DeletedAt = at
		}
		return table.PutRevision(ctx, m, chat.Message{ChannelID: "c", Seq: seq, ID: "m", At: at, SenderID: "a=", Target: 1})
	}
	if err := revise(3, "third"); err != nil {
		t.Fatal(err)
	}
	if err := revise(2, "second"); !errors.Is(err, chat.ErrChanged) {
		t.Errorf("an edit with a lower number: %v", err)
	}
	got, err := table.GetMessage(ctx, "c", 1)
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Message{ChannelID: "c", Seq: 1, ID: "m", At: start, SenderID: "a=", Name: "n", Content: "third", EditedAt: at, EditSeq: 3}
	diff(t, "message", got, want)
	diff(t, "revision", plain(get(t, table, "CHANNEL|c", "MESSAGE|00000000000000000003")), map[string]string{
		"pk": "CHANNEL|c", "sk": "MESSAGE|00000000000000000003", "seq": "3", "targetSeq": "1", "messageId": "m",
		"at": "2026-03-01T12:01:00.000Z", "senderId": "a=", "ttl": unix(start.Add(time.Hour)),
	})
	diff(t, "messages", collect(t, table.ListMessages(ctx, "c", 0)), []chat.Message{want})
	diff(t, "history", len(collect(t, table.ListHistory(ctx, "c", chat.HistoryRange{}))), 2)

	if err := revise(4, ""); err != nil {
		t.Fatal(err)
	}
	if item := plain(get(t, table, "CHANNEL|c", "MESSAGE|00000000000000000001")); item["content"] != "" || item["deletedAt"] == "" || item["name"] != "n" {
		t.Errorf("deleted, it is %v", item)
	}
	if err := revise(5, "back"); !errors.Is(err, chat.ErrChanged) {
		t.Errorf("an edit of what is deleted: %v", err)
	}
	m.Seq = 9
	if err := revise(6, "none"); !errors.Is(err, chat.ErrChanged) {
		t.Errorf("an edit of what never was: %v", err)
	}
	if _, err := table.GetMessage(ctx, "c", 6); !errors.Is(err, chat.ErrGone) {
		t.Errorf("what was refused left a revision: %v", err)
	}
}
