package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// join connects a user, lets the stream run and forgets what was posted.
func (w *world) join(connectionID string, i Identity) {
	w.t.Helper()
	if i.Name == "" {
		i.Name = i.User
	}
	if err := w.Connect(w.t.Context(), Connection{ID: connectionID, ConnectedAt: w.clock, Identity: i}); err != nil {
		w.t.Fatal(err)
	}
	w.stream()
	w.poster.take(connectionID)
}

// Only who has a grant takes part in a private channel, as far as the grant goes;
// everybody takes part in the others.
func TestPrivateChannelsNeedAGrant(t *testing.T) {
	t.Parallel()
	grants := map[string]Identity{
		"nobody":    {},
		"user":      {User: "u"},
		"reader":    {User: "r", Channels: []string{"private:a=read"}},
		"writer":    {User: "w", Channels: []string{"private:a=write"}},
		"both":      {User: "b", Channels: []string{"private:*"}},
		"elsewhere": {User: "e", Channels: []string{"private:b", "a", "*x"}},
		"moderator": {User: "m", Moderates: []string{"private:*"}},
		"granted":   {User: "g"}, // by an item
	}
	allowed := map[string][]string{
		MayRead.String():  {"both", "granted", "moderator", "reader"},
		MayWrite.String(): {"both", "moderator", "writer"},
	}
	actions := map[string]Rights{
		ActionSubscribeChannel: MayRead, ActionGetHistory: MayRead, ActionListMembers: MayRead,
		ActionSendMessage: MayWrite, ActionEditMessage: MayWrite, ActionDeleteMessage: MayWrite, ActionTyping: MayWrite,
	}
	for who, identity := range grants {
		for action, needs := range actions {
			for _, channelID := range []string{"private:a", "public"} {
				t.Run(who+" "+action+" "+channelID, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.store.rules = func(user, channelID string) (r Rules) {
						if user == "g" && channelID == "private:a" {
							r.Grant = MayRead
						}
						return r
					}
					w.join("c", identity)
					answer := w.answer(action, "c", fmt.Sprintf(`{"channelId":%q,"name":"n","content":"x","seq":1}`, channelID))
					refused := strings.HasPrefix(answer, "error forbidden")
					if want := channelID == "private:a" && !slices.Contains(allowed[needs.String()], who); refused != want {
						t.Errorf("%s: refused %t, want %t", answer, refused, want)
					}
					if refused && (len(w.store.messages) > 0 || len(w.store.subscriptions["private:a"]) > 0) {
						t.Error("something was stored")
					}
				})
			}
		}
	}
}

// A ban, or the end of a grant, that comes while somebody subscribes ends the
// subscription, whichever of the two is stored first.
func TestSubscribeFindsWhatEndedItMeanwhile(t *testing.T) {
	t.Parallel()
	for code, after := range map[Code]Rules{
		CodeBanned: {Ban: &Sanction{Kind: Banned, User: "u", ChannelID: "private:a"}}, CodeForbidden: {},
	} {
		w := newWorld(t)
		w.join("c", Identity{User: "u"})
		stored := false
		w.store.fail = func(method string) error {
			stored = stored || method == "PutSubscription"
			return nil
		}
		w.store.rules = func(string, string) Rules {
			if stored {
				return after
			}
			return Rules{Grant: MayRead}
		}
		if answer := w.answer(ActionSubscribeChannel, "c", `{"channelId":"private:a"}`); answer != "error "+string(code) {
			t.Errorf("%s, want %s", answer, code)
		}
		w.stream()
		if got := w.subscribers("private:a"); len(got) > 0 {
			t.Errorf("%s is in the channel", got)
		}
	}
}

// Who is banned everywhere is refused, and who is banned in a default channel is
// everywhere else.
func TestConnectOfTheBanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.DefaultChannels = []string{"General", "News", "private:staff"}
	w.store.rules = func(user, channelID string) (r Rules) {
		if user == "everywhere" || user == "there" && channelID == "News" {
			r.Ban = &Sanction{Kind: Banned, User: user, Until: start.Add(time.Hour), Reason: "spam"}
		}
		return r
	}
	err := w.Connect(t.Context(), Connection{ID: "a", ConnectedAt: start, Identity: Identity{User: "everywhere"}})
	if ErrorCode(err) != CodeBanned || !strings.Contains(err.Error(), "you are banned until 2026-03-01T13:00:00.000Z: spam") {
		t.Errorf("%v", err)
	}
	if len(w.store.connections)+len(w.subscribers("General")) > 0 {
		t.Error("something of the connection is left")
	}
	w.join("b", Identity{User: "there"})
	for channelID, want := range map[string]int{"General": 1, "News": 0, "private:staff": 0} {
		if got := w.subscribers(channelID); len(got) != want {
			t.Errorf("%s has %v", channelID, got)
		}
	}
}

// Who is kicked while connecting is not let in: the kick could not close what was
// not open yet.
func TestAKickWhileConnectingRefusesTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.fail = func(method string) error {
		if method == "GetRules" && len(w.store.connections) > 0 && len(w.store.subscriptions["General"]) > 0 {
			delete(w.store.connections, "a")
		}
		return nil
	}
	err := w.Connect(t.Context(), Connection{ID: "a", ConnectedAt: start, Identity: Identity{User: "ann"}})
	if ErrorCode(err) != CodeConnectionOver || len(w.subscribers("General")) > 0 {
		t.Errorf("%v, subscribers %v", err, w.subscribers("General"))
	}
}

// At a stage with identity, nobody is refused, whatever is asked for.
func TestNobodyIsRefusedWhereUsersAreRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.RequireUser = true
	err := w.Connect(t.Context(), Connection{ID: "a", ConnectedAt: start})
	if ErrorCode(err) != CodeIdentityRequired || len(w.store.connections) > 0 {
		t.Errorf("%v, %v", err, w.store.connections)
	}
	for _, action := range w.actions() {
		if answer := w.answer(action, "a", `{"channelId":"General","name":"n","content":"x"}`); answer != "error identity_required" {
			t.Errorf("%s: %s", action, answer)
		}
	}
}

// The name and the user in every event are the token's, whatever the frame says.
func TestNameAndUserAreTheTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("bob")
	w.join("a1", Identity{User: "ann", Name: "Ann Lee"})
	if got, want := w.poster.take("bob"), []string{"subscriber_sub General a1 Ann Lee"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, step := range []struct{ action, frame, event string }{
		{ActionSendMessage, `{"channelId":"General","name":"boss","content":"x"}`, "channel_message"},
		{ActionSendMessage, `{"channelId":"General","content":"x"}`, "channel_message"},
		{ActionEditMessage, `{"channelId":"General","seq":1,"content":"y"}`, "message_edited"},
		{ActionTyping, `{"channelId":"General","name":"boss"}`, "typing"},
	} {
		w.answer(step.action, "a1", step.frame)
		raw := w.poster.frames["bob"]
		if len(raw) != 1 || !strings.Contains(raw[0], `"event":"`+step.event+`"`) ||
			!strings.Contains(raw[0], `"name":"Ann Lee"`) || !strings.Contains(raw[0], `"user":"ann"`) {
			t.Errorf("%s: %s", step.frame, raw)
		}
		w.poster.take("bob")
	}
	answer, err := w.Answer(t.Context(), ActionWhoAmI, "a1", []byte(`{}`))
	if err != nil || !strings.Contains(string(answer), `"user":"ann","name":"Ann Lee"`) {
		t.Errorf("%s, %v", answer, err)
	}
}

// A name of the token's that is too long for the stage is cut, not refused.
func TestATokensNameIsCutToTheStagesLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.Name = 5
	w.join("a", Identity{User: "ann", Name: "Annabel Lee"})
	if got := w.answer(ActionSendMessage, "a", `{"channelId":"General","content":"x"}`); got != "ack General 1" {
		t.Error(got)
	}
	if got, want := w.poster.take("a"), []string{"channel_message General 1 Annab x"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if m := w.store.members["General"]["USER|ann"]; m.Name != "Annab" {
		t.Errorf("member %+v", m)
	}
}

// A user is the same on every connection: a send is known again there, a message
// is edited there, and all of them share one rate.
func TestAUserIsTheSameOnEveryConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a1", Identity{User: "ann"})
	w.join("a2", Identity{User: "ann"})
	w.join("b", Identity{User: "bob"})
	w.join("m", Identity{User: "mod", Moderates: []string{"Gen*"}})
	first := w.answer(ActionSendMessage, "a1", sendFrame)
	if again := w.answer(ActionSendMessage, "a2", sendFrame); again != first || len(w.store.messages["General"]) != 1 {
		t.Errorf("%s, and again %s", first, again)
	}
	for _, step := range []struct{ id, action, want string }{
		{"b", ActionEditMessage, "error not_author"},
		{"a2", ActionEditMessage, "ack General 2"},
		{"b", ActionDeleteMessage, "error not_author"},
		{"m", ActionDeleteMessage, "ack General 3"},
	} {
		if got := w.answer(step.action, step.id, `{"channelId":"General","seq":1,"content":"z"}`); got != step.want {
			t.Errorf("%s by %s: %s, want %s", step.action, step.id, got, step.want)
		}
	}
	w.store.wait = time.Second
	w.store.taken, w.senders = nil, senders{}
	for _, id := range []string{"a1", "a2"} {
		answer, err := w.Answer(t.Context(), ActionSendMessage, id, []byte(`{"channelId":"General","content":"x"}`))
		if err != nil || !strings.Contains(string(answer), `"code":"rate_limited"`) || !strings.Contains(string(answer), `"retryAfterMs":1000`) {
			t.Errorf("%s, %v", answer, err)
		}
	}
}

// The tabs of one user are one member with several connections, whose coming and
// going leave the count alone.
func TestTabsOfOneUserAreOneMember(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	members := func() string {
		answer, err := w.Answer(t.Context(), ActionListMembers, "b", []byte(`{"channelId":"General"}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	w.join("b", Identity{User: "bob"})
	for i, id := range []string{"a1", "a2", "a3"} {
		w.join(id, Identity{User: "ann"})
		if got := members(); !strings.Contains(got, `"count":2`) {
			t.Errorf("with %d tabs: %s", i+1, got)
		}
	}
	if got := members(); !strings.Contains(got, `{"user":"ann","name":"ann","connections":["a1","a2","a3"],"since":"2026-03-01T12:00:00.000Z"}`) {
		t.Errorf("%s", got)
	}
	for _, id := range []string{"a2", "a1"} {
		if err := w.Disconnect(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		w.stream()
	}
	if got := members(); !strings.Contains(got, `"connections":["a3"]`) || !strings.Contains(got, `"count":2`) {
		t.Errorf("%s", got)
	}
	if err := w.Disconnect(t.Context(), "a3"); err != nil {
		t.Fatal(err)
	}
	w.stream()
	if got := members(); strings.Contains(got, `"ann"`) || !strings.Contains(got, `"count":1`) {
		t.Errorf("%s", got)
	}
}

// A subscription of which a service wrote the key alone is of the connection's
// user, also in what others are told.
func TestAServicesSubscriptionIsOfTheConnectionsUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a", Identity{User: "ann", Name: "Ann"})
	sub := Subscription{ChannelID: "VIP", ConnectionID: "a", Since: start}
	w.store.subscribe(sub)
	if err := w.Apply(t.Context(), Joined{Subscription: sub, Incomplete: true}); err != nil {
		t.Fatal(err)
	}
	if got := w.poster.frames["a"]; len(got) != 1 || !strings.Contains(got[0], `"user":"ann","name":"Ann","count":1`) {
		t.Errorf("%s", got)
	}
	if m := w.store.members["VIP"]["USER|ann"]; !slices.Equal(m.Connections, []string{"a"}) {
		t.Errorf("member %+v", m)
	}
}

// A subscription of a banned user is ended, whoever put it.
func TestAServiceCannotLetTheBannedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a", Identity{User: "ann"})
	w.store.rules = func(_, channelID string) (r Rules) {
		if channelID == "VIP" {
			r.Ban = &Sanction{Kind: Banned, User: "ann", ChannelID: channelID}
		}
		return r
	}
	sub := Subscription{ChannelID: "VIP", ConnectionID: "a", Since: start}
	w.store.subscribe(sub)
	if err := w.Apply(t.Context(), Joined{Subscription: sub, Incomplete: true}); err != nil {
		t.Fatal(err)
	}
	w.stream()
	if got := w.subscribers("VIP"); len(got) > 0 || len(w.store.members["VIP"]) > 0 {
		t.Errorf("%v is in the channel, members %v", got, w.store.members["VIP"])
	}
}

// A failure to read the rules is no refusal: the frame is answered as ours.
func TestRulesThatCannotBeReadAreAnInternalError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a", Identity{User: "ann"})
	broken := errors.New("table is down")
	w.store.fail = func(method string) error {
		if method == "GetRules" {
			return broken
		}
		return nil
	}
	answer, err := w.Answer(t.Context(), ActionSendMessage, "a", []byte(`{"channelId":"General","content":"x"}`))
	if !errors.Is(err, broken) || shorten(string(answer)) != "error internal" || len(w.store.messages) > 0 {
		t.Errorf("%s, %v", answer, err)
	}
}
