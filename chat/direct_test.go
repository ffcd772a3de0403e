package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// newUsers makes a world of old connections, each of the user whose name its id
// begins with; those of "nobody" are anonymous.
func newUsers(t *testing.T, connections ...string) *world {
	t.Helper()
	w := newWorld(t)
	for _, id := range connections {
		user := strings.TrimRight(id, "0123456789")
		if user == "nobody" {
			user = ""
		}
		w.join(id, Identity{User: user, Name: strings.ToUpper(user)})
	}
	clear(w.poster.frames) // also of those who connected later
	w.clock = w.clock.Add(time.Minute)
	return w
}

const toBob = `{"action":"sendDirect","id":"7","user":"bob","content":"hello"}`

// The names of conversations are stored: they must never change.
func TestDirectChannel(t *testing.T) {
	t.Parallel()
	if got, want := DirectChannel("anna", "bert"), "direct:xAQOBw18RET5ZgfUNl0MIw"; got != want {
		t.Errorf("anna and bert are in %s, want %s", got, want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		user := rapid.StringN(1, MaxUser, -1)
		a, b, c, d := user.Draw(rt, "a"), user.Draw(rt, "b"), user.Draw(rt, "c"), user.Draw(rt, "d")
		id := DirectChannel(a, b)
		if id != DirectChannel(b, a) || len(id) != len(DirectPrefix)+22 {
			rt.Fatalf("%q", id)
		}
		same := a == c && b == d || a == d && b == c
		if (id == DirectChannel(c, d)) != same {
			rt.Fatalf("%q, %q and %q, %q share %t", a, b, c, d, !same)
		}
	})
}

func TestSendDirect(t *testing.T) {
	t.Parallel()
	channel := DirectChannel("ann", "bob")
	event := "direct_message " + channel + " 1 bob ANN hello"
	t.Run("to every connection of both, and to nobody else", func(t *testing.T) {
		t.Parallel()
		w := newUsers(t, "ann1", "ann2", "bob1", "bob2", "eve", "nobody")
		if got := w.answer(ActionSendDirect, "ann1", toBob); got != "ack 7 "+channel+" 1" {
			t.Errorf("answer %s", got)
		}
		w.stream()
		for _, id := range []string{"ann1", "ann2", "bob1", "bob2"} {
			equal(t, id, w.poster.take(id), []string{event})
		}
		for _, id := range []string{"eve", "nobody"} {
			equal(t, id, w.poster.take(id), nil)
		}
	})
	t.Run("to oneself", func(t *testing.T) {
		t.Parallel()
		w := newUsers(t, "ann1", "ann2", "bob")
		notes := DirectChannel("ann", "ann")
		if got := w.answer(ActionSendDirect, "ann1", strings.Replace(toBob, "bob", "ann", 1)); got != "ack 7 "+notes+" 1" {
			t.Errorf("answer %s", got)
		}
		for _, id := range []string{"ann1", "ann2"} {
			equal(t, id, w.poster.take(id), []string{"direct_message " + notes + " 1 ann ANN hello"})
		}
		equal(t, "bob", w.poster.take("bob"), nil)
		equal(t, "directs", slices.Collect(maps.Keys(w.store.directs)), []string{"ann"})
	})
	t.Run("with the name of the token, whatever the frame says", func(t *testing.T) {
		t.Parallel()
		w := newUsers(t, "ann", "bob")
		w.answer(ActionSendDirect, "ann", strings.Replace(toBob, `"content"`, `"name":"root","content"`, 1))
		equal(t, "bob", w.poster.take("bob"), []string{event})
	})
	t.Run("the same again is the same message, another under the id a mistake", func(t *testing.T) {
		t.Parallel()
		w := newUsers(t, "ann1", "ann2", "bob", "eve")
		for _, id := range []string{"ann1", "ann2"} { // also after a reconnect
			if got := w.answer(ActionSendDirect, id, toBob); got != "ack 7 "+channel+" 1" {
				t.Errorf("answer %s", got)
			}
		}
		equal(t, "bob", slices.Compact(w.poster.take("bob")), []string{event})
		for _, other := range []string{strings.Replace(toBob, "hello", "hullo", 1), strings.Replace(toBob, "bob", "eve", 1)} {
			if got := w.answer(ActionSendDirect, "ann1", other); got != "error 7 id_reused" {
				t.Errorf("%s: %s", other, got)
			}
		}
	})
	t.Run("a first attempt that crashed is made good", func(t *testing.T) {
		t.Parallel()
		for _, at := range []string{"GetRules", "GetSent", "NextSeq", "PutSent", "PutMessage", "PutDirect", "ListDevices"} {
			w := newUsers(t, "ann", "bob")
			w.store.fail = func(method string) error {
				if method == at || method == "PutDelivery" {
					return errors.New("killed")
				}
				return nil
			}
			if answer, err := w.Answer(t.Context(), ActionSendDirect, "ann", []byte(toBob)); err == nil {
				t.Fatalf("%s fails, and the answer is %s", at, answer)
			}
			w.store.fail = func(string) error { return nil }
			w.answer(ActionSendDirect, "ann", toBob)
			seq := w.store.seqs[channel] // of two, if the first was taken in vain
			equal(t, "bob", slices.Compact(w.poster.take("bob")), []string{strings.Replace(event, " 1 ", fmt.Sprintf(" %d ", seq), 1)})
			if n, d := len(w.store.messages[channel]), w.store.directs["bob"]["ann"]; n != 1 || d.Seq != seq {
				t.Errorf("crash at %s: %d messages, the last in bob's list %d", at, n, d.Seq)
			}
		}
	})
	t.Run("what it costs", func(t *testing.T) {
		t.Parallel()
		w := newUsers(t, "ann", "bob")
		w.answer(ActionSendDirect, "ann", strings.Replace(toBob, `"7"`, `"6"`, 1)) // which takes tokens for a few
		var calls []string
		w.store.fail = func(method string) error {
			calls = append(calls, method)
			return nil
		}
		w.answer(ActionSendDirect, "ann", toBob)
		equal(t, "calls", calls, []string{"GetRules", "GetSent", "NextSeq", "PutSent", "PutMessage", "PutDirect", "ListDevices", "ListDevices"})
	})
}

func TestSendDirectIsRefused(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann", "nobody")
	long := strings.Repeat("u", MaxUser+1)
	for _, tt := range []struct{ from, frame, want string }{
		{"nobody", `{"user":"bob","name":"n","content":"x"}`, "identity_required"},
		{"nobody", `{}`, "identity_required"},
		{"ann", `{"content":"x"}`, "missing_field"},
		{"ann", `{"user":null,"content":"x"}`, "invalid_type"},
		{"ann", `{"user":"","content":"x"}`, "invalid_user"},
		{"ann", `{"user":"a\u0000","content":"x"}`, "invalid_user"},
		{"ann", `{"user":"` + long + `","content":"x"}`, "invalid_user"},
		{"ann", `{"user":"bob"}`, "missing_field"},
		{"ann", `{"user":"bob","content":"<x>"}`, "content_empty"},
	} {
		if got := w.answer(ActionSendDirect, tt.from, tt.frame); got != "error "+tt.want {
			t.Errorf("%s: %s, want %s", tt.frame, got, tt.want)
		}
	}
	if _, err := w.Service.Send(t.Context(), w.caller("nobody"), Draft{To: "ann", Name: "n", Content: "x"}); ErrorCode(err) != CodeIdentityRequired {
		t.Errorf("Send by nobody: %v", err)
	}
	if _, err := w.Service.Send(t.Context(), w.caller("ann"), Draft{To: long, Content: "x"}); ErrorCode(err) != CodeInvalidUser {
		t.Errorf("Send to nobody's name: %v", err)
	}
	if len(w.store.seqs) != 1 { // General's
		t.Errorf("numbers taken: %v", w.store.seqs)
	}

	w.store.wait = 1
	if got := w.answer(ActionSendDirect, "ann", toBob); got != "error 7 rate_limited" {
		t.Errorf("too fast: %s", got)
	}
	w.clock, w.store.wait = w.clock.Add(leaseFor), 0
	for code, rules := range map[Code]Rules{CodeBanned: {Ban: &Sanction{Kind: Banned}}, CodeMuted: {Mute: &Sanction{Kind: Muted}}} {
		w.store.rules = func(user, channelID string) Rules {
			if user == "ann" && channelID == "" {
				return rules
			}
			return Rules{}
		}
		if got := w.answer(ActionSendDirect, "ann", toBob); got != "error 7 "+string(code) {
			t.Errorf("%s: %s", code, got)
		}
		for route, want := range map[string]bool{ActionGetHistory: code == CodeBanned, ActionListDirects: code == CodeBanned, ActionDeleteMessage: true} {
			if got := w.answer(route, "ann", `{"user":"bob","seq":1}`); strings.HasSuffix(got, string(code)) != want {
				t.Errorf("%s if %s: %s", route, code, got)
			}
		}
	}
}

// Nobody gets at a conversation by the name of its channel: neither a client nor
// a service, by whatever way.
func TestConversationsHaveNoNames(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann", "bob", "eve")
	w.answer(ActionSendDirect, "ann", toBob)
	for _, id := range []string{"ann", "bob", "eve"} {
		w.poster.take(id)
	}
	channel := DirectChannel("ann", "bob")
	frame := fmt.Sprintf(`{"channelId":%q,"seq":1,"content":"x"}`, channel)
	for _, route := range []string{
		ActionSendMessage, ActionSubscribeChannel, ActionUnsubscribeChannel, ActionGetHistory, ActionListMembers,
		ActionTyping, ActionEditMessage, ActionDeleteMessage,
	} {
		for _, id := range []string{"ann", "eve"} {
			answer, err := w.Answer(t.Context(), route, id, []byte(frame))
			if err != nil || !strings.Contains(string(answer), `"code":"forbidden"`) || !strings.Contains(string(answer), "name the user instead") {
				t.Errorf("%s by %s: %s, %v", route, id, answer, err)
			}
		}
	}
	// A service that puts eve into the channel, and speaks there.
	w.store.subscribe(Subscription{ChannelID: channel, ConnectionID: "eve", Since: start})
	w.store.changes = append(w.store.changes, Joined{Subscription: w.store.subscriptions[channel]["eve"]})
	w.store.request(PublishRequest{ChannelID: channel, Key: "k", Name: "bot", Content: "x"})
	w.stream()
	if got := w.store.rejected[channel+"|k"]; !strings.Contains(got, "direct:") {
		t.Errorf("a request is rejected with %q", got)
	}
	w.answer(ActionSendDirect, "bob", `{"user":"ann","content":"back"}`)
	// Also when there is nobody to be told.
	w.store.devices = map[string]map[string]bool{}
	w.answer(ActionSendDirect, "bob", `{"user":"ann","content":"again"}`)
	w.stream()
	equal(t, "eve", w.poster.take("eve"), nil)
	equal(t, "bob", w.poster.take("bob"), []string{"direct_message " + channel + " 2 ann BOB back"})
}

// Edits and deletions of direct messages are of their author alone, whoever
// moderates, and go to both users.
func TestReviseDirect(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann1", "ann2", "bob", "eve")
	channel := DirectChannel("ann", "bob")
	for _, id := range []string{"bob", "eve"} {
		c := w.store.connections[id]
		c.Moderates = []string{"*", "direct:*"}
		w.store.connections[id] = c
	}
	w.answer(ActionSendDirect, "ann1", toBob)
	for route, frame := range map[string]string{
		ActionEditMessage: `{"user":"ann","seq":1,"content":"mine"}`, ActionDeleteMessage: `{"user":"ann","seq":1}`,
	} {
		if got := w.answer(route, "bob", frame); got != "error not_author" {
			t.Errorf("%s by the other: %s", route, got)
		}
		if got := w.answer(route, "eve", frame); got != "error message_not_found" {
			t.Errorf("%s by eve: %s", route, got)
		}
		if _, err := w.Service.Delete(t.Context(), w.caller("eve"), channel, 1); ErrorCode(err) != CodeNotAuthor {
			t.Errorf("by the name of the channel: %v", err)
		}
		both := strings.Replace(frame, "{", `{"channelId":"General",`, 1)
		if got := w.answer(route, "ann1", both); got != "error invalid_range" {
			t.Errorf("%s of a user and a channel: %s", route, got)
		}
	}
	for _, id := range []string{"ann1", "ann2", "bob"} {
		w.poster.take(id)
	}
	if got := w.answer(ActionEditMessage, "ann2", `{"user":"bob","seq":1,"content":"hullo"}`); got != "ack "+channel+" 2" {
		t.Errorf("edit: %s", got)
	}
	if got := w.answer(ActionDeleteMessage, "ann1", `{"user":"bob","seq":1}`); got != "ack "+channel+" 3" {
		t.Errorf("delete: %s", got)
	}
	for _, id := range []string{"ann1", "ann2", "bob"} {
		equal(t, id, w.poster.take(id), []string{"message_edited " + channel + " 2 bob ANN hullo", "message_deleted " + channel + " 3 bob"})
	}
	equal(t, "eve", w.poster.take("eve"), nil)
	delete(w.store.messages[channel], 1) // as if it had expired
	answer, err := w.Answer(t.Context(), ActionGetHistory, "bob", []byte(`{"user":"ann","limit":1}`))
	if err != nil || !strings.Contains(string(answer), `"to":"bob"`) {
		t.Errorf("history of a revision whose message is gone: %s, %v", answer, err)
	}
}

// Who was away finds the conversation in the list, and what was said in its
// history; nobody else finds anything.
func TestHistoryOfDirectMessages(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann", "eve", "nobody")
	for _, content := range []string{"one", "two"} {
		w.answer(ActionSendDirect, "ann", fmt.Sprintf(`{"user":"bob","content":%q}`, content))
	}
	w.join("bob", Identity{User: "bob", Name: "B"})
	var l directsEvent
	answer, err := w.Answer(t.Context(), ActionListDirects, "bob", []byte(`{"id":"1"}`))
	if err := errors.Join(err, json.Unmarshal(answer, &l)); err != nil {
		t.Fatal(err)
	}
	channel := DirectChannel("ann", "bob")
	want := fmt.Sprintf(`{"user":"ann","channelId":%q,"seq":2,"at":"2026-03-01T12:01:00.000Z"}`, channel)
	if l.Event != "directs" || l.ID != "1" || len(l.Directs) != 1 || string(l.Directs[0]) != want {
		t.Errorf("bob's list is %s, want %s", answer, want)
	}
	contents := func(id, peer string) (all []string) {
		var h historyEvent
		answer, err := w.Answer(t.Context(), ActionGetHistory, id, []byte(fmt.Sprintf(`{"user":%q,"after":0}`, peer)))
		if err := errors.Join(err, json.Unmarshal(answer, &h)); err != nil {
			t.Fatal(err)
		}
		for _, m := range h.Messages {
			all = append(all, shorten(string(m)))
		}
		return all
	}
	told := []string{"direct_message " + channel + " 1 bob ANN one", "direct_message " + channel + " 2 bob ANN two"}
	equal(t, "bob, of ann", contents("bob", "ann"), told)
	equal(t, "ann, of bob", contents("ann", "bob"), told)
	equal(t, "eve, of bob", contents("eve", "bob"), nil)
	for _, route := range []string{ActionGetHistory, ActionListDirects} {
		if got := w.answer(route, "nobody", `{"user":"ann"}`); got != "error identity_required" {
			t.Errorf("%s by nobody: %s", route, got)
		}
	}
	for _, route := range []string{ActionSendDirect, ActionListDirects} { // at a stage that has no such routes
		frame := fmt.Sprintf(`{"action":%q}`, route)
		if got := w.answer(RouteDefault, "nobody", frame); got != "error identity_required" {
			t.Errorf("%s, by default: %s", route, got)
		}
	}
}

// Every conversation is listed once, page by page, in frames of at most 32 KB,
// whatever the names, and no page reads the whole list.
func TestListDirects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newUsers(t, "ann")
		var want []string
		for i := range rapid.IntRange(0, 350).Draw(rt, "conversations") {
			peer := fmt.Sprintf("%04d%s", i, strings.Repeat(`"`, rapid.SampledFrom([]int{0, 10, 120}).Draw(rt, "length")))
			m := Message{ChannelID: DirectChannel("ann", peer), User: peer, To: "ann", Seq: int64(i + 1), At: start}
			if err := w.Store.PutDirect(t.Context(), m); err != nil {
				rt.Fatal(err)
			}
			want = append(want, peer)
		}
		var got []string
		frame := `{"id":"7"}`
		for more := true; more; {
			answer, err := w.Answer(t.Context(), ActionListDirects, "ann", []byte(frame))
			var l directsEvent
			if err != nil || len(answer) > MaxFrame || json.Unmarshal(answer, &l) != nil || l.Event != "directs" {
				rt.Fatalf("%.300s, %v", answer, err)
			}
			if len(l.Directs) > MaxDirects || len(l.Directs) == 0 && l.Cursor != "" {
				rt.Fatalf("a page of %d, cursor %q", len(l.Directs), l.Cursor)
			}
			for _, raw := range l.Directs {
				var d directEvent
				if err := json.Unmarshal(raw, &d); err != nil || d.ChannelID != DirectChannel("ann", d.User) {
					rt.Fatalf("%s, %v", raw, err)
				}
				got = append(got, d.User)
			}
			more = l.Cursor != ""
			frame = fmt.Sprintf(`{"id":"7","cursor":%s}`, encode(l.Cursor))
		}
		if !slices.Equal(got, want) || w.store.overread {
			rt.Fatalf("%d conversations, want %d, too many read %t", len(got), len(want), w.store.overread)
		}
	})
}

// A connection that is gone is none of its user's any more, also one that was
// never one: what began to be made and was not.
func TestGoneDevicesAreRemoved(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann", "bob1", "bob2")
	w.store.addDevice("bob", "ghost")
	w.poster.answer = func(id string) error {
		if id == "bob1" || id == "ghost" {
			return errGonePost
		}
		return nil
	}
	w.answer(ActionSendDirect, "ann", toBob)
	w.stream()
	equal(t, "devices of bob", slices.Sorted(maps.Keys(w.store.devices["bob"])), []string{"bob2"})
	equal(t, "General", w.subscribers("General"), []string{"ann", "bob2"})
	if len(w.store.deliveries) != 0 {
		t.Errorf("left over: %v", w.store.deliveries)
	}
}

// A connection that is young is waited for, as in channels.
func TestYoungDevicesAreWaitedFor(t *testing.T) {
	t.Parallel()
	w := newUsers(t, "ann")
	w.join("bob", Identity{User: "bob", Name: "B"})
	w.poster.answer = func(id string) error {
		if id == "bob" {
			return errGonePost
		}
		return nil
	}
	w.answer(ActionSendDirect, "ann", toBob)
	w.poster.answer = func(string) error { return nil }
	w.stream()
	equal(t, "bob", w.poster.take("bob"), []string{"direct_message " + DirectChannel("ann", "bob") + " 1 bob ANN hello"})
}

// What the store cannot list, the stream delivers.
func TestDirectMessagesAreHandedOver(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"ann1", "ann2", "bob1", "bob2"} {
		w := newUsers(t, "ann1", "ann2", "bob1", "bob2")
		failed := false
		w.store.listed = func(id string) error {
			if id == broken && !failed {
				failed = true
				return errors.New("throttled")
			}
			return nil
		}
		w.answer(ActionSendDirect, "ann1", toBob)
		w.stream()
		for _, id := range []string{"ann1", "ann2", "bob1", "bob2"} {
			equal(t, id+" when "+broken+" fails", w.poster.take(id), []string{"direct_message " + DirectChannel("ann", "bob") + " 1 bob ANN hello"})
		}
	}
}

// However two users speak, edit and delete, on connections that come, go and
// fail: each connection that lives gets every event that was made in its time,
// but those that were overtaken, and all see the same under the same number.
// Nobody else sees anything.
func TestConversationsHaveOneOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newUsers(t, "eve", "nobody")
		channel := DirectChannel("ann", "bob")
		var live []string
		since := map[string]int64{} // the last number when a connection came
		seen := map[string]map[int64]string{}
		all := map[int64]string{}
		failing := map[string]bool{}
		w.poster.answer = func(id string) error {
			if failing[id] {
				return errFailedPost
			}
			return nil
		}
		connect := func(user string) {
			id := fmt.Sprint(user, len(since))
			since[id], seen[id], live = w.store.seqs[channel], map[int64]string{}, append(live, id)
			c := Connection{ID: id, ConnectedAt: w.clock, Identity: Identity{User: user, Name: strings.ToUpper(user)}}
			if err := w.Connect(t.Context(), c); err != nil {
				rt.Fatal(err)
			}
		}
		connect("ann")
		connect("bob")
		read := func() {
			for id, frames := range w.poster.frames {
				for _, frame := range frames {
					var e messageEvent
					if err := json.Unmarshal([]byte(frame), &e); err != nil {
						rt.Fatal(err)
					}
					switch {
					case e.ChannelID == "General":
					case e.ChannelID != channel || seen[id] == nil:
						rt.Fatalf("%s got %s", id, frame)
					default:
						if was, ok := all[e.Seq]; ok && was != frame {
							rt.Fatalf("%s got %s, others %s", id, frame, was)
						}
						all[e.Seq], seen[id][e.Seq] = frame, frame
					}
				}
				delete(w.poster.frames, id)
			}
		}
		pick := func() (id, user, peer string) {
			id = rapid.SampledFrom(live).Draw(rt, "connection")
			user = w.caller(id).User
			return id, user, map[string]string{"ann": "bob", "bob": "ann"}[user]
		}
		rt.Repeat(map[string]func(*rapid.T){
			"connect": func(rt *rapid.T) {
				connect(rapid.SampledFrom([]string{"ann", "bob"}).Draw(rt, "user"))
			},
			"disconnect": func(rt *rapid.T) {
				id, user, _ := pick()
				if len(slices.Collect(maps.Keys(w.store.devices[user]))) == 1 {
					rt.Skip("the last one")
				}
				live = slices.DeleteFunc(live, func(other string) bool { return other == id })
				if err := w.Disconnect(t.Context(), id); err != nil {
					rt.Fatal(err)
				}
			},
			"fail": func(rt *rapid.T) {
				id, _, _ := pick()
				failing[id] = !failing[id]
			},
			"send": func(rt *rapid.T) {
				id, _, peer := pick()
				w.answer(ActionSendDirect, id, fmt.Sprintf(`{"user":%q,"content":"x"}`, peer))
			},
			"revise": func(rt *rapid.T) {
				id, _, peer := pick()
				route := rapid.SampledFrom([]string{ActionEditMessage, ActionDeleteMessage}).Draw(rt, "route")
				seq := rapid.Int64Range(1, 10).Draw(rt, "number")
				w.answer(route, id, fmt.Sprintf(`{"user":%q,"seq":%d,"content":"edit %d"}`, peer, seq, w.store.seqs[channel]))
			},
			"stream": func(*rapid.T) {
				clear(failing)
				w.stream()
			},
			"": func(*rapid.T) { read() },
		})
		clear(failing)
		w.stream()
		read()
		overtaken := func(seq int64) bool {
			m := w.store.messages[channel][seq]
			if m.Target != 0 {
				m = w.store.messages[channel][m.Target]
			}
			return m.EditSeq > seq
		}
		for _, id := range live {
			for seq := since[id] + 1; seq <= w.store.seqs[channel]; seq++ {
				if _, ok := seen[id][seq]; !ok && !overtaken(seq) {
					rt.Fatalf("%s never got %d of %d", id, seq, w.store.seqs[channel])
				}
			}
		}
		last := w.store.seqs[channel]
		if a, b := w.store.directs["ann"]["bob"], w.store.directs["bob"]["ann"]; a.Seq != last || b.Seq != last {
			rt.Fatalf("lists %v and %v, the last number is %d", a, b, last)
		}
	})
}
