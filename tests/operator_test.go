package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"

	"example.com/chatstack/internal/toolchain"
)

// TestTheTablePage has a stage of its own, as the page's channels are its users'
// too. What operators do to users comes after it.
func TestTheTablePage(t *testing.T) {
	t.Parallel()
	p := newProject(t, knowingUsers(t))
	p.up()
	endpoint := p.outputs()["endpoint"]
	as := func(t *testing.T, user string) *chatter {
		t.Helper()
		token := strings.TrimSpace(p.run("token", "--user", user))
		c := dialWith(t, endpoint, &websocket.DialOptions{Subprotocols: []string{"chatstack.v1", "bearer." + token}})
		c.send(event{"action": "whoami", "id": "who"})
		c.id, _ = c.expect(event{"event": "you", "id": "who"})["connectionId"].(string)
		return c
	}
	itemOperations(t, p, as)
	t.Run("commands moderate", func(t *testing.T) { moderate(t, p, as) })
	t.Run("a user is exported and erased", func(t *testing.T) { eraseUser(t, p, as) })
}

// TestOperators works in a chat as its operators and their services do: through
// the table alone. The parts share one stage, and keep apart by channels of their
// own.
func TestOperators(t *testing.T) {
	t.Parallel()
	p := newProject(t, "..")
	p.up()
	outputs := p.outputs()
	endpoint := outputs["endpoint"]
	t.Run("parts", func(t *testing.T) {
		part := func(name string, run func(t *testing.T)) {
			t.Run(name, func(t *testing.T) { t.Parallel(); run(t) })
		}
		part("commands speak, look and follow", func(t *testing.T) { operate(t, p, endpoint) })
		part("commands reach a stack of any Pulumi backend", func(t *testing.T) { operateElsewhere(t, p, outputs) })
		part("a bot answers once, also what it was asked while it was away", func(t *testing.T) { bot(t, p, endpoint) })
	})
}

func operate(t *testing.T, p *project, endpoint string) {
	c := connect(t, endpoint)
	c.join("ops")
	tail := exec.Command(chatstack, "--program", p.program, "--home", p.home, "tail", "ops", "--after", "0")
	var printed, complaints transcript
	tail.Stdout, tail.Stderr = &printed, &complaints
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	follows := func(lines ...string) {
		t.Helper()
		eventually(t, fmt.Sprintf("tail shows %q", lines), func() bool {
			text := printed.String()
			for _, line := range lines {
				_, rest, found := strings.Cut(text, line)
				if !found {
					return false
				}
				text = rest
			}
			return true
		})
	}
	if out := p.run("publish", "ops", "Down at <b>noon</b> &amp; back", "--name", "Op", "--id", "noon"); out != "Message 1 of ops.\n" {
		t.Errorf("publish prints %q", out)
	}
	c.expect(event{"event": "channel_message", "channelId": "ops", "seq": 1.0, "messageId": "noon", "content": "Down at <b>noon</b> &amp; back"})
	if out := p.run("publish", "ops", "Down at <b>noon</b> &amp; back", "--name", "Op", "--id", "noon"); out != "Message 1 of ops.\n" {
		t.Errorf("publish prints of a repetition %q", out)
	}
	if out, err := p.try("publish", "ops", "<i></i>"); err == nil || !strings.Contains(out, "content has no text in it") {
		t.Errorf("publishing nothing: %v, %s", err, out)
	}
	c.say("ops", "m", "when exactly?")
	c.send(event{"action": "editMessage", "channelId": "ops", "seq": 2, "content": "when?", "id": "e"})
	c.expect(event{"event": "ack", "id": "e"})
	follows("  Op: Down at noon & back\n", "  2  tester: when", "  3  2 was edited, tester: when?\n")
	c.send(event{"action": "deleteMessage", "channelId": "ops", "seq": 2, "id": "d"})
	c.expect(event{"event": "ack", "id": "d"})
	follows("  4  2 was deleted\n")
	if err := tail.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := tail.Wait(); err != nil || complaints.String() != "" {
		t.Errorf("tail ends with %v, %s", err, complaints.String())
	}

	if out := p.run("history", "ops"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "  1  Op: Down at noon & back\n") || !strings.Contains(out, "  2  tester (deleted)\n") {
		t.Errorf("history prints\n%s", out)
	}
	for args, want := range map[string]float64{"--last 1": 2, "--before 2": 1, "--after 1": 2} {
		var line event
		out := p.run(append([]string{"history", "ops", "--json"}, strings.Fields(args)...)...)
		if err := json.Unmarshal([]byte(out), &line); err != nil || line["seq"] != want {
			t.Errorf("history %s prints %s, %v", args, out, err)
		}
	}
	if out := p.run("who", "ops"); !strings.Contains(out, "(anonymous)") || !strings.Contains(out, c.id) {
		t.Errorf("who prints\n%s", out)
	}
	var members []struct{ Connections []string }
	out := p.run("who", "ops", "--json")
	if err := json.Unmarshal([]byte(out), &members); err != nil || len(members) != 1 || fmt.Sprint(members[0].Connections) != fmt.Sprint([]string{c.id}) {
		t.Errorf("who --json prints %s, %v", out, err)
	}
	if out := p.run("export-user", "nobody"); out != "0 items of nobody.\n" {
		t.Errorf("export-user prints %q", out)
	}
}

// operateElsewhere works on a stack of another backend, whose outputs lead to the
// same table.
func operateElsewhere(t *testing.T, p *project, outputs map[string]string) {
	pulumi, err := toolchain.Toolchain{Dir: os.Getenv(toolchain.DirVar)}.Pulumi(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program, backend := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(program, "Pulumi.yaml"), []byte("name: elsewhere\nruntime: go\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "PULUMI_BACKEND_URL=file://"+backend, "PULUMI_HOME="+t.TempDir(), "PULUMI_CONFIG_PASSPHRASE=", "PULUMI_SKIP_UPDATE_CHECK=true")
	for name, value := range p.env() {
		env = append(env, name+"="+value)
	}
	run := func(name string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Env = program, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	stack := func(outputs map[string]string) {
		t.Helper()
		state, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{
			"manifest": map[string]any{}, "resources": []any{map[string]any{
				"urn": "urn:pulumi:prod::elsewhere::pulumi:pulumi:Stack::elsewhere-prod", "type": "pulumi:pulumi:Stack", "outputs": outputs,
			}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(file, state, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := run(pulumi, "stack", "import", "--stack", "prod", "--file", file); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := run(pulumi, "stack", "init", "prod"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	operate := func(args ...string) (string, error) {
		return run(chatstack, append([]string{"--program", program, "--home", t.TempDir()}, args...)...)
	}
	for args, want := range map[string]string{
		"who elsewhere --stack prod": "has no outputs tableName and tableArn: it is not deployed",
		"who elsewhere --stack nope": "no stack named 'nope' found",
		"who elsewhere":              "the local cloud does not run",
	} {
		if out, err := operate(strings.Fields(args)...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %s", args, err, out)
		}
	}
	stack(map[string]string{"tableName": outputs["tableName"], "tableArn": outputs["tableArn"]})
	if out, err := operate("publish", "elsewhere", "hello", "--stack", "prod"); err != nil || out != "Message 1 of elsewhere.\n" {
		t.Errorf("publish: %v, %s", err, out)
	}
	stack(map[string]string{"tableName": "gone", "tableArn": outputs["tableArn"]})
	if out, err := operate("history", "elsewhere", "--stack", "prod"); err == nil || !strings.Contains(out, "table is not there") {
		t.Errorf("history of a table that is gone: %v, %s", err, out)
	}
}

func moderate(t *testing.T, p *project, as func(*testing.T, string) *chatter) {
	prints := func(want string, args ...string) {
		t.Helper()
		if out := p.run(args...); !regexp.MustCompile("^" + want + "\n$").MatchString(out) {
			t.Errorf("%q prints %q, want %q", args, out, want)
		}
	}
	const time = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
	ada, bert := as(t, "ada"), as(t, "bert")
	for _, c := range []*chatter{ada, bert} {
		c.join("talk")
	}
	prints(`talk is in slow mode, one message of a user in 30s\.`, "slow-mode", "talk", "30s")
	ada.expect(event{"event": "slow_mode", "channelId": "talk", "seconds": 30.0})
	prints(`talk is not in slow mode\.`, "slow-mode", "talk", "off")
	ada.expect(event{"event": "slow_mode", "channelId": "talk", "seconds": 0.0})

	prints(`bert is muted in talk until `+time+`\.`, "mute", "bert", "--channel", "talk", "--for", "10m", "--reason", "too loud")
	bert.expect(event{"event": "muted", "channelId": "talk", "reason": "too loud"})
	bert.send(event{"action": "sendMessage", "channelId": "talk", "content": "but", "id": "muted"})
	bert.expect(event{"event": "error", "id": "muted", "code": "muted"})
	prints(`bert has no mute in talk\.`, "unmute", "bert", "--channel", "talk")
	bert.expect(event{"event": "unmuted", "channelId": "talk"})

	seq := fmt.Sprint(bert.say("talk", "1", "something bad")["seq"])
	prints(`Message `+seq+` of talk is deleted\.`, "delete", "talk", seq)
	ada.expect(event{"event": "message_deleted", "channelId": "talk"})
	if out, err := p.try("delete", "talk", "4711"); err == nil || !strings.Contains(out, "the chat does not delete it: the channel has no message with the number 4711") {
		t.Errorf("deleting nothing: %v, %s", err, out)
	}

	prints(`bert may read and write in private:team until `+time+`\.`, "grant", "bert", "private:team", "--for", "1h")
	bert.join("private:team")
	prints(`bert has no grant for private:team; what its token allows stays\.`, "revoke", "bert", "private:team")
	bert.expect(event{"event": "subscriber_unsub", "channelId": "private:team", "reason": "forbidden"})

	prints(`bert is kicked from talk, and may come back\.`, "kick", "bert", "--channel", "talk", "--reason", "again")
	bert.expect(event{"event": "kicked", "channelId": "talk", "reason": "again"})
	prints(`bert is banned from talk\.`, "ban", "bert", "--channel", "talk")
	prints(`bert is banned everywhere until `+time+`\.`, "ban", "bert", "--for", "7d", "--reason", "spam")
	bert.expect(event{"event": "banned", "reason": "spam"})
	bert.closed()
	prints("bert has no ban everywhere\\.\nThere is another one, from talk\\.", "unban", "bert")
	prints(`bert has no ban from talk\.`, "unban", "bert", "--channel", "talk")
	as(t, "bert")
}

func eraseUser(t *testing.T, p *project, as func(*testing.T, string) *chatter) {
	ada, carl := as(t, "ada"), as(t, "carl")
	for _, c := range []*chatter{ada, carl} {
		c.join("memory")
	}
	carl.say("memory", "1", "carl was here")
	carl.send(event{"action": "editMessage", "channelId": "memory", "seq": 1, "content": "carl was here!", "id": "e"})
	carl.expect(event{"event": "ack", "id": "e"})
	kept := fmt.Sprint(ada.say("memory", "2", "ada too")["seq"])
	p.run("mute", "carl", "--channel", "elsewhere")
	carl.send(event{"action": "sendDirect", "user": "dora", "content": "for dora", "id": "d1"})
	carl.expect(event{"event": "ack", "id": "d1"})
	dora := as(t, "dora")
	dora.send(event{"action": "sendDirect", "user": "carl", "content": "for carl", "id": "d2"})
	dora.expect(event{"event": "ack", "id": "d2"})
	export := p.run("export-user", "carl")
	for _, kind := range []string{"message", "revision", "connection", "device", "subscription", "member", "mute", "sent", "rate", "direct message", "conversation"} {
		if !strings.Contains(export, `{"kind":"`+kind+`",`) {
			t.Errorf("the export has no %s:\n%s", kind, export)
		}
	}
	if strings.Contains(export, "ada") {
		t.Errorf("the export has another's:\n%s", export)
	}
	if out, err := p.try("erase-user", "carl"); err == nil || !strings.Contains(out, "nothing was erased") {
		t.Errorf("without --yes: %v, %s", err, out)
	}
	out := p.run("erase-user", "carl", "--yes")
	for _, line := range []string{`connection +1 +0`, `message +1 +0`, `revision +1 +0`, `mute +1 +0`, `direct message +2 +0`, `conversation +2 +0`} {
		if !regexp.MustCompile("(?m)^" + line + "$").MatchString(out) {
			t.Errorf("the report has no line %s:\n%s", line, out)
		}
	}
	if !strings.Contains(out, "35 days") {
		t.Errorf("the report does not tell what stays:\n%s", out)
	}
	carl.closed()
	deleted := ada.expect(event{"event": "message_deleted", "channelId": "memory", "targetSeq": 1.0})
	if deleted["user"] != nil || deleted["senderId"] != nil {
		t.Errorf("the deletion names the author: %v", deleted)
	}
	dora.expect(event{"event": "message_deleted", "targetSeq": 2.0})
	dora.send(event{"action": "listDirects", "id": "list"})
	if list := dora.expect(event{"event": "directs", "id": "list"}); fmt.Sprint(list["directs"]) != "[]" {
		t.Errorf("dora still has %v", list)
	}
	if export := p.run("export-user", "carl"); export != "0 items of carl.\n" {
		t.Errorf("there is still\n%s", export)
	}
	if out := p.run("erase-user", "carl", "--yes", "--json"); !strings.Contains(out, `"removed": {}`) {
		t.Errorf("again, it reports\n%s", out)
	}
	history := p.run("history", "memory", "--json")
	if strings.Contains(history, "carl") || !strings.Contains(history, `{"seq":`+kept+`,`) {
		t.Errorf("the history is\n%s", history)
	}
}

// bot runs examples/bot, stops it, asks on, and starts it again.
func bot(t *testing.T, p *project, endpoint string) {
	binary := filepath.Join(t.TempDir(), "bot")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Dir = "../examples/bot"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	env := os.Environ()
	for name, value := range p.env() {
		env = append(env, name+"="+value)
	}
	var said transcript
	start := func() (stop func()) {
		t.Helper()
		cmd := exec.Command(binary, "-channel", "dice")
		cmd.Env, cmd.Stderr = env, &said
		before := strings.Count(said.String(), "bot follows")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the bot follows", func() bool { return strings.Count(said.String(), "bot follows") > before })
		return func() {
			t.Helper()
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the bot ends with %v: %s", err, said.String())
			}
		}
	}
	c := connect(t, endpoint)
	c.join("dice")
	answers := func(question event) (content any) {
		t.Helper()
		m := c.expect(event{"event": "channel_message", "channelId": "dice", "messageId": fmt.Sprint("roll ", question["messageId"])})
		if !strings.HasPrefix(fmt.Sprint(m["content"]), "<b>tester</b> rolls 2d6: ") || m["name"] != "Dice" {
			t.Errorf("the bot answers %v", m)
		}
		return m["content"]
	}
	c.say("dice", "before", "!roll 2d6") // nobody is there
	stop := start()
	c.say("dice", "chat", "hello")
	answers(c.say("dice", "1", "!roll 2d6"))
	stop()
	asked := c.say("dice", "2", "!roll 2d6")
	stop = start()
	answers(asked)
	stop()

	// As after a crash between the answers and the cursor: all is answered again,
	// and comes to nothing.
	client, name := p.table()
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "BOT|dice"}, "sk": &types.AttributeValueMemberS{Value: "CHANNEL|dice"},
		"seq": &types.AttributeValueMemberN{Value: "0"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	stop = start()
	answers(c.say("dice", "3", "!roll 2d6"))
	stop()
	var answered []string
	for _, line := range strings.Split(strings.TrimSpace(p.run("history", "dice", "--json")), "\n") {
		var m event
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if m["name"] == "Dice" {
			answered = append(answered, fmt.Sprint(m["messageId"]))
		}
	}
	if len(answered) != 4 {
		t.Errorf("the bot gave the answers %v, want one for each of 4", answered)
	}
}
