package chattable_test

import (
	"errors"
	"fmt"
	"testing"

	"example.com/chatstack/chat"
)

func TestDeleteRequests(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	if err := table.PutDeleteRequest(ctx, "General", 7); err != nil {
		t.Fatal(err)
	}
	plainly, err := table.GetDeleteRequest(ctx, "General", "7")
	diff(t, "request", plainly, chat.DeleteRequest{ChannelID: "General", Key: "7"})
	// Asked to erase meanwhile, it stays for that.
	erasing := plainly
	erasing.Erase = true
	if err := errors.Join(err, table.PutEraseRequest(ctx, "General", 7), table.PutDeleteRequest(ctx, "General", 7), table.FinishDeleteRequest(ctx, plainly)); err != nil {
		t.Fatal(err)
	}
	got, err := table.GetDeleteRequest(ctx, "General", "7")
	diff(t, "request", got, erasing)
	if reason, notYet := table.GetDeleteRejection(ctx, "General", 7); reason != "" || errors.Join(err, notYet) != nil {
		t.Errorf("rejected with %q, %v", reason, notYet)
	}
	if err := table.RejectDeleteRequest(ctx, erasing, "no such message"); err != nil {
		t.Fatal(err)
	}
	if reason, err := table.GetDeleteRejection(ctx, "General", 7); reason != "no such message" || err != nil {
		t.Errorf("rejected with %q, %v", reason, err)
	}
	if err := table.PutDeleteRequest(ctx, "General", 7); err != nil { // in the place of the rejected one
		t.Fatal(err)
	}
	got, err = table.GetDeleteRequest(ctx, "General", "7")
	diff(t, "request", got, plainly)
	if err := errors.Join(err, table.FinishDeleteRequest(ctx, plainly)); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		func() error { _, err := table.GetDeleteRequest(ctx, "General", "7"); return err }(),
		func() error { _, err := table.GetDeleteRejection(ctx, "General", 7); return err }(),
	} {
		if !errors.Is(err, chat.ErrGone) {
			t.Errorf("one that is done: %v", err)
		}
	}
}

// Erasing takes the author of a message away, from it and from all its revisions,
// and leaves every other message as it is.
func TestEraseAuthor(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	table.PageSize = 2
	service := &chat.Service{
		Store: table, Poster: nowhere{}, Sanitize: func(s string) string { return s }, Now: table.Now,
		Limits: chat.Limits{MessagesPerSecond: chat.NoRateLimit},
	}
	caller := chat.Caller{ConnectionID: "a=", Identity: chat.Identity{User: "anna", Name: "Anna"}}
	send := func() {
		t.Helper()
		if _, err := service.Send(ctx, caller, chat.Draft{ChannelID: "General", Content: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	send()
	send()
	for seq, content := range map[int64]string{1: "y", 2: "z"} { // are 3 and 4
		if _, err := service.Edit(ctx, caller, "General", seq, content); err != nil {
			t.Fatal(err)
		}
	}
	send()
	if _, err := service.Edit(ctx, caller, "General", 1, "yy"); err != nil { // is 6
		t.Fatal(err)
	}
	if err := table.PutEraseRequest(ctx, "General", 1); err != nil { // is 7
		t.Fatal(err)
	}
	for range 2 {
		if err := service.Apply(ctx, chat.DeleteRequest{ChannelID: "General", Key: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	seqs := 0
	for m, err := range table.ListHistory(ctx, "General", chat.HistoryRange{}) {
		if err != nil {
			t.Fatal(err)
		}
		seqs++
		erased := m.Seq == 1 || m.Target == 1
		i := plain(get(t, table, "CHANNEL|General", fmt.Sprintf("MESSAGE|%020d", m.Seq)))
		for _, name := range []string{"name", "user", "senderId"} {
			if _, has := i[name]; has && erased || !has && !erased && (name != "name" || m.Target == 0) {
				t.Errorf("%d has %s: %t", m.Seq, name, has)
			}
		}
	}
	diff(t, "messages and revisions", seqs, 7)
	if _, err := table.GetDeleteRequest(ctx, "General", "1"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("the request: %v", err)
	}
}
