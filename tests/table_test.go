package tests

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// documentedID is the connection that docs/table.md is about.
const documentedID = "R1kmxc2VNjMCFIA="

// itemOperations performs every operation that docs/table.md shows, on a deployed
// stage, with nothing but its JSON in a signed request, and looks at what the chat
// makes of it. Each has its performance here, and each performance its place in the
// page.
func itemOperations(t *testing.T, p *project, as func(*testing.T, string) *chatter) {
	c, other := as(t, "u-1382"), as(t, "ada")
	table := &rawTable{t: t, env: p.env(), connectionID: c.id}
	client, name := p.table()
	publish := func(channelID, content string) (seq int64) {
		t.Helper()
		sent, err := chattable.New(client, *name).Publish(t.Context(), chat.PublishRequest{ChannelID: channelID, Name: "bot", Content: content})
		if err != nil {
			t.Fatal(err)
		}
		return sent.Seq
	}
	var bert *chatter
	has := func(answer string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(answer, part) {
				t.Errorf("the answer %s has no %s", answer, part)
			}
		}
	}
	performances := map[string]func(o operation){
		"PutItem CHANNEL|General PUBLISH|build-17": func(o operation) {
			table.perform(o)
			c.expect(event{"event": "channel_message", "channelId": "General", "name": "Build bot", "content": "Build 17 is <b>green</b>."})
		},
		"GetItem CHANNEL|General PUBLISH|build-17": func(o operation) {
			eventually(t, "the request is gone", func() bool { return !strings.Contains(table.perform(o), "Item") })
			p.put("CHANNEL|General", "PUBLISH|build-17", map[string]string{"name": "Build bot", "content": "<script></script>"})
			eventually(t, "the request has its error", func() bool { return strings.Contains(table.perform(o), `"error"`) })
		},
		"PutItem CHANNEL|VIP CONNECTION|" + documentedID: func(o operation) {
			table.perform(o)
			c.expect(event{"event": "subscriber_sub", "channelId": "VIP", "subscriberId": c.id})
			publish("VIP", "let in")
			c.expect(event{"event": "channel_message", "channelId": "VIP", "content": "let in"})
		},
		"DeleteItem CHANNEL|VIP CONNECTION|" + documentedID: func(o operation) {
			table.perform(o)
			c.expect(event{"event": "subscriber_unsub", "channelId": "VIP", "subscriberId": c.id, "reason": "left"})
		},
		"PutItem BAN|bert *": func(o operation) {
			bert = as(t, "bert")
			table.perform(o)
			bert.expect(event{"event": "banned", "reason": "spam"})
			bert.closed()
		},
		"DeleteItem BAN|bert *": func(o operation) {
			table.perform(o)
			bert = as(t, "bert") // a ban is read where a connection is made
		},
		"PutItem MUTE|bert CHANNEL|General": func(o operation) {
			table.perform(o)
			bert.expect(event{"event": "muted", "channelId": "General", "reason": "be kind"})
			bert.send(event{"action": "sendMessage", "channelId": "General", "content": "but", "id": "muted"})
			bert.expect(event{"event": "error", "id": "muted", "code": "muted"})
		},
		"PutItem KICK|bert CHANNEL|General": func(o operation) {
			table.perform(o)
			bert.expect(event{"event": "kicked", "channelId": "General", "reason": "calm down"})
			c.expect(event{"event": "subscriber_unsub", "channelId": "General", "user": "bert", "reason": "kicked"})
		},
		"PutItem GRANT|bert CHANNEL|private:news": func(o operation) {
			bert.send(event{"action": "subscribeChannel", "channelId": "private:news", "id": "early"})
			bert.expect(event{"event": "error", "id": "early", "code": "forbidden"})
			table.perform(o)
			bert.join("private:news")
			bert.send(event{"action": "sendMessage", "channelId": "private:news", "content": "but", "id": "readonly"})
			bert.expect(event{"event": "error", "id": "readonly", "code": "forbidden"})
		},
		"UpdateItem CHANNEL|General SETTINGS": func(o operation) {
			table.perform(o)
			c.expect(event{"event": "slow_mode", "channelId": "General", "seconds": 30.0})
		},
		"PutItem CHANNEL|General DELETE|42": func(o operation) {
			for publish("General", "one of many") < 42 {
			}
			table.perform(o)
			c.expect(event{"event": "message_deleted", "channelId": "General", "targetSeq": 42.0})
		},
		"Query CHANNEL|General MEMBER|": func(o operation) {
			has(table.perform(o), "MEMBER|USER|u-1382", c.id, "MEMBER|USER|ada", other.id)
		},
		"GetItem CHANNEL|General COUNT": func(o operation) { has(table.perform(o), `"members":{"N":"2"}`) },
		"Query CHANNEL|General CONNECTION|": func(o operation) {
			has(table.perform(o), "CONNECTION|"+c.id, "CONNECTION|"+other.id)
		},
		"Query CONNECTION|" + documentedID: func(o operation) {
			c.join("another")
			eventually(t, "the index has both channels", func() bool {
				answer := table.perform(o)
				return strings.Contains(answer, "CHANNEL|General") && strings.Contains(answer, "CHANNEL|another")
			})
		},
		"Query CHANNEL|General MESSAGE|00000000000000000042 MESSAGE|99999999999999999999": func(o operation) {
			publish("General", "one more")
			answer := table.perform(o)
			has(answer, "MESSAGE|00000000000000000042", `"content":{"S":"one more"}`)
			if strings.Contains(answer, "MESSAGE|00000000000000000041") {
				t.Error("an earlier one is given as well")
			}
		},
	}
	performed := map[string]bool{}
	for _, o := range operations(t, "../docs/table.md") {
		perform, known := performances[o.name]
		if !known {
			t.Errorf("no performance of %q, which is under %q", o.name, o.section)
			continue
		}
		t.Logf("performing %s", o.name)
		perform(o)
		performed[o.name] = true
	}
	for name := range performances {
		if !performed[name] {
			t.Errorf("%q is not in the page", name)
		}
	}
}

// An operation is what a code block of the page sends to DynamoDB.
type operation struct {
	section string
	target  string // PutItem, Query …
	name    string // the target, and which keys it is about
	body    map[string]any
}

var blockOrHeading = regexp.MustCompile("(?ms)^## ([^\n]*)$|^ *```[a-z]*\n(.*?)^ *```")

// operations reads the page. The shell reads its samples, with a stand-in for the
// aws command, so quotes are what they are to whoever copies them.
func operations(t *testing.T, page string) (all []operation) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	section := ""
	for _, found := range blockOrHeading.FindAllStringSubmatch(string(text), -1) {
		if found[1] != "" {
			section = found[1]
			continue
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-euc",
			`TABLE_NAME=the-table; aws() { printf '%s\0' "$@"; printf '\0'; }; `+found[2]).Output()
		if err != nil {
			t.Fatalf("%s: %v", found[2], err)
		}
		for _, words := range strings.Split(strings.TrimSuffix(string(out), "\x00\x00"), "\x00\x00") {
			all = append(all, operationOf(t, section, strings.Split(words, "\x00")))
		}
	}
	return all
}

func operationOf(t *testing.T, section string, words []string) operation {
	t.Helper()
	if len(words) < 2 || words[0] != "dynamodb" {
		t.Fatalf("under %q is a block of another command: %q", section, words)
	}
	title := func(dashed string) (name string) {
		for _, word := range strings.Split(dashed, "-") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		return name
	}
	o := operation{section: section, target: title(words[1]), body: map[string]any{}}
	for rest := words[2:]; len(rest) > 0; {
		flag := strings.TrimPrefix(rest[0], "--")
		switch {
		case strings.HasPrefix(flag, "no-"):
			o.body[title(strings.TrimPrefix(flag, "no-"))] = false
			rest = rest[1:]
		case len(rest) == 1 || strings.HasPrefix(rest[1], "--"):
			o.body[title(flag)] = true
			rest = rest[1:]
		default:
			var value any
			if json.Unmarshal([]byte(rest[1]), &value) != nil {
				value = rest[1]
			}
			o.body[title(flag)], rest = value, rest[2:]
		}
	}
	var keys []string
	for _, part := range []string{"Item", "Key"} {
		if item, ok := o.body[part].(map[string]any); ok {
			keys = append(keys, textOf(item["pk"]), textOf(item["sk"]))
		}
	}
	if values, ok := o.body["ExpressionAttributeValues"].(map[string]any); ok && len(keys) == 0 {
		values = maps.Clone(values)
		keys = append(keys, textOf(values[":pk"]))
		delete(values, ":pk")
		for _, name := range slices.Sorted(maps.Keys(values)) {
			keys = append(keys, textOf(values[name]))
		}
	}
	o.name = strings.Join(append([]string{o.target}, slices.DeleteFunc(keys, func(s string) bool { return s == "" })...), " ")
	return o
}

// textOf gives the text of an attribute, "" of any other.
func textOf(attribute any) string {
	value, _ := attribute.(map[string]any)
	text, _ := value["S"].(string)
	return text
}

// A rawTable takes JSON alone, as a service in any language sends it.
type rawTable struct {
	t            *testing.T
	env          map[string]string
	connectionID string // in place of the documented one
}

// perform sends an operation, signed, and returns the answer.
func (r *rawTable) perform(o operation) string {
	r.t.Helper()
	o.body["TableName"] = r.env["TABLE_NAME"]
	body, err := json.Marshal(o.body)
	if err != nil {
		r.t.Fatal(err)
	}
	body = bytes.ReplaceAll(body, []byte(documentedID), []byte(r.connectionID))
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.env["AWS_ENDPOINT_URL_DYNAMODB"], bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+o.target)
	digest := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(r.t.Context(), aws.Credentials{
		AccessKeyID: r.env["AWS_ACCESS_KEY_ID"], SecretAccessKey: r.env["AWS_SECRET_ACCESS_KEY"],
	}, request, hex.EncodeToString(digest[:]), "dynamodb", r.env["AWS_REGION"], time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %s: status %d, %s, %v", o.name, body, response.StatusCode, answer, err)
	}
	return string(answer)
}
