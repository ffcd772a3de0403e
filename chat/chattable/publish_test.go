package chattable_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

func TestPublishRequests(t *testing.T) {
	t.Parallel()
	request := chat.PublishRequest{ChannelID: "General", Key: "build 17", Name: "bot", Content: "green", MessageID: "m"}
	message := chat.Message{ChannelID: "General", Seq: 1, ID: "m", At: start, Name: "bot", Content: "green"}
	delivery := chat.Delivery{ChannelID: "General", Key: "k", Seq: 1, Frame: []byte(`{"event":"x"}`)}

	t.Run("published once", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		if err := table.PutPublishRequest(ctx, request); err != nil {
			t.Fatal(err)
		}
		got, err := table.GetPublishRequest(ctx, "General", "build 17")
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "request", got, request)
		if err := table.PutPublished(ctx, request, message, delivery, chat.Sent{}); err != nil {
			t.Fatal(err)
		}
		if _, err := table.GetPublishRequest(ctx, "General", "build 17"); !errors.Is(err, chat.ErrGone) {
			t.Errorf("the request: %v", err)
		}
		diff(t, "messages", collect(t, table.ListMessages(ctx, "General", 0)), []chat.Message{message})
		stored, err := table.GetDelivery(ctx, "General", "k")
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "delivery", stored, delivery)

		again := message
		again.Seq = 2
		if err := table.PutPublished(ctx, request, again, delivery, chat.Sent{}); !errors.Is(err, chat.ErrGone) {
			t.Errorf("a second time: %v", err)
		}
		diff(t, "messages", len(collect(t, table.ListMessages(ctx, "General", 0))), 1)
	})
	t.Run("not in the place of another message", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		if err := table.PutPublishRequest(ctx, request); err != nil {
			t.Fatal(err)
		}
		other := message
		other.ID = "other"
		if err := table.PutMessage(ctx, other); err != nil {
			t.Fatal(err)
		}
		if err := table.PutPublished(ctx, request, message, delivery, chat.Sent{}); err == nil || errors.Is(err, chat.ErrGone) {
			t.Errorf("PutPublished = %v", err)
		}
		if _, err := table.GetPublishRequest(ctx, "General", "build 17"); err != nil {
			t.Errorf("the request: %v", err)
		}
	})
	t.Run("a waiting request is left alone, a rejected one is replaced", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		better := request
		better.Content = "red"
		for _, r := range []chat.PublishRequest{request, better} {
			if err := table.PutPublishRequest(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		got, err := table.GetPublishRequest(ctx, "General", "build 17")
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "the waiting request", got, request)
		for _, now := range []time.Time{start, start.Add(chattable.RejectedTTL + time.Hour)} { // the second time, it has expired
			table.Now = func() time.Time { return start }
			if err := table.RejectPublishRequest(ctx, request, "content is empty"); err != nil {
				t.Fatal(err)
			}
			table.Now = func() time.Time { return now }
			if err := table.PutPublishRequest(ctx, better); err != nil {
				t.Fatal(err)
			}
			if got, err = table.GetPublishRequest(ctx, "General", "build 17"); err != nil {
				t.Fatal(err)
			}
			diff(t, "the request", got, better)
			if reason, err := table.GetRejection(ctx, "General", "build 17"); err != nil || reason != "" {
				t.Errorf("rejection: %q, %v", reason, err)
			}
		}
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		table, ctx := newTable(t), t.Context()
		if err := table.PutPublishRequest(ctx, request); err != nil {
			t.Fatal(err)
		}
		if reason, err := table.GetRejection(ctx, "General", "build 17"); err != nil || reason != "" {
			t.Errorf("before: %q, %v", reason, err)
		}
		if err := table.RejectPublishRequest(ctx, request, "content is empty"); err != nil {
			t.Fatal(err)
		}
		if reason, err := table.GetRejection(ctx, "General", "build 17"); err != nil || reason != "content is empty" {
			t.Errorf("after: %q, %v", reason, err)
		}
		item := plain(get(t, table, "CHANNEL|General", "PUBLISH|build 17"))
		diff(t, "ttl", item["ttl"], unix(start.Add(chattable.RejectedTTL)))

		table.Now = func() time.Time { return start.Add(chattable.RejectedTTL + time.Hour) }
		if reason, err := table.GetRejection(ctx, "General", "build 17"); err != nil || reason != "content is empty" {
			t.Errorf("expired, not deleted yet: %q, %v", reason, err)
		}
		if err := table.DeletePublishRequest(ctx, "General", "build 17"); err != nil {
			t.Fatal(err)
		}
		if err := table.RejectPublishRequest(ctx, request, "x"); err != nil {
			t.Errorf("one that is taken back: %v", err)
		}
		if _, err := table.GetRejection(ctx, "General", "build 17"); !errors.Is(err, chat.ErrGone) {
			t.Errorf("it is there again: %v", err)
		}
	})
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	d := chat.Delivery{ChannelID: "General", Key: "k", Seq: 7, Frame: []byte(strings.Repeat("é", chat.MaxFrame/2)), Attempt: 3, Late: true}
	for i := range chat.MaxDeliveryTo { // the largest that the chat makes
		d.To = append(d.To, fmt.Sprintf("R1kmxc2VNjMC%04d=", i))
	}
	if err := table.PutDelivery(ctx, d); err != nil {
		t.Fatal(err)
	}
	got, err := table.GetDelivery(ctx, "General", "k")
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "delivery", got, d)

	everyone := chat.Delivery{ChannelID: "General", Key: "l", Frame: []byte("{}"), After: "a="}
	if err := table.PutDelivery(ctx, everyone); err != nil {
		t.Fatal(err)
	}
	if got, err = table.GetDelivery(ctx, "General", "l"); err != nil {
		t.Fatal(err)
	}
	diff(t, "delivery", got, everyone)

	for range 2 {
		if err := table.DeleteDelivery(ctx, "General", "k"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := table.GetDelivery(ctx, "General", "k"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("after its end: %v", err)
	}
}

// Publish waits for what becomes of its request.
func TestPublishWaits(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	// A stream that is no faster than it must be.
	service := &chat.Service{Store: table, Poster: nobody{}, Sanitize: func(s string) string { return s }}
	deal := func(key string) {
		for ctx.Err() == nil {
			if _, err := table.GetPublishRequest(ctx, "General", key); err == nil {
				if err := service.Publish(ctx, chat.PublishRequest{ChannelID: "General", Key: key}); err != nil {
					t.Error(err)
				}
				return
			}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { deal("m") })
	sent, err := table.Publish(ctx, chat.PublishRequest{ChannelID: "General", Name: "bot", Content: "green", MessageID: "m"})
	if err != nil || sent.Seq != 1 || sent.MessageID != "m" {
		t.Errorf("Publish = %+v, %v", sent, err)
	}
	wg.Go(func() { deal("m") })
	if sent, err = table.Publish(ctx, chat.PublishRequest{ChannelID: "General", Name: "bot", Content: "green", MessageID: "m"}); err != nil || sent.Seq != 1 {
		t.Errorf("again, Publish = %+v, %v", sent, err)
	}
	wg.Go(func() { deal("empty") })
	_, err = table.Publish(ctx, chat.PublishRequest{ChannelID: "General", Key: "empty", Name: "bot"})
	if rejected, ok := errors.AsType[*chattable.RejectedError](err); !ok || !strings.Contains(rejected.Reason, "no text") {
		t.Errorf("of nothing, Publish = %v", err)
	}
	wg.Wait()
	short, cancel := context.WithTimeout(ctx, waitABit)
	defer cancel()
	if _, err = table.Publish(short, chat.PublishRequest{ChannelID: "General", Name: "bot", Content: "waits"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a stream, Publish = %v", err)
	}
}

const waitABit = 300 * time.Millisecond

// nobody is connected.
type nobody struct{}

func (nobody) Post(context.Context, iter.Seq[string], []byte) chat.Outcome { return chat.Outcome{} }
func (nobody) Close(context.Context, string) error                         { return nil }
