package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The identities of most tests here.
var (
	anna  = Identity{User: "anna", Name: "Anna", Moderates: []string{"*"}}
	maria = Identity{User: "maria", Name: "Maria", Moderates: []string{"Gen*"}}
	bert  = Identity{User: "bert", Name: "Bert"}
	carl  = Identity{User: "carl", Name: "Carl"}
)

// is reports a value that is not as wanted.
func is[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestWhoMayModerate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("nobody")
	w.known(anna, "a")
	w.known(maria, "m")
	w.known(bert, "b")
	const (
		inGeneral  = `{"user":"carl","channelId":"General","seconds":5}`
		inSecret   = `{"user":"carl","channelId":"Secret","seconds":5}`
		everywhere = `{"user":"carl","seconds":5}`
	)
	for _, action := range ModerationActions() {
		for _, tt := range []struct{ id, frame, want string }{
			{"nobody", inGeneral, "error identity_required"},
			{"b", inGeneral, "error not_moderator"},
			{"m", inGeneral, "ack General"},
			{"m", inSecret, "error not_moderator"},
			{"m", everywhere, "error not_moderator"},
			{"a", inSecret, "ack Secret"},
			{"a", everywhere, "ack"},
		} {
			want := tt.want
			if action == ActionSetSlowMode && tt.frame == everywhere {
				want = "error missing_field"
			}
			if got := w.answer(action, tt.id, tt.frame); got != want {
				t.Errorf("%s by %s %s: %s, want %s", action, tt.id, tt.frame, got, want)
			}
		}
	}
	// A stage without identity has no routes for it, and says so.
	is(t, "without a route", w.answer(RouteDefault, "nobody", `{"action":"banUser"}`), "error identity_required")
	w.FurtherActions = ModerationActions()
	is(t, "by another field", w.answer(RouteDefault, "a", `{"action":"banUser"}`), "error unknown_action")

	// Who is banned cannot lift it, even if the connection is still open.
	if err := w.store.PutSanction(t.Context(), Sanction{Kind: Banned, User: "maria", ChannelID: "General"}); err != nil {
		t.Fatal(err)
	}
	is(t, "a banned moderator", w.answer(ActionUnbanUser, "m", `{"user":"maria","channelId":"General"}`), "error banned")
}

func TestModerationRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	for _, tt := range []struct{ action, frame, want string }{
		{ActionBanUser, `{}`, "user is missing"},
		{ActionBanUser, `{"user":7}`, "user is a number"},
		{ActionKickUser, `{"user":""}`, "user is empty"},
		{ActionUnbanUser, `{"user":"a\nb"}`, "control character"},
		{ActionMuteUser, fmt.Sprintf(`{"user":%q}`, strings.Repeat("é", 129)), "129 characters"},
		{ActionMuteUser, `{"user":"b","channelId":"a|b"}`, "channelId has the character '|'"},
		{ActionMuteUser, `{"user":"b","channelId":null}`, "channelId is null"},
		{ActionMuteUser, `{"user":"b","seconds":0}`, "seconds is 0: use 1 to 315360000"},
		{ActionBanUser, `{"user":"b","seconds":315360001}`, "use 1 to 315360000"},
		{ActionBanUser, `{"user":"b","seconds":1.5}`, "not written as a whole number"},
		{ActionBanUser, `{"user":"b","reason":7}`, "reason is a number"},
		{ActionKickUser, fmt.Sprintf(`{"user":"b","reason":%q}`, strings.Repeat("é", 257)), "reason is 257 characters long: use at most 256"},
		{ActionSetSlowMode, `{"channelId":"General"}`, "seconds is missing"},
		{ActionSetSlowMode, `{"channelId":"General","seconds":86401}`, "use 0 to 86400"},
		{ActionSetSlowMode, `{"seconds":5}`, "channelId is missing"},
	} {
		answer, err := w.Answer(t.Context(), tt.action, "a", []byte(tt.frame))
		if err != nil || !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s %.60s: %s, %v, want a sentence with %q", tt.action, tt.frame, answer, err, tt.want)
		}
	}
	if changes := w.store.takeChanges(); len(changes) != 0 {
		t.Errorf("written all the same: %v", changes)
	}
}

func TestReasonsAreCleaned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	w.known(bert, "b")
	is(t, "answer", w.answer(ActionMuteUser, "a", `{"user":"bert","reason":" be\u0000 \n kind\u0007 <b>"}`), "ack")
	x, err := w.store.GetSanction(t.Context(), Muted, "bert", "")
	if err != nil {
		t.Fatal(err)
	}
	is(t, "the mute", x, Sanction{Kind: Muted, User: "bert", Reason: "be kind <b>", By: "anna", At: w.clock})

	// A service may write anything: the event still fits into a frame.
	if err := w.store.PutSanction(t.Context(), Sanction{Kind: Muted, User: "bert", Reason: strings.Repeat("x\x01", MaxFrame)}); err != nil {
		t.Fatal(err)
	}
	w.stream()
	for _, frame := range w.poster.frames["b"] {
		if len(frame) > 1000 {
			t.Errorf("a frame of %d bytes", len(frame))
		}
	}
}

// A ban everywhere tells the user, ends its subscriptions with the reason,
// closes its connections, all of them and nobody else's, and keeps it out.
func TestBanEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	w.known(bert, "b1", "b2")
	if _, err := w.Subscribe(t.Context(), "b1", "Secret"); err != nil {
		t.Fatal(err)
	}
	w.stream()
	w.poster.forget()
	is(t, "answer", w.answer(ActionBanUser, "a", `{"user":"bert","seconds":60,"reason":"spam"}`), "ack")
	w.stream()
	for _, id := range []string{"b1", "b2"} {
		frames := w.poster.frames[id]
		want := `{"event":"banned","until":"` + formatTime(w.clock.Add(time.Minute)) + `","reason":"spam","at":"` + formatTime(w.clock) + `"}`
		if !slices.Contains(frames, want) {
			t.Errorf("%s is told %q, want %s", id, frames, want)
		}
		if _, err := w.store.GetConnection(t.Context(), id); !errors.Is(err, ErrGone) || w.poster.closed[id].IsZero() {
			t.Errorf("%s is still connected: %v", id, err)
		}
	}
	if !w.poster.closed["a"].IsZero() {
		t.Error("the moderator is out")
	}
	equal(t, "Secret", w.subscribers("Secret"), nil)
	equal(t, "General", w.subscribers("General"), []string{"a"})
	is(t, "members", len(w.store.members["General"]), 1)
	equal(t, "what the others see", slices.Sorted(slices.Values(w.poster.take("a"))), []string{
		"subscriber_unsub General b1 banned Bert", "subscriber_unsub General b2 banned Bert",
	})

	err := w.Connect(t.Context(), Connection{ID: "b3", ConnectedAt: w.clock, Identity: bert})
	is(t, "another connection", ErrorCode(err), CodeBanned)
	if !strings.Contains(err.Error(), "you are banned until 2026-03-01T12:") || !strings.HasSuffix(err.Error(), "Z: spam") {
		t.Errorf("refused with %q", err)
	}
	w.stream()
	is(t, "connections", len(w.store.connections), 1)

	is(t, "answer", w.answer(ActionUnbanUser, "a", `{"user":"bert"}`), "ack")
	w.stream()
	w.join("b4", bert)
}

// A ban in a channel ends the subscriptions there, and refuses reading, writing
// and coming back; the user's connections stay.
func TestBanInAChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	w.known(bert, "b1", "b2")
	w.answer(ActionBanUser, "a", `{"user":"bert","channelId":"General","reason":"spam"}`)
	w.stream()
	equal(t, "General", w.subscribers("General"), []string{"a"})
	got := w.poster.take("b1")
	for _, want := range []string{"banned General spam", "subscriber_unsub General b1 banned Bert"} {
		if !slices.Contains(got, want) {
			t.Errorf("b1 got %q, want %s", got, want)
		}
	}
	for route, frame := range map[string]string{
		ActionSendMessage: `{"channelId":"General","content":"x"}`, ActionSubscribeChannel: `{"channelId":"General"}`,
		ActionGetHistory: `{"channelId":"General"}`, ActionListMembers: `{"channelId":"General"}`, ActionTyping: `{"channelId":"General"}`,
	} {
		is(t, route, w.answer(route, "b1", frame), "error banned")
	}
	// Also a service cannot put the user there.
	if err := w.store.PutSubscription(t.Context(), Subscription{ChannelID: "General", ConnectionID: "b2", User: "bert"}); err != nil {
		t.Fatal(err)
	}
	// And connecting joins the other channels alone.
	w.DefaultChannels = []string{"General", "Lobby"}
	w.join("b3", bert)
	w.stream()
	equal(t, "General", w.subscribers("General"), []string{"a"})
	equal(t, "Lobby", w.subscribers("Lobby"), []string{"b3"})

	w.poster.forget()
	w.answer(ActionUnbanUser, "a", `{"user":"bert","channelId":"General"}`)
	w.stream()
	equal(t, "told", w.poster.take("b1"), []string{"unbanned General"})
	is(t, "back", w.answer(ActionSubscribeChannel, "b1", `{"channelId":"General"}`), "subscribed General 0")
}

// What has been taken back before the stream gets to it does nothing.
func TestABanThatIsTakenBackDoesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []SanctionKind{Banned, Muted} {
		w := newWorld(t)
		w.known(bert, "b")
		if err := w.store.PutSanction(t.Context(), Sanction{Kind: kind, User: "bert", At: w.clock}); err != nil {
			t.Fatal(err)
		}
		put := w.store.takeChanges()
		if err := w.store.DeleteSanction(t.Context(), kind, "bert", ""); err != nil {
			t.Fatal(err)
		}
		deleted := w.store.takeChanges()
		for _, c := range put {
			if err := w.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "told", w.poster.take("b"), nil)
		equal(t, "General", w.subscribers("General"), []string{"b"})

		// Nor is it told that it is over, if there is one again by then.
		if err := w.store.PutSanction(t.Context(), Sanction{Kind: Muted, User: "bert", At: w.clock}); err != nil {
			t.Fatal(err)
		}
		if kind == Muted {
			for _, c := range deleted {
				if err := w.Apply(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			equal(t, "told", w.poster.take("b"), nil)
		}
	}
}

// A kick that is applied twice, or late, takes out who was there when it was
// made, and not who has come back since.
func TestAKickIsOfThoseWhoWereThere(t *testing.T) {
	t.Parallel()
	for _, channelID := range []string{"", "General"} {
		w := newWorld(t)
		w.known(anna, "a")
		w.known(bert, "b1", "b2")
		w.clock = w.clock.Add(300 * time.Millisecond)
		frame := `{"user":"bert","reason":"calm down"}`
		if channelID != "" {
			frame = `{"user":"bert","reason":"calm down","channelId":"General"}`
		}
		w.answer(ActionKickUser, "a", frame)
		kick := w.store.takeChanges()
		apply := func() {
			t.Helper()
			for _, c := range kick {
				if err := w.Apply(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			w.stream()
		}
		apply()
		equal(t, "General", w.subscribers("General"), []string{"a"})
		got := strings.Join(w.poster.take("b1"), "\n")
		for _, want := range []string{"kicked " + channelID, "calm down", "subscriber_unsub General b1 kicked Bert"} {
			if !strings.Contains(got, want) {
				t.Errorf("b1 got %q, want %s", got, want)
			}
		}
		is(t, "closed", len(w.poster.closed), map[string]int{"": 2, "General": 0}[channelID])
		is(t, "kicks that are left", len(w.store.sanctions), 0)

		w.clock = w.clock.Add(time.Millisecond)
		w.join("b3", bert)
		w.poster.forget()
		apply()
		// A client that is told takes itself to be out.
		equal(t, "who came back", w.poster.take("b3"), nil)
		equal(t, "General after a second application", w.subscribers("General"), []string{"a", "b3"})
		if !w.poster.closed["b3"].IsZero() {
			t.Error("who came back is closed")
		}
	}
}

// Whom a kick means goes by its own time, as far as the second in which it was
// written allows: the clocks of services differ, and may say nothing.
func TestLastMeant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ at, want time.Time }{
		{time.Time{}, start.Add(time.Second)},
		{start.Add(300 * time.Millisecond), start.Add(300 * time.Millisecond)},
		{start.Add(-time.Hour), start},
		{start.Add(time.Hour), start.Add(time.Second)},
	} {
		if got := (SanctionChanged{Sanction: Sanction{At: tt.at}, WrittenAt: start}).lastMeant(); !got.Equal(tt.want) {
			t.Errorf("of %v: %v, want %v", tt.at, got, tt.want)
		}
	}
}

func TestMute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	w.known(bert, "b1", "b2")
	w.answer(ActionMuteUser, "a", `{"user":"bert","channelId":"General","seconds":5}`)
	w.stream()
	for _, id := range []string{"b1", "b2"} {
		equal(t, "told", w.poster.take(id), []string{"muted General"})
	}
	equal(t, "others", w.poster.take("a"), nil)
	for route, frame := range map[string]string{
		ActionSendMessage: `{"channelId":"General","content":"x"}`, ActionTyping: `{"channelId":"General"}`,
		ActionEditMessage: `{"channelId":"General","seq":1,"content":"x"}`, ActionDeleteMessage: `{"channelId":"General","seq":1}`,
	} {
		is(t, route, w.answer(route, "b1", frame), "error muted")
	}
	is(t, "reading", w.answer(ActionGetHistory, "b1", `{"channelId":"General"}`), "history General")
	is(t, "elsewhere", w.answer(ActionSendMessage, "b1", `{"channelId":"Lobby","content":"x"}`), "ack Lobby 1")
	w.answer(ActionUnmuteUser, "a", `{"user":"bert","channelId":"General"}`)
	w.stream()
	equal(t, "told", w.poster.take("b1"), []string{"unmuted General"})
	is(t, "again", w.answer(ActionSendMessage, "b1", `{"channelId":"General","content":"x"}`), "ack General 1")
}

// One connection that cannot be closed keeps no other open, and is tried again
// with the record.
func TestABanGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(bert, "b1", "b2", "b3")
	x := Sanction{Kind: Banned, User: "bert", At: w.clock}
	if err := w.store.PutSanction(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	w.store.takeChanges()
	w.poster.answer = func(id string) error {
		if id == "b2" {
			return errFailedPost
		}
		return nil
	}
	if err := w.Apply(t.Context(), SanctionChanged{Sanction: x}); !errors.Is(err, errFailedPost) {
		t.Errorf("error %v", err)
	}
	is(t, "connections", len(w.store.connections), 1)
	equal(t, "General", w.subscribers("General"), nil)
	w.poster.answer = func(string) error { return nil }
	if err := w.Apply(t.Context(), SanctionChanged{Sanction: x}); err != nil {
		t.Fatal(err)
	}
	w.stream()
	is(t, "connections", len(w.store.connections), 0)
}

// Items of what can be no user and no channel are ignored.
func TestImpossibleSanctionsAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, x := range []Sanction{
		{Kind: Banned, User: strings.Repeat("x", 129)}, {Kind: Kicked, User: "a\x00"}, {Kind: Muted, User: "anna", ChannelID: "a|b"},
	} {
		w.store.fail = func(method string) error { return fmt.Errorf("%s was asked", method) }
		if err := w.Apply(t.Context(), SanctionChanged{Sanction: x}); err != nil {
			t.Error(err)
		}
	}
}

// A grant that is taken back, or reduced, ends the subscriptions that nothing
// else allows.
func TestLostGrants(t *testing.T) {
	t.Parallel()
	const team, news = "private:team", "private:news"
	for _, tt := range []struct {
		name     string
		identity Identity
		before   map[string]Rights // by channel
		after    map[string]Rights
		ends     []string
	}{
		{"taken back", bert, map[string]Rights{team: MayRead, news: MayRead}, map[string]Rights{team: 0, news: MayRead}, []string{team}},
		{"reduced", bert, map[string]Rights{team: MayRead | MayWrite, news: MayRead}, map[string]Rights{team: MayWrite, news: MayRead}, []string{team}},
		{"enlarged", bert, map[string]Rights{team: MayRead, news: MayRead}, map[string]Rights{team: MayRead | MayWrite, news: MayRead}, nil},
		{"everywhere", bert, map[string]Rights{"": MayRead}, map[string]Rights{"": 0}, []string{news, team}},
		{"everywhere, of one granted", bert, map[string]Rights{"": MayRead, team: MayRead}, map[string]Rights{"": 0, team: MayRead}, []string{news}},
		{
			"the connection's own",
			Identity{User: "bert", Name: "Bert", Channels: []string{"private:t*=read"}},
			map[string]Rights{"": MayRead},
			map[string]Rights{"": 0},
			[]string{news},
		},
		{"a moderator's", anna, map[string]Rights{"": MayRead}, map[string]Rights{"": 0}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.known(tt.identity, "b1", "b2")
			for channelID, rights := range tt.before {
				w.store.setGrant(tt.identity.User, channelID, rights)
			}
			for _, id := range []string{"b1", "b2"} {
				for _, channelID := range []string{team, news} {
					if _, err := w.Subscribe(t.Context(), id, channelID); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.stream()
			w.poster.forget()
			for channelID, rights := range tt.after {
				w.store.setGrant(tt.identity.User, channelID, rights)
			}
			w.stream()
			for _, channelID := range []string{team, news} {
				want := []string{"b1", "b2"}
				if slices.Contains(tt.ends, channelID) {
					want = nil
				}
				equal(t, channelID, w.subscribers(channelID), want)
			}
			equal(t, "General", w.subscribers("General"), []string{"b1", "b2"})
			for _, frame := range w.poster.take("b1") {
				if !strings.HasSuffix(frame, "forbidden Bert") {
					t.Errorf("b1 got %s", frame)
				}
			}
		})
	}
}

// A subscription lasts as long as the grant, also if that is changed.
func TestASubscriptionEndsWithItsGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(bert, "b")
	until := w.clock.Add(time.Hour)
	w.store.rules = func(string, string) Rules { return Rules{Grant: MayRead, GrantUntil: until} }
	for _, until = range []time.Time{w.clock.Add(time.Hour), w.clock.Add(time.Minute), {}} {
		if _, err := w.Subscribe(t.Context(), "b", "private:team"); err != nil {
			t.Fatal(err)
		}
		if err := w.Apply(t.Context(), GrantChanged{"bert", "private:team"}); err != nil {
			t.Fatal(err)
		}
		is(t, "end", w.store.subscriptions["private:team"]["b"].Until, until)
	}
}

// A grant for all private channels is of no account where none is needed: its end
// takes nobody out of a public one.
func TestAPublicChannelOutlastsAGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(bert, "b")
	w.store.rules = func(string, string) Rules { return Rules{Grant: MayRead, GrantUntil: w.clock.Add(time.Minute)} }
	if _, err := w.Subscribe(t.Context(), "b", "Lobby"); err != nil {
		t.Fatal(err)
	}
	is(t, "end", w.store.subscriptions["Lobby"]["b"].Until, time.Time{})
}

func TestSlowMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("nobody")
	w.known(anna, "a")
	w.known(bert, "b1", "b2")
	frame := func(id string) string {
		return fmt.Sprintf(`{"channelId":"General","name":"n","content":"x","id":%q}`, id)
	}
	is(t, "set", w.answer(ActionSetSlowMode, "a", `{"channelId":"General","seconds":30}`), "ack General")
	w.stream()
	if got := w.poster.frames["b1"]; len(got) != 1 || got[0] != `{"event":"slow_mode","channelId":"General","seconds":30,"at":"`+formatTime(w.clock)+`"}` {
		t.Errorf("the channel is told %q", got)
	}
	is(t, "the first", w.answer(ActionSendMessage, "b1", frame("1")), "ack 1 General 1")
	w.store.slowWait = 12500 * time.Millisecond
	is(t, "the same again", w.answer(ActionSendMessage, "b2", frame("1")), "ack 1 General 1")
	answer, err := w.Answer(t.Context(), ActionSendMessage, "b2", []byte(frame("2")))
	want := `{"event":"error","id":"2","code":"slow_mode","message":"\"General\" is in slow mode, one message in 30 s: wait 13 s","retryAfterMs":12500}`
	if err != nil || string(answer) != want {
		t.Errorf("another: %s, %v, want %s", answer, err, want)
	}
	is(t, "a moderator's", w.answer(ActionSendMessage, "a", frame("3")), "ack 3 General 2")
	is(t, "elsewhere", w.answer(ActionSendMessage, "b1", `{"channelId":"Lobby","content":"x"}`), "ack Lobby 1")
	is(t, "an anonymous one's", w.answer(ActionSendMessage, "nobody", frame("4")), "ack 4 General 3")
	equal(t, "who has waited", w.store.slowSenders, []string{"slow|General|30s|user|bert", "slow|General|30s|connection|nobody"})
	w.answer(ActionSetSlowMode, "a", `{"channelId":"General","seconds":0}`)
	is(t, "without", w.answer(ActionSendMessage, "b1", frame("5")), "ack 5 General 4")
	is(t, "numbers taken", w.store.seqs["General"], int64(4))
}

// Of two copies of a message at once, the one that comes too late for a token is
// not told to wait once the other is known.
func TestSlowModeDoesNotRefuseACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(bert, "b")
	w.store.slow["General"] = time.Minute
	d := Draft{ID: "1", ChannelID: "General", Content: "x"}
	first := true
	w.store.fail = func(method string) error {
		if method == "TakeTokens" && first && len(w.store.taken) > 0 { // not the one of the rate
			first = false
			if _, err := w.Service.Send(t.Context(), w.caller("b"), d); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	m, err := w.Service.Send(t.Context(), w.caller("b"), d)
	if err != nil || m.Seq != 1 || first {
		t.Errorf("message %d, %v", m.Seq, err)
	}
}

func TestDeleteRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.known(anna, "a")
	w.known(bert, "b")
	for _, text := range []string{"one", "two", "three"} {
		if _, err := w.Send(t.Context(), "b", "General", "", text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Edit(t.Context(), "b", "General", 2, "TWO"); err != nil { // is 4
		t.Fatal(err)
	}
	w.poster.forget()
	apply := func(r DeleteRequest) (events []string) {
		t.Helper()
		w.store.requestDelete(r)
		w.stream()
		events = w.poster.frames["a"]
		w.poster.forget()
		return events
	}
	deleted := func(seq, target int64, author string) string {
		return fmt.Sprintf(`{"event":"message_deleted","channelId":"General","seq":%d,"targetSeq":%d,"messageId":"id-%d","at":"%s"%s}`,
			seq, target, target, formatTime(w.clock), author)
	}
	const author = `,"senderId":"b","user":"bert"`
	equal(t, "deleted", apply(DeleteRequest{ChannelID: "General", Key: "1"}), []string{deleted(5, 1, author)})
	equal(t, "deleted again", apply(DeleteRequest{ChannelID: "General", Key: "00000000000000000001"}), nil)
	equal(t, "erased", apply(DeleteRequest{ChannelID: "General", Key: "2", Erase: true}), []string{deleted(6, 2, "")})
	equal(t, "erased when it is deleted already", apply(DeleteRequest{ChannelID: "General", Key: "1", Erase: true}), nil)
	is(t, "requests that are left", len(w.store.toDelete), 0)
	for seq, m := range w.store.messages["General"] {
		if seq != 3 && (m.User+m.Name+m.SenderID+m.Content != "" || m.ID == "") {
			t.Errorf("%d is %+v", seq, m)
		}
	}
	if m, err := w.Service.Send(t.Context(), w.caller("b"), Draft{ChannelID: DirectChannel("anna", "bert"), To: "anna", Content: "psst"}); err != nil {
		t.Fatal(err)
	} else {
		w.poster.forget()
		is(t, "events of a direct message that is deleted", len(apply(DeleteRequest{ChannelID: m.ChannelID, Key: "1"})), 1)
		equal(t, "erased", apply(DeleteRequest{ChannelID: m.ChannelID, Key: "1", Erase: true}), nil)
		if got := w.store.rejected[m.ChannelID+"|1"]; !strings.Contains(got, "cannot lose its author") {
			t.Errorf("rejected with %q", got)
		}
	}
	for key, says := range map[string]string{
		"9": "no message with the number 9", "4": "no message with the number 4", "0": "names no message", "-1": "names no message",
		"x": "names no message", "9007199254740992": "names no message",
	} {
		equal(t, "announced for "+key, apply(DeleteRequest{ChannelID: "General", Key: key}), nil)
		if got := w.store.rejected["General|"+key]; !strings.Contains(got, says) {
			t.Errorf("%s is rejected with %q, want %q", key, got, says)
		}
	}
}
