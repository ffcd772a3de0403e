package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// TestBadDays makes things go wrong on purpose and looks at what the chat's
// clients and its table see of it. Faults and time are the whole stage's, so one
// part follows the other.
func TestBadDays(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	endpoint := p.outputs()["endpoint"]
	part := func(name string, run func(t *testing.T, p *project, endpoint string)) {
		t.Run(name, func(t *testing.T) {
			inPart := *p
			inPart.t = t
			defer inPart.run("fault", "clear")
			run(t, &inPart, endpoint)
		})
	}
	part("functions killed in the middle lose no message that was acknowledged, and double none", killed)
	part("batches delivered twice double no message", doubled)
	part("a lost $disconnect heals with the next post", lostDisconnect)
	part("idle clients are told that they go, and the others that they left", idleLeave)
	part("two hours pass in a moment, and every client is told", twoHours)
}

// killed kills functions at many points of their work. What is not acknowledged
// may be stored or not, and a client cannot know; it is not sent again here.
func killed(t *testing.T, p *project, endpoint string) {
	reader, sender := connect(t, endpoint), connect(t, endpoint)
	senders := []*chatter{sender, connect(t, endpoint), connect(t, endpoint)} // each may send 20 at once
	for _, c := range []*chatter{reader, sender} {
		c.send(event{"action": "subscribeChannel", "channelId": "killed", "id": "s"})
		c.expect(event{"event": "subscribed", "id": "s"})
	}
	for i, after := range []string{"1ms", "3ms", "6ms", "10ms"} {
		p.run("fault", "add", "invoke", "--function", "message", "--after", after, "--share", "20%", "--seed", fmt.Sprint(7+i))
	}
	p.run("fault", "add", "invoke", "--function", "broadcast", "--after", "2ms", "--times", "2")

	const messages = 40
	acked := map[string]any{} // sequence numbers by content
	for i := range messages {
		content, sender := fmt.Sprint("message ", i), senders[i%len(senders)]
		sender.send(event{"action": "sendMessage", "channelId": "killed", "name": "anna", "content": content, "id": content})
		if ack := sender.answer(content); ack != nil {
			acked[content] = ack["seq"]
		}
	}
	p.run("fault", "clear")
	t.Logf("%d of %d messages were acknowledged", len(acked), messages)
	if len(acked) == 0 || len(acked) == messages {
		t.Error("none or all: this test has shown nothing")
	}
	sender.send(event{"action": "sendMessage", "channelId": "killed", "name": "anna", "content": "last", "id": "last"})
	acked["last"] = sender.expect(event{"event": "ack", "id": "last"})["seq"]

	stored, seen := p.stored("killed"), map[string]any{}
	for seen["last"] == nil {
		message := reader.expect(event{"event": "channel_message", "channelId": "killed"})
		content := fmt.Sprint(message["content"])
		if seen[content] != nil && seen[content] != message["seq"] {
			t.Errorf("the reader sees %q as %v and as %v", content, seen[content], message["seq"])
		}
		seen[content] = message["seq"]
	}
	for content, seq := range acked {
		if stored[content] != seq || seen[content] != seq {
			t.Errorf("%q was acknowledged as %v; stored as %v, seen as %v", content, seq, stored[content], seen[content])
		}
	}
}

// doubled delivers every stream batch twice, while a back end drives the chat
// through the table.
func doubled(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	p.run("fault", "add", "batch", "--function", "broadcast")
	p.put("CHANNEL|doubled", "CONNECTION|"+c.id, nil)
	c.expect(event{"event": "subscriber_sub", "channelId": "doubled", "subscriberId": c.id})
	const requests = 5
	want := map[string]any{}
	for i := range requests {
		content := fmt.Sprint("request ", i)
		p.put("CHANNEL|doubled", "PUBLISH|"+content, map[string]string{"name": "bot", "content": content})
		message := c.expect(event{"event": "channel_message", "channelId": "doubled", "content": content})
		want[content] = message["seq"]
	}
	other := connect(t, endpoint)
	p.put("CHANNEL|doubled", "CONNECTION|"+other.id, nil)
	c.expect(event{"event": "subscriber_sub", "channelId": "doubled", "subscriberId": other.id})
	other.vanish()
	c.expect(event{"event": "subscriber_unsub", "channelId": "doubled", "subscriberId": other.id})

	// The second delivery of what came before is over when the first of this is.
	p.put("CHANNEL|doubled", "PUBLISH|last", map[string]string{"name": "bot", "content": "last"})
	want["last"] = c.expect(event{"event": "channel_message", "channelId": "doubled", "content": "last"})["seq"]
	if diff := cmp.Diff(want, p.stored("doubled")); diff != "" {
		t.Errorf("messages in the table (-seen +stored):\n%s", diff)
	}
	var rules []struct{ Struck int }
	if err := json.Unmarshal([]byte(p.run("fault", "list", "--json")), &rules); err != nil || len(rules) != 1 || rules[0].Struck < requests {
		t.Errorf("no batch was doubled, so that this test has shown nothing: %v, %v", rules, err)
	}
}

// lostDisconnect takes a connection away without a $disconnect.
func lostDisconnect(t *testing.T, p *project, endpoint string) {
	stays, goes := connect(t, endpoint), connect(t, endpoint)
	for _, c := range []*chatter{goes, stays} {
		c.send(event{"action": "subscribeChannel", "channelId": "lost", "id": "s"})
		c.expect(event{"event": "subscribed", "id": "s"})
	}
	p.run("fault", "add", "disconnect", "--connection="+goes.id)
	goes.vanish()
	left := event{"event": "subscriber_unsub", "channelId": "lost", "subscriberId": goes.id}
	stays.never(left)
	// What is posted in the first ten seconds of a connection may find it gone
	// because it is not yet there.
	deadline := time.Now().Add(30 * time.Second)
	for i := 0; ; i++ {
		id := fmt.Sprint("m", i)
		stays.send(event{"action": "sendMessage", "channelId": "lost", "name": "anna", "content": "anybody there?", "id": id})
		stays.expect(event{"event": "ack", "id": id})
		cameBefore := slices.ContainsFunc(stays.seen, func(e event) bool { return e.is(left) })
		if cameBefore || stays.sees(left, time.Second) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody is told that the connection is gone")
		}
	}
}

func idleLeave(t *testing.T, p *project, endpoint string) {
	idle, stays := connect(t, endpoint), connect(t, endpoint)
	idle.expect(event{"event": "subscriber_sub", "subscriberId": stays.id})
	p.run("clock", "+6m")
	stays.send(event{"action": "ping", "id": "awake"}) // which nobody else sees
	stays.expect(event{"event": "pong", "id": "awake"})
	p.run("clock", "+6m")
	if code := idle.closed(); code != websocket.StatusGoingAway {
		t.Errorf("the idle client is closed with %d, want %d", code, websocket.StatusGoingAway)
	}
	stays.expect(event{"event": "subscriber_unsub", "channelId": "General", "subscriberId": idle.id, "reason": "disconnected"})
	stays.never(event{"event": "subscriber_unsub", "subscriberId": stays.id})
}

func twoHours(t *testing.T, p *project, endpoint string) {
	clients := []*chatter{connect(t, endpoint), connect(t, endpoint), connect(t, endpoint)}
	p.run("clock", "+2h")
	for _, c := range clients {
		if code := c.closed(); code != websocket.StatusGoingAway {
			t.Errorf("a client is closed with %d, want %d", code, websocket.StatusGoingAway)
		}
	}
	later := connect(t, endpoint)
	later.send(event{"action": "sendMessage", "channelId": "General", "name": "anna", "content": "the chat goes on", "id": "m"})
	later.expect(event{"event": "ack", "id": "m"})
	eventually(t, "no subscription outlives its connection", func() bool {
		return len(p.query("CHANNEL|General", "CONNECTION|")) == 1
	})
}

// TestATooNarrowPolicyIsRefusedWithTheSentenceThatMendsIt copies action and
// resource out of the refusal into the program, and deploys again.
func TestATooNarrowPolicyIsRefusedWithTheSentenceThatMendsIt(t *testing.T) {
	whateverTheEngine(t, "the policy refuses before the table is asked")
	t.Parallel()
	dir := copyProgram(t, "programs/narrow")
	p := newProject(t, dir)
	p.up()
	c := dial(t, p.outputs()["endpoint"])
	c.send(event{"count": "this"})
	c.expect(event{"message": "Internal server error"})

	sentence := regexp.MustCompile(`User: (\S+) is not authorized to perform: (\S+) on resource: (\S+) because no identity-based policy allows the (\S+) action`)
	var refusal []string
	eventually(t, "the function's log has the refusal", func() bool {
		refusal = sentence.FindStringSubmatch(p.run("logs"))
		return refusal != nil
	})
	user, action, resource := refusal[1], refusal[2], refusal[3]
	if !regexp.MustCompile(`^arn:aws:sts::\d{12}:assumed-role/count-\S+/count-\S+$`).MatchString(user) || action != refusal[4] {
		t.Errorf("the refusal does not name who did what: %s", refusal[0])
	}
	appendTo(t, filepath.Join(dir, "Pulumi.local.yaml"), fmt.Sprintf("config:\n  narrow:action: %s\n  narrow:resource: %s\n", action, resource))
	p.up()
	c.send(event{"count": "this"})
	c.expect(event{"frames": 1.0})
}

// answer waits for the ack of a frame, or for an error of the service in its
// place, which says nothing of the frame.
func (c *chatter) answer(id string) event {
	c.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case e, open := <-c.events:
			switch {
			case !open:
				c.t.Fatalf("the connection ended before %q was answered", id)
			case e.is(event{"event": "ack", "id": id}):
				return e
			case e["message"] == "Internal server error":
				return nil
			}
		case <-timeout:
			c.t.Fatalf("%q was not answered", id)
		}
	}
}

// sees reports whether an event with these fields comes within a time.
func (c *chatter) sees(fields event, within time.Duration) bool {
	timeout := time.After(within)
	for {
		select {
		case e, open := <-c.events:
			if !open {
				c.t.Fatal("the connection ended")
			}
			if e.is(fields) {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

// closed waits until the server ends the connection and returns the code.
func (c *chatter) closed() websocket.StatusCode {
	c.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case _, open := <-c.events:
			if !open {
				return websocket.CloseStatus(c.ended)
			}
		case <-timeout:
			c.t.Fatal("the connection does not end")
		}
	}
}

// table is a client of the stage's table, with the name of the table.
func (p *project) table() (*dynamodb.Client, *string) {
	p.t.Helper()
	env := p.env()
	return dynamodb.New(dynamodb.Options{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL_DYNAMODB"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}), aws.String(p.outputs()["tableName"])
}

// put puts an item of texts into the table.
func (p *project) put(pk, sk string, attributes map[string]string) {
	p.t.Helper()
	item := textItem(attributes)
	item["pk"], item["sk"] = &types.AttributeValueMemberS{Value: pk}, &types.AttributeValueMemberS{Value: sk}
	client, name := p.table()
	if _, err := client.PutItem(p.t.Context(), &dynamodb.PutItemInput{TableName: name, Item: item}); err != nil {
		p.t.Fatal(err)
	}
}

// textItem is an item of texts.
func textItem(attributes map[string]string) map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{}
	for name, value := range attributes {
		item[name] = &types.AttributeValueMemberS{Value: value}
	}
	return item
}

// query returns the items of a partition whose sort keys begin so.
func (p *project) query(pk, prefix string) []map[string]types.AttributeValue {
	p.t.Helper()
	client, name := p.table()
	items, err := queryTable(p.t.Context(), client, name, pk, prefix)
	if err != nil {
		p.t.Fatal(err)
	}
	return items
}

func queryTable(ctx context.Context, client *dynamodb.Client, table *string, pk, prefix string) (items []map[string]types.AttributeValue, err error) {
	condition, values := "pk = :p", map[string]string{":p": pk}
	if prefix != "" { // DynamoDB takes no empty value of a key
		condition, values[":s"] = condition+" AND begins_with(sk, :s)", prefix
	}
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String(condition),
		ExpressionAttributeValues: textItem(values),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
	}
	return items, nil
}

// stored returns the sequence numbers of a channel's messages by their content,
// as events have them. A content that is there twice is an error.
func (p *project) stored(channel string) map[string]any {
	p.t.Helper()
	messages := map[string]any{}
	for _, item := range p.query("CHANNEL|"+channel, "MESSAGE|") {
		content := item["content"].(*types.AttributeValueMemberS).Value
		if _, twice := messages[content]; twice {
			p.t.Errorf("%q is in the table twice", content)
		}
		var seq float64
		fmt.Sscanf(strings.TrimPrefix(item["sk"].(*types.AttributeValueMemberS).Value, "MESSAGE|"), "%f", &seq)
		messages[content] = seq
	}
	return messages
}
