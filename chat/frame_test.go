package chat

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each frame gets the answer beside it; {} stands for what every row leaves
// out.
func TestAnswerToMistakes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", MaxChannelID+1)
	for _, tt := range []struct {
		name, route, frame string
		want               string // event, id and code
		says               string // part of the message
	}{
		{"empty", RouteDefault, ``, "error invalid_json", "not JSON"},
		{"not JSON", RouteDefault, `hello`, "error invalid_json", "not JSON"},
		{"half an object", RouteDefault, `{"action":"ping"`, "error invalid_json", "not JSON"},
		{"two objects", RouteDefault, `{"action":"ping"}{}`, "error invalid_json", "not JSON"},
		{"not UTF-8", RouteDefault, "{\"action\":\"p\xffng\"}", "error invalid_json", "UTF-8"},
		{"too deep", RouteDefault, strings.Repeat("[", 100_000), "error invalid_json", "not JSON"},
		{"deep but sound", RouteDefault, `{"action":"no","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "error unknown_action", `"no"`},
		{"array", RouteDefault, `[{"action":"ping"}]`, "error not_an_object", "one JSON object"},
		{"string", RouteDefault, `"ping"`, "error not_an_object", "one JSON object"},
		{"null", RouteDefault, `null`, "error not_an_object", "one JSON object"},
		{"no action", RouteDefault, `{"id":"7"}`, "error 7 missing_action", "use sendMessage, editMessage, deleteMessage, subscribeChannel, unsubscribeChannel, getHistory, listMembers, typing, whoami or ping"},
		{"action elsewhere", RouteDefault, `{"type":"foo"}`, "error missing_action", `"action" unless this stage selects by another`},
		{"action of a route that is selected otherwise", RouteDefault, `{"action":"ping"}`, "error unknown_action", `action "ping" reached no route: this stage selects by another field`},
		{"action is a number", RouteDefault, `{"action":1}`, "error invalid_type", "action is a number"},
		{"action is null", RouteDefault, `{"action":null}`, "error invalid_type", "action is null"},
		{"unknown action", RouteDefault, `{"action":"foo","id":"7"}`, "error 7 unknown_action", `unknown action "foo": use sendMessage, editMessage, deleteMessage, subscribeChannel, unsubscribeChannel, getHistory, listMembers, typing, whoami or ping`},
		{"action in capitals", RouteDefault, `{"action":"PING"}`, "error unknown_action", `"PING"`},
		{"empty action", RouteDefault, `{"action":""}`, "error unknown_action", `unknown action ""`},
		{"a route of the service's", RouteDefault, `{"action":"$connect"}`, "error unknown_action", `"$connect"`},
		{"endless action", RouteDefault, `{"action":"` + strings.Repeat("x", 9000) + `"}`, "error unknown_action", strings.Repeat("x", 40) + "…"},
		{"field twice", ActionPing, `{"action":"ping","id":"7","a":1,"a":2}`, "error 7 duplicate_field", `"a"`},
		{"field twice, once escaped", ActionPing, `{"action":"ping","\u0061ction":"foo"}`, "error duplicate_field", `"action"`},
		{"id twice", ActionPing, `{"action":"ping","id":"7","id":"8"}`, "error duplicate_field", `"id"`},
		{"id is a number", ActionPing, `{"action":"ping","id":7}`, "error invalid_type", "id is a number"},
		{"id is empty", ActionPing, `{"action":"ping","id":""}`, "error invalid_id", "1 to 128"},
		{"id too long", ActionPing, `{"action":"ping","id":"` + strings.Repeat("é", MaxFrameID+1) + `"}`, "error invalid_id", "129 characters"},
		{"no channelId", ActionSubscribeChannel, `{"action":"subscribeChannel","id":"7"}`, "error 7 missing_field", "channelId is missing"},
		{"channelId in other case", ActionSubscribeChannel, `{"channelid":"General"}`, "error missing_field", "channelId is missing"},
		{"channelId is null", ActionSubscribeChannel, `{"channelId":null}`, "error invalid_type", "channelId is null"},
		{"channelId is an object", ActionUnsubscribeChannel, `{"channelId":{}}`, "error invalid_type", "channelId is an object"},
		{"channelId is an array", ActionSubscribeChannel, `{"channelId":["a"]}`, "error invalid_type", "channelId is an array"},
		{"channelId is a boolean", ActionSubscribeChannel, `{"channelId":true}`, "error invalid_type", "channelId is a boolean"},
		{"channelId is empty", ActionSubscribeChannel, `{"channelId":""}`, "error invalid_channel", "empty"},
		{"channelId too long", ActionSubscribeChannel, `{"channelId":"` + long + `"}`, "error invalid_channel", "longer than 128"},
		{"channelId begins with a space", ActionSubscribeChannel, `{"channelId":" a"}`, "error invalid_channel", "space"},
		{"channelId with the keys' separator", ActionUnsubscribeChannel, `{"channelId":"a|b"}`, "error invalid_channel", "'|'"},
		{"channelId with half a surrogate pair", ActionSubscribeChannel, `{"channelId":"a\ud800"}`, "error invalid_channel", "character"},
		{"after is a string", ActionSubscribeChannel, `{"channelId":"a","after":"3"}`, "error invalid_type", "after is a string"},
		{"after is below zero", ActionSubscribeChannel, `{"channelId":"a","after":-3}`, "error invalid_range", "after is -3: use 0 to"},
		{"before is a string", ActionGetHistory, `{"channelId":"a","before":"3"}`, "error invalid_type", "before is a string"},
		{"after is null", ActionGetHistory, `{"channelId":"a","after":null}`, "error invalid_type", "after is null"},
		{"limit is a fraction", ActionGetHistory, `{"channelId":"a","limit":1.5}`, "error invalid_type", "limit is not written as a whole number"},
		{"limit is zero", ActionGetHistory, `{"channelId":"a","limit":0}`, "error invalid_range", "limit is 0: use 1 to 100"},
		{"limit is too high", ActionGetHistory, `{"channelId":"a","limit":101}`, "error invalid_range", "limit is 101: use 1 to 100"},
		{"before is zero", ActionGetHistory, `{"channelId":"a","before":0}`, "error invalid_range", "before is 0: use 1 to"},
		{"after is below zero", ActionGetHistory, `{"channelId":"a","after":-1}`, "error invalid_range", "after is -1: use 0 to"},
		{"after is beyond all numbers", ActionGetHistory, `{"channelId":"a","after":99999999999999999999999}`, "error invalid_range", "use 0 to 9007199254740991"},
		{"before and after", ActionGetHistory, `{"channelId":"a","before":3,"after":1}`, "error invalid_range", "use one of them"},
		{"no channelId for a history", ActionGetHistory, `{}`, "error missing_field", "channelId is missing"},
		{"cursor is a number", ActionListMembers, `{"channelId":"a","cursor":1}`, "error invalid_type", "cursor is a number"},
		{"cursor is empty", ActionListMembers, `{"channelId":"a","cursor":""}`, "error invalid_range", "cursor is none"},
		{"cursor is too long", ActionListMembers, `{"channelId":"a","cursor":"` + strings.Repeat("x", 1018) + `"}`, "error invalid_range", "cursor is none"},
		{"typing without a channel", ActionTyping, `{}`, "error missing_field", "channelId is missing"},
		{"typing with an empty name", ActionTyping, `{"channelId":"a","name":""}`, "error invalid_name", "name"},
		{"no name", ActionSendMessage, `{"channelId":"a","content":"x"}`, "error missing_field", "name is missing"},
		{"no content", ActionSendMessage, `{"channelId":"a","name":"x"}`, "error missing_field", "content is missing"},
		{"content is a number", ActionSendMessage, `{"channelId":"a","name":"x","content":1}`, "error invalid_type", "content is a number"},
		{"empty name", ActionSendMessage, `{"channelId":"a","name":" ","content":"x"}`, "error invalid_name", "1 to 64"},
		{"name too long", ActionSendMessage, `{"channelId":"a","name":"` + strings.Repeat("n", MaxName+1) + `","content":"x"}`, "error invalid_name", "65 characters"},
		{"empty content", ActionSendMessage, `{"channelId":"a","name":"x","content":" \n"}`, "error content_empty", "no text"},
		{"content that is all tags", ActionSendMessage, `{"channelId":"a","name":"x","content":"<b> </b><x>"}`, "error content_empty", "no text"},
		{"content too long", ActionSendMessage, `{"channelId":"a","name":"x","content":"` + strings.Repeat("x", MaxContent+1) + `"}`, "error content_too_long", "at most 16384"},
		{"content too long once escaped", ActionSendMessage, `{"channelId":"a","name":"x","content":"` + strings.Repeat(`\u0001`, 6000) + `"}`, "error frame_too_large", "30720"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.quiet("alice")
			answer, err := w.Answer(t.Context(), tt.route, "alice", []byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if got := shorten(string(answer)); got != tt.want {
				t.Errorf("answer %s, want %s", answer, tt.want)
			}
			var event struct{ Message string }
			if err := json.Unmarshal(answer, &event); err != nil || !strings.Contains(event.Message, tt.says) {
				t.Errorf("message %q does not say %q", event.Message, tt.says)
			}
			if got := w.subscribers("General"); len(got) != 1 {
				t.Errorf("a refused frame changed the subscribers to %v", got)
			}
			if n := w.store.seqs["a"]; n != 0 {
				t.Errorf("a refused frame took %d sequence numbers", n)
			}
		})
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.quiet("alice")
	got := w.answer(ActionSubscribeChannel, "alice", `{"action":"subscribeChannel","channelId":"Secret","colour":"red","":null}`)
	if want := "subscribed Secret 0"; got != want {
		t.Errorf("answer %q, want %q", got, want)
	}
}

// FuzzAnswer checks the promise that every frame gets exactly one answer, a
// JSON object that fits into a frame and has the frame's id, whoever sends it; and
// that what comes of it for others fits as well.
func FuzzAnswer(f *testing.F) {
	routes := []string{
		ActionSendMessage, ActionEditMessage, ActionDeleteMessage, ActionSubscribeChannel, ActionUnsubscribeChannel, ActionGetHistory,
		ActionListMembers, ActionTyping, ActionWhoAmI, ActionPing, ActionKickUser, ActionBanUser, ActionUnbanUser, ActionMuteUser,
		ActionUnmuteUser, ActionSetSlowMode, ActionSendDirect, ActionListDirects, RouteDefault, "other",
	}
	for _, seed := range []string{
		`{"action":"sendMessage","channelId":"General","name":"johndoe","content":"hello world!"}`,
		`{"action":"subscribeChannel","channelId":"Secret"}`, `{"action":"whoami","id":"7"}`,
		`{"channelId":"\ud800"}`, `{"a":1e999}`, `[`, "\xff", `{"action":"` + strings.Repeat("é", 50) + `"}`,
		`{"id":"1","channelId":"General","seq":1,"content":"\udfff\ud800<b>","name":"\ud83d","user":"bob","seconds":5,"reason":"\u0000"}`,
		`{"id":"\u0000\u001f","channelId":"General","name":"a\u0007b","content":"` + strings.Repeat(`\u0001`, 4000) + `"}`,
		`{"id":"` + strings.Repeat("\u2028", 128) + `","user":"` + strings.Repeat("𝕏", 128) + `","content":"x","reason":"` + strings.Repeat("'", 9000) + `"}`,
		`{"content":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, strings.Repeat(`{"a":`, 20000),
		"{\"channelId\":\"General\",\"name\":\"\xed\xa0\x80\",\"content\":\"\xf0\x28\"}",
	} {
		for route := range routes {
			f.Add(uint8(route), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, route uint8, body []byte) {
		for _, who := range []Identity{{}, {User: "ann", Name: "Ann", Moderates: []string{"*"}}} {
			w := newWorld(t)
			w.quiet("alice", "bob")
			id := ""
			if _, err := DecodeFrame(body); err == nil {
				var fields map[string]any
				_ = json.Unmarshal(body, &fields)
				id, _ = fields["id"].(string)
			}
			answer, err := w.Service.Answer(t.Context(), routes[int(route)%len(routes)], Caller{ConnectionID: "alice", Identity: who}, body)
			if err != nil {
				t.Fatal(err)
			}
			w.stream()
			var event struct{ Event, Code, Message, ID string }
			for _, frame := range append(w.poster.frames["bob"], string(answer)) {
				event = struct{ Event, Code, Message, ID string }{}
				if err := json.Unmarshal([]byte(frame), &event); err != nil {
					t.Fatalf("frame %q: %v", frame, err)
				}
				if event.Event == "" || len(frame) > MaxFrame || !utf8.ValidString(frame) {
					t.Errorf("frame %q", frame)
				}
			}
			if event.Event == "error" && (event.Code == "" || event.Message == "") {
				t.Errorf("answer %q does not say what was wrong", answer)
			}
			if event.ID != id {
				t.Errorf("answer %q to a frame with the id %q", answer, id)
			}
		}
	})
}
