package tests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// join puts a client into a channel.
func (c *chatter) join(channel string) {
	c.t.Helper()
	c.send(event{"action": "subscribeChannel", "channelId": channel, "id": "join " + channel})
	c.expect(event{"event": "subscribed", "id": "join " + channel})
}

// say sends a message and waits for its ack.
func (c *chatter) say(channel, id, content string) event {
	c.t.Helper()
	c.send(event{"action": "sendMessage", "channelId": channel, "name": "tester", "content": content, "id": id})
	return c.expect(event{"event": "ack", "id": id})
}

// sendingAgain sends the same frame several times, one after the other and at
// once.
func sendingAgain(t *testing.T, endpoint string) {
	sender, reader := connect(t, endpoint), connect(t, endpoint)
	reader.join("again")
	first := sender.say("again", "1", "once")
	if second := sender.say("again", "1", "once"); second["messageId"] != first["messageId"] || second["seq"] != first["seq"] || second["at"] != first["at"] {
		t.Errorf("acks %v and %v", first, second)
	}
	const copies = 4
	for range copies {
		sender.send(event{"action": "sendMessage", "channelId": "again", "name": "tester", "content": "at once", "id": "2"})
	}
	acks := map[string]bool{}
	for range copies {
		ack := sender.expect(event{"event": "ack", "id": "2"})
		acks[fmt.Sprint(ack["messageId"], ack["seq"], ack["at"])] = true
	}
	if len(acks) != 1 {
		t.Errorf("copies were acknowledged as %v", acks)
	}
	sender.send(event{"action": "sendMessage", "channelId": "again", "name": "tester", "content": "another", "id": "2"})
	sender.expect(event{"event": "error", "id": "2", "code": "id_reused"})

	sender.say("again", "3", "the end")
	ids := map[any]bool{}
	for {
		m := reader.expect(event{"event": "channel_message", "channelId": "again"})
		if m["content"] == "the end" {
			break
		}
		ids[m["messageId"]] = true
	}
	if len(ids) != 2 {
		t.Errorf("%d messages were received, want 2: %v", len(ids), ids)
	}
}

// history reads a channel from both ends, among long messages that fill frames.
func history(t *testing.T, endpoint string) {
	c := connect(t, endpoint)
	const messages = 12
	for i := range messages {
		content := fmt.Sprint("message ", i+1)
		if i%3 == 2 {
			content += strings.Repeat(`"`, 3000) // five bytes each
		}
		c.say("past", fmt.Sprint("say ", i), content)
	}
	read := func(fields event) (seqs []float64) {
		for page := range 100 {
			frame := event{"action": "getHistory", "channelId": "past", "id": fmt.Sprint("page ", page)}
			maps.Copy(frame, fields)
			c.send(frame)
			answer := c.expect(event{"id": frame["id"]})
			if answer["event"] != "history" {
				t.Fatalf("%v was answered with %v", frame, answer)
			}
			for _, m := range answer["messages"].([]any) {
				m := event(m.(map[string]any))
				seqs = append(seqs, m["seq"].(float64))
				if content, _ := m["content"].(string); !strings.HasPrefix(content, fmt.Sprint("message ", m["seq"])) {
					t.Errorf("number %v has content %.20q", m["seq"], content)
				}
			}
			if answer["more"] == false {
				return seqs
			}
			for _, name := range []string{"before", "after"} {
				if fields[name] != nil {
					fields[name] = seqs[len(seqs)-1]
				}
			}
		}
		t.Fatal("there is no end")
		return nil
	}
	want := make([]float64, messages)
	for i := range want {
		want[i] = float64(i + 1)
	}
	if got := read(event{"after": 0, "limit": 5}); !slices.Equal(got, want) {
		t.Errorf("oldest first: %v", got)
	}
	slices.Reverse(want)
	if got := read(event{"before": messages + 1}); !slices.Equal(got, want) {
		t.Errorf("newest first: %v", got)
	}
	c.send(event{"action": "getHistory", "channelId": "past", "id": "latest", "limit": 1})
	if answer := c.expect(event{"id": "latest"}); fmt.Sprint(answer["messages"].([]any)[0].(map[string]any)["seq"]) != fmt.Sprint(messages) || answer["more"] != true {
		t.Errorf("the latest: %v", answer)
	}
}

// resuming drops a client while others go on, and lets it come back in the
// middle.
func resuming(t *testing.T, endpoint string) {
	others := []*chatter{connect(t, endpoint), connect(t, endpoint), connect(t, endpoint)} // each may send 20 at once
	away := connect(t, endpoint)
	away.join("missed")
	const before, during, after = 3, 30, 10
	said := 0
	say := func(n int) {
		for range n {
			said++
			others[said%len(others)].say("missed", fmt.Sprint("say ", said), fmt.Sprintf("%d %s", said, strings.Repeat("x", 4000)))
		}
	}
	seen := map[float64]string{} // by seq, what a client keeps
	take := func(m event) {
		seq, _ := m["seq"].(float64)
		id, _ := m["messageId"].(string)
		if kept, twice := seen[seq]; twice && kept != id {
			t.Errorf("number %v is of two messages", seq)
		}
		seen[seq] = id
	}
	say(before)
	for range before {
		take(away.expect(event{"event": "channel_message", "channelId": "missed"}))
	}
	away.vanish()
	say(during)

	back := connect(t, endpoint)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		say(after)
	}()
	back.send(event{"action": "subscribeChannel", "channelId": "missed", "after": before, "id": "back"})
	list, more, last := "missed", true, float64(before)
	answer := back.expectTaking(event{"id": "back"}, take)
	if answer["event"] != "subscribed" || answer["from"] != nil || answer["more"] != true {
		t.Fatalf("resuming was answered with %.200v", answer)
	}
	for page := 0; ; page++ {
		messages := answer[list].([]any)
		for _, m := range messages {
			take(event(m.(map[string]any)))
			last = m.(map[string]any)["seq"].(float64)
		}
		if more, _ = answer["more"].(bool); !more {
			break
		}
		id := fmt.Sprint("page ", page)
		back.send(event{"action": "getHistory", "channelId": "missed", "after": last, "id": id})
		answer, list = back.expectTaking(event{"event": "history", "id": id}, take), "messages"
	}
	<-sent
	for seen[before+during+after] == "" {
		take(back.expect(event{"event": "channel_message", "channelId": "missed"}))
	}
	back.send(event{"action": "ping", "id": "end"})
	back.expectTaking(event{"event": "pong", "id": "end"}, take)
	ids := map[string]bool{}
	for seq := 1.0; seq <= before+during+after; seq++ {
		if seen[seq] == "" {
			t.Errorf("number %v was missed", seq)
		}
		ids[seen[seq]] = true
	}
	if len(ids) != before+during+after {
		t.Errorf("%d messages under %d numbers", len(ids), len(seen))
	}
}

// expectTaking is expect that gives the messages that come before to take.
func (c *chatter) expectTaking(fields event, take func(event)) event {
	c.t.Helper()
	for {
		e := c.expect(event{})
		if e.is(fields) {
			return e
		}
		if e["event"] == "channel_message" {
			take(e)
		}
	}
}

// revising edits and deletes a message, in the sight of another.
func revising(t *testing.T, endpoint string) {
	author, other := connect(t, endpoint), connect(t, endpoint)
	other.join("revised")
	said := author.say("revised", "1", "a tpyo")
	author.send(event{"action": "editMessage", "channelId": "revised", "seq": said["seq"], "content": "a typo", "id": "2"})
	ack := author.expect(event{"id": "2"})
	if ack["event"] != "ack" || ack["messageId"] != said["messageId"] || ack["seq"] != 2.0 {
		t.Errorf("the edit of %v was answered with %v", said, ack)
	}
	other.expect(event{"event": "message_edited", "messageId": said["messageId"], "content": "a typo", "targetSeq": said["seq"], "seq": 2.0})
	for _, action := range []string{"editMessage", "deleteMessage"} {
		other.send(event{"action": action, "channelId": "revised", "seq": said["seq"], "content": "mine", "id": action})
		other.expect(event{"event": "error", "id": action, "code": "not_author"})
	}
	author.send(event{"action": "deleteMessage", "channelId": "revised", "seq": said["seq"], "id": "3"})
	author.expect(event{"event": "ack", "id": "3", "seq": 3.0})
	other.expect(event{"event": "message_deleted", "messageId": said["messageId"], "targetSeq": said["seq"], "seq": 3.0})
	other.send(event{"action": "getHistory", "channelId": "revised", "id": "4"})
	answer := other.expect(event{"event": "history", "id": "4"})
	if text := fmt.Sprint(answer); strings.Contains(text, "typo") || strings.Count(text, "message_deleted") != 2 || !strings.Contains(text, "deleted:true") {
		t.Errorf("the history is %v", text)
	}
}

// members lists who is in a channel as they come and go.
func members(t *testing.T, endpoint string) {
	stays, goes := connect(t, endpoint), connect(t, endpoint)
	list := func(id string) (connections []string) {
		stays.send(event{"action": "listMembers", "channelId": "members", "id": id})
		answer := stays.expect(event{"event": "members", "id": id})
		if answer["cursor"] != "" || answer["count"] != float64(len(answer["members"].([]any))) {
			t.Errorf("a few members are %v", answer)
		}
		for _, m := range answer["members"].([]any) {
			for _, c := range m.(map[string]any)["connections"].([]any) {
				connections = append(connections, c.(string))
			}
		}
		slices.Sort(connections)
		return connections
	}
	if got := list("1"); len(got) != 0 {
		t.Errorf("a new channel has the members %v", got)
	}
	stays.join("members")
	goes.join("members")
	stays.expect(event{"event": "subscriber_sub", "channelId": "members", "subscriberId": goes.id, "count": 2.0})
	want := []string{stays.id, goes.id}
	slices.Sort(want)
	if got := list("2"); !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	goes.send(event{"action": "unsubscribeChannel", "channelId": "members", "id": "out"})
	stays.expect(event{"event": "subscriber_unsub", "channelId": "members", "subscriberId": goes.id, "count": 1.0})
	if got := list("3"); !slices.Equal(got, []string{stays.id}) {
		t.Errorf("members %v, want %s", got, stays.id)
	}
}

// typing shows the others who writes, and nobody later.
func typing(t *testing.T, endpoint string) {
	writer, other := connect(t, endpoint), connect(t, endpoint)
	writer.join("typing")
	other.join("typing")
	writer.send(event{"action": "typing", "channelId": "typing", "name": "writer", "id": "1"})
	writer.expect(event{"event": "ack", "id": "1", "channelId": "typing"})
	other.expect(event{"event": "typing", "channelId": "typing", "name": "writer", "senderId": writer.id})
	writer.never(event{"event": "typing"})
	later := connect(t, endpoint)
	later.send(event{"action": "subscribeChannel", "channelId": "typing", "after": 0, "id": "2"})
	if answer := later.expect(event{"event": "subscribed", "id": "2"}); answer["seq"] != 0.0 || len(answer["missed"].([]any)) != 0 {
		t.Errorf("typing was kept: %v", answer)
	}
}

// manyChannels subscribes until no more is allowed.
func manyChannels(t *testing.T, endpoint string) {
	c := connect(t, endpoint)
	const most = 100
	subscribe := func(n int) event {
		id := fmt.Sprint("subscribe ", n)
		c.send(event{"action": "subscribeChannel", "channelId": fmt.Sprint("many ", n), "id": id})
		return c.expect(event{"id": id})
	}
	for n := 1; n < most; n++ { // it is in General
		if answer := subscribe(n); answer["event"] != "subscribed" {
			t.Fatalf("channel %d: %v", n, answer)
		}
	}
	if answer := subscribe(most); answer["code"] != "too_many_subscriptions" {
		t.Errorf("channel %d: %v", most, answer)
	}
	if answer := subscribe(1); answer["event"] != "subscribed" {
		t.Errorf("a channel that it is in: %v", answer)
	}
}

// rateLimit sends as fast as it can, and again after the wait.
func rateLimit(t *testing.T, endpoint string) {
	c, other := connect(t, endpoint), connect(t, endpoint)
	const frames, atOnce, perSecond = 100, 20, 10
	begun := time.Now()
	for i := range frames {
		c.send(event{"action": "sendMessage", "channelId": "fast", "name": "fast", "content": "x", "id": fmt.Sprint(i)})
	}
	acked, refused := 0, 0
	for range frames {
		switch answer := c.expectAnswer(); {
		case answer["event"] == "ack":
			acked++
		case answer["code"] == "rate_limited":
			refused++
		default:
			t.Errorf("answer %v", answer)
		}
	}
	seconds := time.Since(begun).Seconds()
	if most := atOnce + 4 + perSecond*seconds; acked < atOnce || float64(acked) > most || refused == 0 {
		t.Errorf("%d acknowledged and %d refused in %.1f s, want %d to %.0f acknowledged", acked, refused, seconds, atOnce, most)
	}
	t.Logf("%d acknowledged and %d refused in %.1f s", acked, refused, seconds)
	other.say("fast", "1", "not its fault")
	eventually(t, "the connection may send again", func() bool {
		c.send(event{"action": "sendMessage", "channelId": "fast", "name": "fast", "content": "y"})
		return c.expectAnswer()["event"] == "ack"
	})
}

// expectAnswer waits for an ack or an error.
func (c *chatter) expectAnswer() event {
	c.t.Helper()
	for {
		if e := c.expect(event{}); e["event"] == "ack" || e["event"] == "error" {
			return e
		}
	}
}
