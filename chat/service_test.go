package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	t.Run("joins the default channels, announced to all and to oneself", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.DefaultChannels = []string{"General", "News"}
		w.quiet("alice")
		w.connect("bob")
		want := []string{"subscriber_sub General bob", "subscriber_sub News bob"}
		equal(t, "alice", w.poster.take("alice"), want)
		equal(t, "bob", w.poster.take("bob"), want)
	})
	t.Run("nothing is announced by the call itself", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.Poster = nil // whoever used it would panic
		if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: start}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a failure is undone", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{"PutConnection", "PutSubscription", "OpenChannel"} {
			w := newWorld(t)
			broken := errors.New("table is down")
			w.store.fail = func(m string) error {
				if m == method {
					return broken
				}
				return nil
			}
			if err := w.Connect(t.Context(), Connection{ID: "alice", ConnectedAt: start}); !errors.Is(err, broken) {
				t.Errorf("%s fails: Connect = %v", method, err)
			}
			if len(w.store.connections) != 0 || len(w.subscribers("General")) != 0 {
				t.Errorf("%s fails: left over: %v, %v", method, w.store.connections, w.subscribers("General"))
			}
		}
	})
	t.Run("the deadline's end is undone too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.store.fail = func(m string) error {
			if m == "PutSubscription" {
				cancel()
			}
			return nil
		}
		if err := w.Connect(ctx, Connection{ID: "alice", ConnectedAt: start}); err == nil {
			t.Fatal("no error")
		}
		if len(w.store.connections) != 0 || len(w.subscribers("General")) != 0 {
			t.Errorf("left over: %v, %v", w.store.connections, w.subscribers("General"))
		}
	})
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	t.Run("ends all subscriptions", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		w.answer(ActionSubscribeChannel, "alice", `{"channelId":"Secret"}`)
		w.stream()
		w.poster.take("bob")
		for range 2 { // a second one changes nothing
			if err := w.Disconnect(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "Secret, before the stream", w.subscribers("Secret"), nil)
		equal(t, "General, before the stream", w.subscribers("General"), []string{"bob"})
		w.stream()
		equal(t, "bob", w.poster.take("bob"), []string{"subscriber_unsub General alice disconnected"})
	})
	t.Run("what the call could not see, its stream record ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		w.store.incomplete["General|alice"] = true // the index lags
		if err := w.Disconnect(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		equal(t, "subscribers", w.subscribers("General"), []string{"alice", "bob"})
		delete(w.store.incomplete, "General|alice")
		w.stream()
		equal(t, "subscribers", w.subscribers("General"), []string{"bob"})
		equal(t, "bob", w.poster.take("bob"), []string{"subscriber_unsub General alice disconnected"})
	})
	t.Run("a crash after its first write is finished by the stream", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		if err := w.store.DeleteConnection(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		w.stream()
		equal(t, "subscribers", w.subscribers("General"), []string{"bob"})
	})
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	t.Run("announced by the stream, once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		for range 2 {
			got := w.answer(ActionSubscribeChannel, "alice", `{"action":"subscribeChannel","channelId":"Secret","id":"7"}`)
			if want := "subscribed 7 Secret 0"; got != want {
				t.Errorf("answer %q, want %q", got, want)
			}
			equal(t, "before the stream", w.poster.take("alice"), nil)
		}
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"subscriber_sub Secret alice"})
		equal(t, "bob, who is not in it", w.poster.take("bob"), nil)
	})
	t.Run("gives the channel's last sequence number", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		for range 3 {
			w.answer(ActionSendMessage, "alice", `{"channelId":"Secret","name":"a","content":"x"}`)
		}
		if got, want := w.answer(ActionSubscribeChannel, "bob", `{"channelId":"Secret"}`), "subscribed Secret 3"; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
	})
	t.Run("answer has the fields of resume", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		answer, err := w.Answer(t.Context(), ActionSubscribeChannel, "alice", []byte(`{"channelId":"Secret"}`))
		if want := `{"event":"subscribed","channelId":"Secret","seq":0,"missed":[],"more":false}`; err != nil || string(answer) != want {
			t.Errorf("answer %s, %v, want %s", answer, err, want)
		}
	})
	t.Run("a connection that ended meanwhile does not stay subscribed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		if err := w.Disconnect(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if got, want := w.answer(ActionSubscribeChannel, "alice", `{"channelId":"Secret"}`), "error connection_closed"; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
		equal(t, "subscribers", w.subscribers("Secret"), nil)
	})
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("alice", "bob")
	for range 2 { // a repetition is answered and announced to nobody
		if got, want := w.answer(ActionUnsubscribeChannel, "alice", `{"channelId":"General","id":"7"}`), "unsubscribed 7 General"; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
	}
	w.stream()
	want := []string{"subscriber_unsub General alice left"}
	equal(t, "bob", w.poster.take("bob"), want)
	equal(t, "alice, who has left", w.poster.take("alice"), want)
}

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("alice")
	answer, err := w.Answer(t.Context(), ActionWhoAmI, "alice", []byte(`{"action":"whoami","id":"7"}`))
	if want := `{"event":"you","id":"7","connectionId":"alice","user":"","name":"","channels":["General"],"more":false}`; err != nil || string(answer) != want {
		t.Errorf("answer %s, %v, want %s", answer, err, want)
	}

	t.Run("more channels than fit", func(t *testing.T) {
		w := newWorld(t)
		w.quiet("alice")
		for i := range 500 {
			w.answer(ActionSubscribeChannel, "alice", fmt.Sprintf(`{"channelId":"%s%d"}`, strings.Repeat("日", 100), i))
		}
		answer, err := w.Answer(t.Context(), ActionWhoAmI, "alice", []byte(`{"action":"whoami"}`))
		if err != nil || len(answer) > MaxFrame || !strings.HasSuffix(string(answer), `"more":true}`) {
			t.Errorf("answer of %d bytes, %v", len(answer), err)
		}
	})
}

func TestPing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, err := w.Answer(t.Context(), ActionPing, "alice", []byte(`{"action":"ping","id":"7"}`))
	if want := `{"event":"pong","id":"7","at":"2026-03-01T12:00:00.000Z"}`; err != nil || string(answer) != want {
		t.Errorf("answer %s, %v, want %s", answer, err, want)
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	const frame = `{"action":"sendMessage","channelId":"General","name":"johndoe","content":"hello world!","id":"7"}`
	t.Run("to every subscriber and acknowledged", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		answer, err := w.Answer(t.Context(), ActionSendMessage, "alice", []byte(frame))
		if want := `{"event":"ack","id":"7","channelId":"General","messageId":"id-1","seq":1,"at":"2026-03-01T12:01:00.000Z"}`; err != nil || string(answer) != want {
			t.Errorf("answer %s, %v, want %s", answer, err, want)
		}
		const event = `{"event":"channel_message","channelId":"General","name":"johndoe","content":"hello world!",` +
			`"messageId":"id-1","seq":1,"at":"2026-03-01T12:01:00.000Z","senderId":"alice"}`
		for _, id := range []string{"alice", "bob"} {
			equal(t, id, w.poster.frames[id], []string{event})
		}
		want := Message{ChannelID: "General", Seq: 1, ID: "id-1", At: w.clock, SenderID: "alice", Name: "johndoe", Content: "hello world!"}
		if diff := cmp.Diff(want, w.store.messages["General"][1]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("not acknowledged unless stored", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{"NextSeq", "PutMessage"} {
			w := newWorld(t)
			w.quiet("alice")
			w.store.fail = func(m string) error {
				if m == method {
					return errors.New("secret detail")
				}
				return nil
			}
			answer, err := w.Answer(t.Context(), ActionSendMessage, "alice", []byte(frame))
			if err == nil {
				t.Errorf("%s fails: no error for the log", method)
			}
			if want := `{"event":"error","id":"7","code":"internal","message":"internal error"}`; string(answer) != want {
				t.Errorf("%s fails: answer %s, want %s", method, answer, want)
			}
			equal(t, "alice", w.poster.take("alice"), nil)
		}
	})
	t.Run("acknowledged although a delivery is handed over", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice", "bob")
		w.poster.answer = func(id string) error {
			if id == "bob" {
				return errFailedPost
			}
			return nil
		}
		if got, want := w.answer(ActionSendMessage, "alice", frame), "ack 7 General 1"; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
		w.poster.answer = func(string) error { return nil }
		w.stream()
		equal(t, "bob", w.poster.take("bob"), []string{"channel_message General 1 johndoe hello world!"})
		equal(t, "alice, who had it", w.poster.take("alice"), []string{"channel_message General 1 johndoe hello world!"})
		if len(w.store.deliveries) != 0 {
			t.Errorf("left over: %v", w.store.deliveries)
		}
	})
	t.Run("internal error if even the hand-over fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.poster.answer = func(string) error { return errFailedPost }
		w.store.fail = func(m string) error {
			if m == "PutDelivery" {
				return errors.New("table is down")
			}
			return nil
		}
		answer, err := w.Answer(t.Context(), ActionSendMessage, "alice", []byte(frame))
		if !errors.Is(err, errFailedPost) || shorten(string(answer)) != "error 7 internal" {
			t.Errorf("answer %s, %v", answer, err)
		}
	})
}

func TestPublish(t *testing.T) {
	t.Parallel()
	request := PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: "build is green"}
	t.Run("stored, delivered and cleaned up", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.store.request(request)
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"channel_message General 1 bot build is green"})
		if len(w.store.requests)+len(w.store.deliveries) != 0 {
			t.Errorf("left over: %v %v", w.store.requests, w.store.deliveries)
		}
	})
	t.Run("once, however often its record comes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.store.request(request)
		for range 3 {
			if err := w.Apply(t.Context(), request); err != nil {
				t.Fatal(err)
			}
		}
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"channel_message General 1 bot build is green"})
		if got := w.store.seqs["General"]; got != 1 {
			t.Errorf("took %d sequence numbers", got)
		}
	})
	t.Run("as it is stored, not as an old record of its key has it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		rejected := request
		rejected.Content = ""
		w.store.request(request) // in the place of the one that was rejected
		if err := w.Apply(t.Context(), rejected); err != nil {
			t.Fatal(err)
		}
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"channel_message General 1 bot build is green"})
		if len(w.store.rejected) != 0 {
			t.Errorf("rejected: %v", w.store.rejected)
		}
	})
	t.Run("a crash after storing is made good by the stream", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.store.request(request)
		w.store.fail = func(m string) error { // all that comes after the transaction
			if m == "GetDelivery" {
				return errors.New("killed")
			}
			return nil
		}
		if err := w.Apply(t.Context(), request); err == nil {
			t.Fatal("no error")
		}
		equal(t, "alice", w.poster.take("alice"), nil)
		w.store.fail = func(string) error { return nil }
		w.stream()
		equal(t, "alice", w.poster.take("alice"), []string{"channel_message General 1 bot build is green"})
	})
	t.Run("an invalid request is marked and blocks nobody", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			bad  PublishRequest
			says string
		}{
			{PublishRequest{ChannelID: "a|b", Key: "k", Name: "bot", Content: "x"}, "channelId"},
			{PublishRequest{ChannelID: "General", Key: "k", Content: "x"}, "name"},
			{PublishRequest{ChannelID: "General", Key: "k", Name: "bot"}, "content"},
			{PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: strings.Repeat("x", MaxContent+1)}, "content"},
			{PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: "x", MessageID: strings.Repeat("x", 129)}, "messageId"},
		} {
			w := newWorld(t)
			w.quiet("alice")
			w.store.request(tt.bad)
			w.stream()
			if got := w.store.rejected[tt.bad.ChannelID+"|k"]; !strings.Contains(got, tt.says) {
				t.Errorf("request %+v is marked with %q, want something about %s", tt.bad, got, tt.says)
			}
			if w.store.seqs["General"] != 0 {
				t.Error("took a sequence number")
			}
		}
	})
	t.Run("keeps the message id that it brings", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		r := request
		r.MessageID = "build-17"
		w.store.request(r)
		w.stream()
		if got := w.store.messages["General"][1].ID; got != "build-17" {
			t.Errorf("message id %q", got)
		}
	})
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	t.Run("a service's subscription of a key alone is completed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		s := Subscription{ChannelID: "VIP", ConnectionID: "alice", Since: start}
		w.store.subscribe(s)
		w.store.incomplete["VIP|alice"] = true
		if err := w.Apply(t.Context(), Joined{Subscription: s, Incomplete: true}); err != nil {
			t.Fatal(err)
		}
		equal(t, "alice", w.poster.take("alice"), []string{"subscriber_sub VIP alice"})
		if w.store.incomplete["VIP|alice"] {
			t.Error("not completed")
		}
		if _, ok := w.store.seqs["VIP"]; !ok {
			t.Error("the channel is not there")
		}
	})
	t.Run("one that is put again without its attributes is completed, not announced", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.store.incomplete["General|alice"] = true
		s := Subscription{ChannelID: "General", ConnectionID: "alice", Since: start}
		if err := w.Apply(t.Context(), Rewritten{Subscription: s}); err != nil {
			t.Fatal(err)
		}
		if w.store.incomplete["General|alice"] {
			t.Error("not completed")
		}
		equal(t, "alice", w.poster.take("alice"), nil)
	})
	t.Run("expiry", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		if err := w.Apply(t.Context(), Left{Subscription: Subscription{ChannelID: "General", ConnectionID: "bob"}, Expired: true}); err != nil {
			t.Fatal(err)
		}
		equal(t, "alice", w.poster.take("alice"), []string{"subscriber_unsub General bob expired"})
	})
	t.Run("what is no channel is ignored", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.subscribe(Subscription{ChannelID: "a|b", ConnectionID: "alice"})
		for _, c := range []Change{
			Joined{Subscription: Subscription{ChannelID: "a|b", ConnectionID: "alice"}},
			Left{Subscription: Subscription{ChannelID: "a|b", ConnectionID: "alice"}},
		} {
			if err := w.Apply(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		equal(t, "alice", w.poster.take("alice"), nil)
	})
	t.Run("who leaves is who came, whatever a service says", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("nobody")
		w.known(Identity{User: "ann", Name: "Ann"}, "a")
		claimed := Subscription{ChannelID: "VIP", ConnectionID: "nobody", User: "bob", Name: "Bob", Since: start}
		w.store.subscribe(claimed)
		if err := w.Apply(t.Context(), Joined{Subscription: claimed, Incomplete: true}); err != nil {
			t.Fatal(err)
		}
		w.store.subscribe(Subscription{ChannelID: "General", ConnectionID: "a", Since: start}) // anew, with no user in it
		ann := Subscription{ChannelID: "General", ConnectionID: "a", User: "ann", Name: "Ann", Since: start}
		if err := w.Store.DeleteConnection(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if err := w.Apply(t.Context(), Rewritten{Subscription: ann}); err != nil {
			t.Fatal(err)
		}
		for channelID, id := range map[string]string{"VIP": "nobody", "General": "a"} {
			if err := w.Store.DeleteSubscription(t.Context(), channelID, id); err != nil {
				t.Fatal(err)
			}
		}
		w.stream()
		if m := w.store.members; len(m["VIP"]) != 0 || len(m["General"]) != 1 {
			t.Errorf("members are left: %v", m)
		}
	})
	// Whatever a service has written: a channel's joins must not wait for it.
	t.Run("what is no user is ignored", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		w.store.fail = func(method string) error { return fmt.Errorf("%s was asked", method) }
		sub := Subscription{ChannelID: "General", ConnectionID: "bob", User: strings.Repeat("u", 3000)}
		if err := w.Apply(t.Context(), Joined{Subscription: sub}); err != nil {
			t.Error(err)
		}
		if err := w.Apply(t.Context(), Left{Subscription: sub}); err != nil {
			t.Error(err)
		}
		w.store.fail = func(method string) error {
			if method == "DeleteDevice" {
				return errors.New("the key is too long")
			}
			return nil
		}
		if err := w.Apply(t.Context(), ConnectionEnded{ConnectionID: "bob", User: sub.User}); err != nil {
			t.Error(err)
		}
	})
	t.Run("what is told fits into a frame", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.quiet("alice")
		sub := Subscription{ChannelID: "General", ConnectionID: "bob", User: "bob", Name: strings.Repeat("n", 100_000)}
		if err := w.Apply(t.Context(), Joined{Subscription: sub}); err != nil {
			t.Error(err)
		}
		if err := w.Apply(t.Context(), Left{Subscription: sub, Reason: Reason(strings.Repeat("r", 100_000))}); err != nil {
			t.Error(err)
		}
		name := strings.Repeat("n", MaxName)
		equal(t, "alice", w.poster.take("alice"), []string{"subscriber_sub General bob " + name, "subscriber_unsub General bob disconnected " + name})
	})
	t.Run("a change that nobody knows is an error", func(t *testing.T) {
		t.Parallel()
		if err := newWorld(t).Apply(t.Context(), nil); err == nil {
			t.Error("no error")
		}
	})
}

// Two functions may serve the same record at once after a time-out; what is
// stored must not double.
func TestPublishConcurrently(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.NewID = nil
	w.quiet("alice")
	r := PublishRequest{ChannelID: "General", Key: "k", Name: "bot", Content: "x"}
	w.store.request(r)
	errs := make(chan error)
	for range 8 {
		go func() { errs <- w.Publish(t.Context(), r) }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(w.store.messages["General"]); n != 1 {
		t.Errorf("%d messages stored", n)
	}
}
