package chattable_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// The samples of docs/table.md do what the page says: they are run as they
// stand, through the shell, with a stand-in for the aws command that puts its
// arguments into the request that the command would send.
func TestDocumentedSamples(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh to run the samples with")
	}
	page, err := os.ReadFile("../../docs/table.md")
	if err != nil {
		t.Fatal(err)
	}
	table, ctx := newTable(t), t.Context()
	if err := table.PutMessage(ctx, chat.Message{ChannelID: "General", Seq: 42, ID: "m", At: start, Name: "n", Content: "c"}); err != nil {
		t.Fatal(err)
	}
	if err := table.PutSubscription(ctx, chat.Subscription{ChannelID: "General", ConnectionID: "R1kmxc2VNjMCFIA=", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, sample := range regexp.MustCompile("(?ms)^ *```\n( *aws dynamodb .*?)^ *```").FindAllStringSubmatch(string(page), -1) {
		command := exec.CommandContext(ctx, shell, "-euc", `aws() { printf '%s\0' "$@"; }; `+sample[1])
		command.Env = append(os.Environ(), "TABLE_NAME="+table.Name)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", sample[1], err)
		}
		arguments := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		answers = append(answers, runSample(t, table, arguments))

		if strings.Contains(sample[1], "BAN|") && strings.Contains(sample[1], "put-item") {
			until := time.Now().Add(time.Hour)
			ban, err := table.GetSanction(ctx, chat.Banned, "bert", "")
			if err != nil || ban.Reason != "spam" || ban.By != "abuse desk" || ban.Until.Sub(until).Abs() > time.Minute {
				t.Errorf("the ban is %+v, %v", ban, err)
			}
		}
		if strings.Contains(sample[1], "PUBLISH|") && strings.Contains(sample[1], "put-item") {
			request, err := table.GetPublishRequest(ctx, "General", "build-17")
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "request", request, chat.PublishRequest{
				ChannelID: "General", Key: "build-17", Name: "Build bot", Content: "Build 17 is <b>green</b>.",
			})
		}
	}
	// Put a request, look at it; put a subscription, delete it; ban, lift the ban,
	// mute, kick, grant, slow down, ask for a deletion; list the members, count them,
	// list the subscribers, the channels, the messages.
	wants := []string{`{}`, `"Build bot"`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`, `"Items":[]`, `{`, `CONNECTION|R1kmxc2VNjMCFIA=`, `CHANNEL|General`, `MESSAGE|00000000000000000042`}
	if len(answers) != len(wants) {
		t.Fatalf("the page has %d samples, want %d", len(answers), len(wants))
	}
	for i, want := range wants {
		if !strings.Contains(answers[i], want) {
			t.Errorf("sample %d: answer %s has no %s", i, answers[i], want)
		}
	}
	rules, err := table.GetRules(ctx, "bert", "General")
	if err != nil || rules.Ban != nil || rules.Mute == nil || rules.Mute.Reason != "be kind" || rules.SlowMode != 30*time.Second {
		t.Errorf("rules in General: %+v, %v", rules, err)
	}
	if rules, err := table.GetRules(ctx, "bert", "private:news"); err != nil || rules.Grant != chat.MayRead {
		t.Errorf("rules in private:news: %+v, %v", rules, err)
	}
	if kick, err := table.GetSanction(ctx, chat.Kicked, "bert", "General"); err != nil || kick.Reason != "calm down" {
		t.Errorf("the kick is %+v, %v", kick, err)
	}
	if _, err := table.GetDeleteRequest(ctx, "General", "42"); err != nil {
		t.Errorf("the delete request: %v", err)
	}
	diff(t, "VIP", collect(t, table.ListSubscribers(ctx, "VIP", "", 0)), []string(nil))
}

// runSample sends what "aws dynamodb OPERATION --flag value …" stands for.
func runSample(t *testing.T, table *chattable.Table, arguments []string) string {
	t.Helper()
	title := func(dashed string) (name string) {
		for _, word := range strings.Split(dashed, "-") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		return name
	}
	if arguments[0] != "dynamodb" {
		t.Fatalf("sample of another command: %q", arguments)
	}
	request := map[string]any{}
	for rest := arguments[2:]; len(rest) > 0; {
		flag := strings.TrimPrefix(rest[0], "--")
		if flag == "consistent-read" {
			request[title(flag)], rest = true, rest[1:]
			continue
		}
		if value := rest[1]; strings.HasPrefix(value, "{") {
			request[title(flag)] = json.RawMessage(value)
		} else {
			request[title(flag)] = value
		}
		rest = rest[2:]
	}
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatalf("%q: %v", arguments, err)
	}
	endpoint := aws.ToString(table.Client.Options().BaseEndpoint)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+title(arguments[1]))
	r.Header.Set("X-Amz-Date", "20260301T120000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %s, %v", body, response.StatusCode, answer, err)
	}
	return string(answer)
}
