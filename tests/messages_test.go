package tests

import (
	"fmt"
	"testing"
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
