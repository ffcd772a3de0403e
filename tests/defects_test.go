package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"example.com/chatstack/local/iam"
)

// TestDefectsOf2018 shows on a deployed stage that what was wrong with the chat of
// 2018 no longer is. Beside the code that sees to it, tests named TestDefect1 and so
// on show the same in small. Faults and time are the stage's, so one part follows
// the other.
func TestDefectsOf2018(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	endpoint := p.outputs()["endpoint"]
	for _, part := range []struct {
		name string
		run  func(t *testing.T, p *project, endpoint string)
	}{
		{"01 subscribers beyond one page get the message", beyondOnePage},
		{"02 messages of one moment are all stored", oneMoment},
		{"03 posts that are throttled or fail are made again", failedPosts},
		{"04 a subscription that is put again is no second join", putAgain},
		{"05 frames that are no frames are answered", noFrames},
		{"06 no name of a channel reaches another key, nor what is private", otherKeys},
		{"07 only the stage's own connections can be posted to", ownConnections},
		{"09 a record that cannot be served holds up no other", poison},
		{"10 stored messages call no function", unheard},
		{"08 what a lost $disconnect leaves behind expires", expiry}, // the last: two hours pass
	} {
		t.Run(part.name, func(t *testing.T) {
			inPart := *p
			inPart.t = t
			defer inPart.run("fault", "clear")
			part.run(t, &inPart, endpoint)
		})
	}
}

// beyondOnePage makes the subscriptions of a channel longer than the 1 MB that one
// query reads.
func beyondOnePage(t *testing.T, p *project, endpoint string) {
	const subscribers = 16
	client, table := p.table()
	var all []*chatter
	for range subscribers {
		c := connect(t, endpoint)
		item := textItem(map[string]string{"pk": "CHANNEL|long", "sk": "CONNECTION|" + c.id, "note": strings.Repeat("x", 100<<10)})
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		c.expect(event{"event": "subscriber_sub", "channelId": "long", "subscriberId": all[subscribers-1].id})
	}
	all[0].send(event{"action": "sendMessage", "channelId": "long", "name": "anna", "content": "everybody?", "id": "m"})
	for _, c := range all {
		c.expect(event{"event": "channel_message", "channelId": "long", "content": "everybody?"})
	}

	page, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("pk = :p AND begins_with(sk, :s)"),
		ExpressionAttributeValues: textItem(map[string]string{":p": "CHANNEL|long", ":s": "CONNECTION|"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) >= subscribers {
		t.Errorf("one page holds all %d subscriptions, so that this test has shown nothing", len(page.Items))
	}
}

// oneMoment has messages come in by one transaction and from two clients at once.
func oneMoment(t *testing.T, p *project, endpoint string) {
	const each = 20
	var requests []types.TransactWriteItem
	client, table := p.table()
	for i := range each {
		item := textItem(map[string]string{
			"pk": "CHANNEL|moment", "sk": fmt.Sprint("PUBLISH|", i), "name": "bot", "content": fmt.Sprint("bot ", i),
		})
		requests = append(requests, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: item}})
	}
	if _, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: requests}); err != nil {
		t.Fatal(err)
	}
	sent := each
	for round := range 20 { // until two are of one millisecond, without which nothing is shown
		pair := []*chatter{connect(t, endpoint), connect(t, endpoint)}
		for i := range each {
			for sender, c := range pair {
				c.send(event{"action": "sendMessage", "channelId": "moment", "name": "anna", "content": fmt.Sprint(round, sender, i), "id": fmt.Sprint(i)})
			}
		}
		for range each {
			for _, c := range pair {
				c.expect(event{"event": "ack"})
			}
		}
		sent += len(pair) * each
		eventually(t, "all messages are stored", func() bool { return len(p.stored("moment")) == sent })
		moments := map[string]bool{}
		for _, item := range p.query("CHANNEL|moment", "MESSAGE|") {
			moments[text(item["at"])] = true
		}
		if t.Logf("%d messages in %d milliseconds", sent, len(moments)); len(moments) < sent {
			return
		}
	}
	t.Error("no two messages are of one millisecond, so that this test has shown nothing")
}

func failedPosts(t *testing.T, p *project, endpoint string) {
	reader, sender := connect(t, endpoint), connect(t, endpoint)
	reader.send(event{"action": "subscribeChannel", "channelId": "failing", "id": "s"})
	reader.expect(event{"event": "subscribed", "id": "s"})
	// A lasting 429 of one connection is a client that does not read: that is another matter.
	for status, times := range map[string]string{"429": "3", "500": "10"} {
		p.run("fault", "add", "post", "--status", status, "--connection="+reader.id, "--times", times)
		content := "in spite of " + status
		sender.send(event{"action": "sendMessage", "channelId": "failing", "name": "anna", "content": content, "id": status})
		reader.expect(event{"event": "channel_message", "channelId": "failing", "content": content})
		var rules []struct{ Struck int }
		if err := json.Unmarshal([]byte(p.run("fault", "list", "--json")), &rules); err != nil || len(rules) != 1 || rules[0].Struck == 0 {
			t.Errorf("no post failed, so that this test has shown nothing: %v, %v", rules, err)
		}
		p.run("fault", "clear")
	}
}

func putAgain(t *testing.T, p *project, endpoint string) {
	c, other := connect(t, endpoint), connect(t, endpoint)
	joined := event{"event": "subscriber_sub", "channelId": "again", "subscriberId": c.id}
	for _, note := range []string{"first", "second", "third"} {
		p.put("CHANNEL|again", "CONNECTION|"+c.id, map[string]string{"note": note})
	}
	c.expect(joined)
	// A channel's changes are announced in their order.
	p.put("CHANNEL|again", "CONNECTION|"+other.id, nil)
	c.seen = nil
	c.expect(event{"event": "subscriber_sub", "channelId": "again", "subscriberId": other.id})
	if slices.ContainsFunc(c.seen, func(e event) bool { return e.is(joined) }) {
		t.Error("a subscription that was put again is announced as a second join")
	}
}

func noFrames(t *testing.T, _ *project, endpoint string) {
	c := connect(t, endpoint)
	for frame, code := range map[string]string{
		`{"action":"sendMessage"`: "invalid_json", `hello`: "invalid_json", `[]`: "not_an_object", `null`: "not_an_object",
		`{"action":"sendMessage","channelId":"General","content":"x"}`:             "missing_field",
		`{"action":"sendMessage","channelId":"General","content":"x","name":null}`: "invalid_type",
	} {
		c.send(frame)
		if got := c.expect(event{"event": "error"}); got["code"] != code {
			t.Errorf("%s is answered with %v, want the code %s", frame, got, code)
		}
	}
	c.never(event{"message": "Internal server error"})
}

// otherKeys names channels so that an item of something else would be written or read.
func otherKeys(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	before := p.query("CONNECTION|"+c.id, "")
	for _, channel := range []string{"General|x", "|", "x|CONNECTION|" + c.id, "General\x00", "../General"} {
		for _, action := range []string{"subscribeChannel", "unsubscribeChannel", "sendMessage", "getHistory", "listMembers", "typing"} {
			c.send(event{"action": action, "channelId": channel, "name": "eve", "content": "x", "id": "f"})
			answer := c.expect(event{"id": "f"})
			if refused := answer["code"] == "invalid_channel"; refused != (channel != "../General") {
				t.Errorf("%s of %q: %v", action, channel, answer)
			}
		}
	}
	// Nor is a channel open to all that has a private name.
	for _, action := range []string{"subscribeChannel", "sendMessage", "getHistory", "listMembers", "typing"} {
		c.send(event{"action": action, "channelId": "private:board", "name": "eve", "content": "x", "id": "f"})
		if answer := c.expect(event{"id": "f"}); answer["code"] != "forbidden" {
			t.Errorf("%s of a private channel: %v", action, answer)
		}
	}
	if after := p.query("CONNECTION|"+c.id, ""); len(before) != 1 || len(after) != 1 {
		t.Errorf("the connection has %d items, and had %d", len(after), len(before))
	}
}

// ownConnections asks the deployed policies themselves.
func ownConnections(t *testing.T, p *project, _ string) {
	roles := map[string]map[string]iam.Policy{}
	own := ""
	for _, r := range p.resources() {
		if r.Type != "aws:iam/rolePolicy:RolePolicy" {
			continue
		}
		var in struct{ Role, Policy string }
		if err := json.Unmarshal(r.Outputs, &in); err != nil {
			t.Fatal(err)
		}
		policy, err := iam.ParsePolicy(in.Policy)
		if err != nil {
			t.Fatal(err)
		}
		if roles[in.Role] == nil {
			roles[in.Role] = map[string]iam.Policy{}
		}
		roles[in.Role][r.URN] = policy
		if _, arn, ok := strings.Cut(in.Policy, `"arn:aws:execute-api:`); ok {
			arn, _, _ = strings.Cut(arn, `/@connections/*"`)
			own = "arn:aws:execute-api:" + arn + "/@connections/abc="
		}
	}
	parts := strings.Split(own, ":") // arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/POST/@connections/ID
	if len(parts) != 6 {
		t.Fatalf("no policy allows posts: %q", own)
	}
	path := strings.Split(parts[5], "/")
	with := func(list []string, i int, value, separator string) string {
		list = slices.Clone(list)
		list[i] = value
		return strings.Join(list, separator)
	}
	resource := func(path string) string { return with(parts, 5, path, ":") }
	others := []string{
		with(parts, 3, "mars-north-1", ":"), with(parts, 4, "210987654321", ":"),
		resource(with(path, 0, "otherapi00", "/")), resource(with(path, 1, "otherstage", "/")),
	}
	authority, allowed := iam.New(parts[4]), 0
	for role, policies := range roles {
		authority.PutRole(role, policies)
		principal := iam.Principal{ARN: role, Role: role}
		if authority.Authorize(principal, "execute-api:ManageConnections", own, nil) == nil {
			allowed++
		}
		for _, other := range others {
			if authority.Authorize(principal, "execute-api:ManageConnections", other, nil) == nil {
				t.Errorf("the role %s may reach %s", role, other)
			}
		}
	}
	if allowed == 0 {
		t.Errorf("no role of %d may reach %s, so that this test has shown nothing", len(roles), own)
	}
}

// poison puts what nobody can make sense of among what they can.
func poison(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	p.put("CHANNEL|poison", "CONNECTION|"+c.id, nil)
	c.expect(event{"event": "subscriber_sub", "channelId": "poison", "subscriberId": c.id})
	client, table := p.table()
	var requests []types.TransactWriteItem
	write := func(item map[string]types.AttributeValue, sk string) {
		item["pk"], item["sk"] = &types.AttributeValueMemberS{Value: "CHANNEL|poison"}, &types.AttributeValueMemberS{Value: sk}
		requests = append(requests, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: item}})
	}
	list := &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}}}
	nonsense := []string{"DELIVERY|nonsense", "PUBLISH|nonsense", "CONNECTION|", "CONNECTION|nonsense"}
	for i, sk := range nonsense {
		write(textItem(map[string]string{"name": "bot", "content": fmt.Sprint("before ", i)}), fmt.Sprint("PUBLISH|", i))
		write(map[string]types.AttributeValue{
			"name": list, "content": list, "seq": list, "frame": list, "to": list, "attempt": list, "since": list, "subscriber": &types.AttributeValueMemberS{Value: "?"},
		}, sk)
	}
	write(textItem(map[string]string{"name": "bot", "content": "after all"}), "PUBLISH|last")
	if _, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: requests}); err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{"after all": true}
	for i := range nonsense {
		missing[fmt.Sprint("before ", i)] = true
	}
	// What can be tried again is, with pauses, and then lies in the dead-letter queue.
	eventually(t, "all else is served", func() bool {
		p.run("clock", "+10s")
		for c.sees(event{"event": "channel_message", "channelId": "poison"}, 100*time.Millisecond) {
		}
		return len(p.stored("poison")) == len(missing)
	})
	// What is written later is not held up either.
	p.put("CHANNEL|poison", "PUBLISH|later", map[string]string{"name": "bot", "content": "later"})
	c.expect(event{"event": "channel_message", "channelId": "poison", "content": "later"})
}

// unheard counts the calls of the stream's function.
func unheard(t *testing.T, p *project, endpoint string) {
	c, other := connect(t, endpoint), connect(t, endpoint)
	calls := func() (lines int) { // of its log, once it is quiet
		eventually(t, "the stream's function is quiet", func() bool {
			before := lines
			time.Sleep(300 * time.Millisecond)
			lines = strings.Count(p.run("logs", "--since", "1h"), "-broadcast-")
			return before == lines
		})
		return lines
	}
	join := func(c *chatter) {
		p.put("CHANNEL|unheard", "CONNECTION|"+c.id, nil)
		c.expect(event{"event": "subscriber_sub", "channelId": "unheard", "subscriberId": c.id})
	}
	quiet := calls()
	join(c)
	joined := calls()
	for i := range 10 {
		c.send(event{"action": "sendMessage", "channelId": "unheard", "name": "anna", "content": fmt.Sprint(i), "id": fmt.Sprint(i)})
		c.expect(event{"event": "ack", "id": fmt.Sprint(i)})
	}
	join(other) // whose record comes after theirs
	one, more := joined-quiet, calls()-joined
	if one == 0 || more > one+3 {
		t.Errorf("a join gives %d lines of the log, and with 10 messages before it %d", one, more)
	}
}

// expiry loses the $disconnect of somebody who never gets a post again.
func expiry(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	c.send(event{"action": "subscribeChannel", "channelId": "left behind", "id": "s"})
	c.expect(event{"event": "subscribed", "id": "s"})
	left := func() int {
		return len(p.query("CHANNEL|left behind", "CONNECTION|")) + len(p.query("CONNECTION|"+c.id, ""))
	}
	if left() != 2 {
		t.Fatalf("a connection and its subscription are %d items", left())
	}
	p.run("fault", "add", "disconnect", "--connection="+c.id)
	c.vanish()
	p.run("clock", "+2h15m")
	eventually(t, "they expire", func() bool { return left() == 0 })
}

// resources are what the project's stacks hold.
func (p *project) resources() (all []stackResource) {
	p.t.Helper()
	found, err := filepath.Glob(filepath.Join(p.home, "state", ".pulumi", "stacks", "*", "*.json"))
	for _, file := range found {
		var data []byte
		var state struct {
			Checkpoint struct {
				Latest struct{ Resources []stackResource }
			}
		}
		if data, err = os.ReadFile(file); err == nil {
			err = json.Unmarshal(data, &state)
		}
		all = append(all, state.Checkpoint.Latest.Resources...)
	}
	if err != nil || len(all) == 0 {
		p.t.Fatalf("the stack's state: %v", err)
	}
	return all
}

type stackResource struct {
	URN, Type string
	Outputs   json.RawMessage
}
