package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/chromedp/chromedp"

	"example.com/chatstack/web/browsertest"
)

// TestChat drives the deployed chat as its users do. The parts share one stage,
// and keep apart by channels of their own.
func TestChat(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	endpoint := p.outputs()["endpoint"]

	// Parts end before the stage does.
	t.Run("parts", func(t *testing.T) {
		part := func(name string, run func(t *testing.T)) {
			t.Run(name, func(t *testing.T) { t.Parallel(); run(t) })
		}
		part("frames of 2018 give the events of 2018", func(t *testing.T) { frames2018(t, endpoint) })
		part("every mistake is answered with a sentence", func(t *testing.T) { mistakes(t, endpoint) })
		part("a client that vanishes is announced", func(t *testing.T) { vanishing(t, endpoint) })
		part("a client that does not read keeps nobody waiting", func(t *testing.T) { notReading(t, endpoint) })
		part("concurrent senders share one order", func(t *testing.T) { concurrentSenders(t, endpoint) })
		part("a message that is sent again is one message", func(t *testing.T) { sendingAgain(t, endpoint) })
		part("history is read in pages", func(t *testing.T) { history(t, endpoint) })
		part("a client that was away misses nothing", func(t *testing.T) { resuming(t, endpoint) })
		part("authors edit and delete their messages", func(t *testing.T) { revising(t, endpoint) })
		part("members are listed", func(t *testing.T) { members(t, endpoint) })
		part("others see who types", func(t *testing.T) { typing(t, endpoint) })
		part("a connection is in a hundred channels at most", func(t *testing.T) { manyChannels(t, endpoint) })
		part("a connection that sends too fast is refused", func(t *testing.T) { rateLimit(t, endpoint) })
		part("a back end drives the chat through the table", func(t *testing.T) { backEnd(t, p, endpoint) })
		part("the aws command drives the chat under chatstack env", func(t *testing.T) { awsCommand(t, p, endpoint) })
		part("Node's own WebSocket chats", func(t *testing.T) { nodeClient(t, endpoint) })
		part("wscat chats", func(t *testing.T) { wscat(t, endpoint) })
		part("two tabs of a browser chat", func(t *testing.T) { twoTabs(t, p) })
	})
}

func frames2018(t *testing.T, endpoint string) {
	anna := connect(t, endpoint)
	bert := connect(t, endpoint)
	anna.expect(event{"event": "subscriber_sub", "channelId": "General", "subscriberId": bert.id})

	anna.send(`{"action":"sendMessage","channelId":"General","name":"johndoe","content":"hello world!"}`)
	message := event{"event": "channel_message", "channelId": "General", "name": "johndoe", "content": "hello world!"}
	bert.expect(message)
	anna.expect(message)
	ack := anna.expect(event{"event": "ack", "channelId": "General"}) // it follows what it acknowledges
	if ack["seq"] == nil || ack["messageId"] == nil || ack["at"] == nil {
		t.Errorf("the ack has no seq, messageId or at: %v", ack)
	}

	anna.send(`{"action":"subscribeChannel","channelId":"Secret"}`)
	anna.expect(event{"event": "subscriber_sub", "channelId": "Secret", "subscriberId": anna.id})
	bert.never(event{"channelId": "Secret"})
	bert.send(`{"action":"subscribeChannel","channelId":"Secret"}`)
	anna.expect(event{"event": "subscriber_sub", "channelId": "Secret", "subscriberId": bert.id})
	anna.send(`{"action":"unsubscribeChannel","channelId":"Secret"}`)
	bert.expect(event{"event": "subscriber_unsub", "channelId": "Secret", "subscriberId": anna.id, "reason": "left"})
}

func mistakes(t *testing.T, endpoint string) {
	c := connect(t, endpoint)
	long := strings.Repeat("x", 20_000)
	for _, frame := range []string{
		`not JSON`,
		`[]`,
		`{"id":"1"}`,
		`{"action":"","id":"2"}`,
		`{"action":"dance","id":"3"}`,
		`{"action":42,"id":"4"}`,
		`{"action":"$connect","id":"5"}`,
		`{"action":"$disconnect","id":"6"}`,
		`{"action":"sendMessage","id":"7"}`,
		`{"action":"sendMessage","id":"8","channelId":"General","name":"anna"}`,
		`{"action":"sendMessage","id":"9","channelId":"General","content":"x"}`,
		`{"action":"sendMessage","id":"10","name":"anna","content":"x"}`,
		`{"action":"sendMessage","id":"11","channelId":null,"name":"anna","content":"x"}`,
		`{"action":"sendMessage","id":"12","channelId":"General","name":["anna"],"content":"x"}`,
		`{"action":"sendMessage","id":"13","channelId":"General","name":"anna","content":{}}`,
		`{"action":"sendMessage","id":"14","channelId":"General","name":"!?","content":"x"}`,
		`{"action":"sendMessage","id":"15","channelId":"General","name":"anna","content":"<script>x</script>"}`,
		`{"action":"sendMessage","id":"16","channelId":"General","name":"anna","content":"` + long + `"}`,
		`{"action":"sendMessage","id":"17","channelId":"a|b","name":"anna","content":"x"}`,
		`{"action":"subscribeChannel","id":"18"}`,
		`{"action":"subscribeChannel","id":"19","channelId":" "}`,
		`{"action":"unsubscribeChannel","id":"20","channelId":7}`,
		`{"action":"ping","id":21}`,
	} {
		c.send(frame)
		answer := c.expect(event{"event": "error"})
		message, _ := answer["message"].(string)
		code, _ := answer["code"].(string)
		if len(message) < 10 || code == "" {
			t.Errorf("%.60s: the answer %v has no sentence or no code", frame, answer)
		}
		var sent struct{ ID any }
		if json.Unmarshal([]byte(frame), &sent) == nil {
			if id, ok := sent.ID.(string); ok && answer["id"] != id {
				t.Errorf("%.60s: the answer has id %v", frame, answer["id"])
			}
		}
	}
	// Mistakes have not hurt the connection.
	c.never(event{"event": "error"})
}

func vanishing(t *testing.T, endpoint string) {
	stays, goes := connect(t, endpoint), connect(t, endpoint)
	goes.send(event{"action": "subscribeChannel", "channelId": "vanishing", "id": "s"})
	goes.expect(event{"event": "subscribed", "id": "s"})
	stays.send(event{"action": "subscribeChannel", "channelId": "vanishing"})
	stays.expect(event{"event": "subscribed"})
	goes.vanish()
	stays.expect(event{"event": "subscriber_unsub", "channelId": "vanishing", "subscriberId": goes.id, "reason": "disconnected"})
}

// notReading lets a client's buffers fill until posts to it are refused, and
// checks that what others do is still answered and announced.
func notReading(t *testing.T, endpoint string) {
	slow, other := connect(t, endpoint), connect(t, endpoint)
	senders := make([]*chatter, 20) // each may send 20 at once
	for i := range senders {
		senders[i] = connect(t, endpoint)
	}
	for _, c := range []*chatter{slow, senders[0]} {
		c.send(event{"action": "subscribeChannel", "channelId": "flood", "id": "s"})
		c.expect(event{"event": "subscribed", "id": "s"})
	}
	slow.pause()
	defer slow.resume()
	content := strings.Repeat("x", 16_000)
	for i := range 400 { // 6 MB, more than the sockets' buffers and the gateway's queue hold
		id := fmt.Sprint("flood ", i)
		sender := senders[i%len(senders)]
		sender.send(event{"action": "sendMessage", "channelId": "flood", "name": "sender", "content": content, "id": id})
		sender.expect(event{"event": "ack", "id": id})
	}
	other.send(event{"action": "subscribeChannel", "channelId": "calm"})
	other.expect(event{"event": "subscriber_sub", "channelId": "calm", "subscriberId": other.id})
}

func concurrentSenders(t *testing.T, endpoint string) {
	const senders, each = 4, 8
	reader := connect(t, endpoint)
	reader.send(event{"action": "subscribeChannel", "channelId": "busy", "id": "s"})
	reader.expect(event{"event": "subscribed", "id": "s"})
	for i := range senders {
		c := connect(t, endpoint)
		for j := range each {
			c.send(event{"action": "sendMessage", "channelId": "busy", "name": "sender", "content": fmt.Sprintf("%d-%d", i, j)})
		}
	}
	seen := map[float64]string{}
	for range senders * each {
		message := reader.expect(event{"event": "channel_message", "channelId": "busy"})
		seq, _ := message["seq"].(float64)
		if before, twice := seen[seq]; twice {
			t.Fatalf("messages %s and %v share the sequence number %v", before, message["content"], seq)
		}
		seen[seq] = fmt.Sprint(message["content"])
	}
	for seq := 1.0; seq <= senders*each; seq++ {
		if seen[seq] == "" {
			t.Errorf("no message has the sequence number %v", seq)
		}
	}
}

// backEnd writes to the table with the AWS SDK alone.
func backEnd(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	table, name := p.table()
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	key := map[string]types.AttributeValue{"pk": text("CHANNEL|backstage"), "sk": text("CONNECTION|" + c.id)}

	put := func(item map[string]types.AttributeValue) {
		t.Helper()
		if _, err := table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	put(key)
	c.expect(event{"event": "subscriber_sub", "channelId": "backstage", "subscriberId": c.id})
	put(map[string]types.AttributeValue{
		"pk": text("CHANNEL|backstage"), "sk": text("PUBLISH|anything"), "name": text("bot"), "content": text("from the back end"),
	})
	c.expect(event{"event": "channel_message", "channelId": "backstage", "name": "bot", "content": "from the back end", "seq": 1.0})
	if _, err := table.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: name, Key: key}); err != nil {
		t.Fatal(err)
	}
	c.expect(event{"event": "subscriber_unsub", "channelId": "backstage", "subscriberId": c.id, "reason": "left"})
	watcher := connect(t, endpoint)
	put(map[string]types.AttributeValue{"pk": text("CHANNEL|backstage"), "sk": text("CONNECTION|" + watcher.id)})
	watcher.expect(event{"event": "subscriber_sub", "subscriberId": watcher.id, "channelId": "backstage"})
	c.never(event{"event": "subscriber_sub", "subscriberId": watcher.id, "channelId": "backstage"})
}

// twoTabs is the README's picture: two people in two tabs, one of whom leaves.
func twoTabs(t *testing.T, p *project) {
	ada := browsertest.New(t)
	enterPage(t, ada, p.page(), "Ada")
	bob := browsertest.NewTab(t, ada)
	enterPage(t, bob, p.page(), "Bob")

	browsertest.Fill(t, ada, messageInput, "hello Bob\r")
	browsertest.Wait(t, bob, shown("hello Bob"))
	browsertest.Fill(t, bob, messageInput, "hello <b>Ada</b>\r")
	browsertest.Wait(t, ada, shown("hello Ada")+` && document.querySelector("[data-testid=content] b")?.textContent === "Ada"`)
	left := browsertest.Eval[int](t, ada, leftLines)
	browsertest.Do(t, bob, chromedp.Navigate("about:blank"))
	browsertest.Wait(t, ada, fmt.Sprintf("%s > %d", leftLines, left))
}

const (
	nameInput    = `[data-testid=name-input]`
	messageInput = `[data-testid=message-input]`
	leftLines    = `document.querySelectorAll("[data-testid=notice][data-kind=left]").length`
)

func enterPage(t *testing.T, tab context.Context, page, name string) {
	t.Helper()
	browsertest.Open(t, tab, page)
	browsertest.Fill(t, tab, nameInput, name+"\r")
	browsertest.Wait(t, tab, `document.querySelector("[data-testid=state]")?.textContent === "Connected"`)
}

// shown is true when a message with this text is in the open channel, stored.
func shown(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("[data-testid=message]")].some((message) =>
		message.querySelector("[data-testid=content]").textContent === %q && message.dataset.state === "sent")`, text)
}
