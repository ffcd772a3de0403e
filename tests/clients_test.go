package tests

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/chatstack/internal/toolchain"
)

// awsCommand drives the chat, reads it and its stream and speaks to a client with
// the aws command alone, as an operator may.
func awsCommand(t *testing.T, p *project, endpoint string) {
	commands := map[string]bool{}
	for _, name := range []string{"aws", "/usr/bin/aws"} { // the second is Debian's, which is old
		if path, err := exec.LookPath(name); err == nil {
			commands[path] = true
		}
	}
	if len(commands) == 0 {
		t.Skip("the aws command is not installed: make test does where it may")
	}
	outputs := p.outputs()
	table := outputs["tableName"]
	for command := range commands {
		c := connect(t, endpoint)
		try := func(args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			script := `eval "$("$0" --program "$1" --home "$2" env)"; shift 2; exec "$@"`
			cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script, chatstack, p.program, p.home, command, "--output", "text"}, args...)...)
			out, err := cmd.CombinedOutput()
			return strings.TrimSpace(string(out)), err
		}
		run := func(args ...string) string {
			t.Helper()
			out, err := try(args...)
			if err != nil {
				t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
			}
			return out
		}
		channel := fmt.Sprintf("console %d", len(command))
		subscription := fmt.Sprintf(`{"pk":{"S":"CHANNEL|%s"},"sk":{"S":"CONNECTION|%s"}}`, channel, c.id)
		run("dynamodb", "put-item", "--table-name", table, "--item", subscription)
		c.expect(event{"event": "subscriber_sub", "channelId": channel, "subscriberId": c.id})
		run("dynamodb", "put-item", "--table-name", table, "--item",
			fmt.Sprintf(`{"pk":{"S":"CHANNEL|%s"},"sk":{"S":"PUBLISH|1"},"name":{"S":"console"},"content":{"S":"typed by hand"}}`, channel))
		c.expect(event{"event": "channel_message", "channelId": channel, "content": "typed by hand"})
		stored := run("dynamodb", "query", "--table-name", table, "--key-condition-expression", "pk = :c AND begins_with(sk, :m)",
			"--expression-attribute-values", fmt.Sprintf(`{":c":{"S":"CHANNEL|%s"},":m":{"S":"MESSAGE|"}}`, channel), "--query", "Items[].content.S")
		if stored != "typed by hand" {
			t.Errorf("%s: the table holds %q", command, stored)
		}

		stream := run("dynamodbstreams", "list-streams", "--table-name", table, "--query", "Streams[0].StreamArn")
		shard := run("dynamodbstreams", "describe-stream", "--stream-arn", stream, "--query", "StreamDescription.Shards[0].ShardId")
		iterator := run("dynamodbstreams", "get-shard-iterator", "--stream-arn", stream, "--shard-id", shard, "--shard-iterator-type", "TRIM_HORIZON", "--query", "ShardIterator")
		records := ""
		for page := 0; page < 50 && !strings.Contains(records, "typed by hand"); page++ { // others write too, some of them much
			records = run("dynamodbstreams", "get-records", "--shard-iterator", iterator, "--query", "[NextShardIterator, Records[].dynamodb.NewImage.content.S]")
			iterator, _, _ = strings.Cut(records, "\n")
		}
		if stream != outputs["streamArn"] || !strings.Contains(records, "typed by hand") {
			t.Errorf("%s: the records of %s are %q", command, stream, records)
		}

		frame := filepath.Join(t.TempDir(), "frame")
		if err := os.WriteFile(frame, []byte(`{"event":"notice","text":"by hand"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		connection := func(verb string, more ...string) (string, error) {
			args := append([]string{"apigatewaymanagementapi", verb, "--endpoint-url", outputs["managementEndpoint"], "--connection-id=" + c.id}, more...)
			return try(args...)
		}
		if out, err := connection("post-to-connection", "--data", "fileb://"+frame); err != nil {
			t.Errorf("%s: post-to-connection: %v\n%s", command, err, out)
		} else {
			c.expect(event{"event": "notice", "text": "by hand"})
		}
		if out, err := connection("get-connection", "--query", "ConnectedAt"); err != nil || !strings.HasPrefix(out, time.Now().UTC().Format("2006-")) {
			t.Errorf("%s: get-connection: %q, %v", command, out, err)
		}
		run("dynamodb", "delete-item", "--table-name", table, "--key", subscription)
		c.expect(event{"event": "subscriber_unsub", "channelId": channel, "subscriberId": c.id, "reason": "left"})
		if out, err := connection("delete-connection"); err != nil {
			t.Errorf("%s: delete-connection: %v\n%s", command, err, out)
		}
		eventually(t, "the connection ends", func() bool {
			select {
			case _, open := <-c.events:
				return !open
			default:
				return false
			}
		})
		if out, err := connection("post-to-connection", "--data", "fileb://"+frame); err == nil || !strings.Contains(out, "(GoneException)") {
			t.Errorf("%s: post-to-connection to what is gone: %q, %v", command, out, err)
		}
	}
}

func nodeClient(t *testing.T, endpoint string) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node is not installed")
	}
	c := connect(t, endpoint)
	const script = `
const socket = new WebSocket(process.argv[1], ["chatstack.v1", "bearer.none"]);
socket.onopen = () => socket.send(JSON.stringify({ action: "sendMessage", channelId: "General", name: "node", content: "from Node" }));
socket.onmessage = ({ data }) => { if (JSON.parse(data).event === "ack") { console.log(data); socket.close(); } };
socket.onerror = (e) => { console.error(e.message ?? e); process.exit(1); };
`
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--experimental-websocket", "-e", script, endpoint)
	cmd.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "bad option") {
		t.Skip("this Node has no WebSocket of its own: 20.10 is the first that has")
	}
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	c.expect(event{"event": "channel_message", "name": "node", "content": "from Node"})
}

// wscat is a client that people type frames into.
func wscat(t *testing.T, endpoint string) {
	found, err := filepath.Glob(filepath.Join(os.Getenv(toolchain.DirVar), "wscat-*", "node_modules", ".bin", "wscat"))
	if err != nil || len(found) == 0 {
		t.Skip("wscat is not installed: make test does where there is npm")
	}
	other := connect(t, endpoint)
	other.send(event{"action": "subscribeChannel", "channelId": "typed", "id": "s"})
	other.expect(event{"event": "subscribed", "id": "s"})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, found[0], "--no-color", "--slash", "--show-ping-pong", "--connect", endpoint)
	keyboard, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var screen transcript
	cmd.Stdout, cmd.Stderr = &screen, &screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	shows := func(what string) {
		t.Helper()
		eventually(t, "wscat shows "+what, func() bool { return strings.Contains(screen.String(), what) })
	}
	types := func(line string) { io.WriteString(keyboard, line+"\n") }

	// Without a terminal it does not say that it is connected, and what is typed
	// before that is lost.
	eventually(t, "wscat connects", func() bool {
		types(`{"action":"whoami"}`)
		time.Sleep(100 * time.Millisecond)
		return strings.Contains(screen.String(), `"event":"you"`)
	})
	types(`{"action":"subscribeChannel","channelId":"typed","id":"s"}`)
	shows(`"event":"subscribed"`)
	who := other.expect(event{"event": "subscriber_sub", "channelId": "typed"})
	for who["subscriberId"] == other.id {
		who = other.expect(event{"event": "subscriber_sub", "channelId": "typed"})
	}
	types(`{"action":"sendMessage","channelId":"typed","name":"typist","content":"by wscat"}`)
	other.expect(event{"event": "channel_message", "channelId": "typed", "name": "typist", "content": "by wscat"})
	shows(`"event":"ack"`)
	other.send(event{"action": "sendMessage", "channelId": "typed", "name": "other", "content": "to wscat"})
	shows("to wscat")
	types("not JSON")
	shows(`"event":"error"`)
	types("/ping")
	shows("Received pong")
	types("/close 1000 bye")
	other.expect(event{"event": "subscriber_unsub", "channelId": "typed", "subscriberId": who["subscriberId"], "reason": "disconnected"})
	if err := <-ended; err != nil {
		t.Errorf("wscat ends with %v:\n%s", err, screen.String())
	}
}
