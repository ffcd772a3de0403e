package components

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/chat"
)

// previewChat declares a chat stack called chat, whose functions are not built.
func previewChat(args *ChatStackArgs) (*cloud, error) {
	if args.builder == nil {
		args.builder = &fakeBuilder{}
	}
	return preview(func(ctx *pulumi.Context) error {
		_, err := NewChatStack(ctx, "chat", args)
		return err
	})
}

func mustPreviewChat(t *testing.T, args *ChatStackArgs) *cloud {
	t.Helper()
	c, err := previewChat(args)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChatStackDeclares(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreviewChat(t, &ChatStackArgs{builder: b})
	want := []string{
		"Api chat-api", "Stage chat-api-stage", "WebSocketAPI chat-api",
		"Table chat-table", "ChatTable chat-table",
		"Queue chat-stream-dead-letters", "RolePolicy chat-stream-policy", "EventSourceMapping chat-stream", "StreamMapping chat-stream",
		"ChatStack chat",
	}
	for _, f := range []string{"broadcast", "channel", "connection", "fallback", "message"} {
		n := "chat-" + f
		want = append(want, "LogGroup "+n+"-logs", "Role "+n+"-role", "RolePolicy "+n+"-policy", "Function "+n, "GoFunction "+n)
	}
	twoWay := []string{"on-default", "route-deleteMessage", "route-editMessage", "route-getHistory", "route-listMembers", "route-ping", "route-sendMessage", "route-subscribeChannel", "route-typing", "route-unsubscribeChannel", "route-whoami"}
	for _, r := range append([]string{"on-connect", "on-disconnect"}, twoWay...) {
		want = append(want, "Integration chat-api-"+r, "Permission chat-api-"+r, "Route chat-api-"+r)
	}
	for _, r := range twoWay {
		want = append(want, "RouteResponse chat-api-"+r)
	}
	got := c.list()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	for _, target := range b.targets {
		if !strings.HasPrefix(target.Package, "example.com/chatstack/functions/") {
			t.Errorf("built %s, want a package of this module", target.Package)
		}
		if target.GOOS != "linux" || target.GOARCH != "arm64" {
			t.Errorf("built for %s/%s, want linux/arm64", target.GOOS, target.GOARCH)
		}
	}
	if len(b.targets) != 5 {
		t.Errorf("built %d functions, want 5", len(b.targets))
	}
}

// TestRoutesOfUsersNeedIdentity: only a stage that knows its users has the routes of
// direct messages, and the function and the routes of moderators, and its fallback
// knows of them.
func TestRoutesOfUsersNeedIdentity(t *testing.T) {
	t.Parallel()
	without := mustPreviewChat(t, &ChatStackArgs{}).list()
	c := mustPreviewChat(t, &ChatStackArgs{Identity: anyIdentity})
	var want []string
	for _, kind := range []string{"LogGroup -logs", "Role -role", "RolePolicy -policy", "Function ", "GoFunction "} {
		kind, suffix, _ := strings.Cut(kind, " ")
		want = append(want, kind+" chat-moderation"+suffix)
	}
	ofUsers := append(chat.DirectActions(), chat.ModerationActions()...)
	for _, action := range ofUsers {
		for _, kind := range []string{"Integration", "Permission", "Route", "RouteResponse"} {
			want = append(want, kind+" chat-api-route-"+action)
		}
	}
	got := slices.DeleteFunc(c.list(), func(name string) bool {
		return slices.Contains(without, name) || strings.Contains(name, "authorizer") || strings.Contains(name, "expiry")
	})
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("declared beside the others (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"TABLE_NAME": "chat-table-a1b2c3d", "IDENTITY": "jwt"}, c.variables(t, "chat-moderation")); diff != "" {
		t.Errorf("moderation is told (-want +got):\n%s", diff)
	}
	actions, err := json.Marshal(ofUsers)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.variables(t, "chat-fallback")["FURTHER_ACTIONS"]; got != string(actions) {
		t.Errorf("the fallback is told of %v", got)
	}
	for _, key := range []string{"banUser", "sendDirect"} {
		_, err = previewChat(&ChatStackArgs{Identity: anyIdentity, Routes: []ChatRouteArgs{{Key: key, Function: GoFunctionArgs{Package: "./x"}}}})
		expectError(t, err, "Routes[0].Key", key)
	}
}

func TestChatStackOutputs(t *testing.T) {
	t.Parallel()
	mustPreview(t, func(ctx *pulumi.Context) error {
		s, err := NewChatStack(ctx, "chat", &ChatStackArgs{builder: &fakeBuilder{}})
		if err != nil {
			return err
		}
		expectOutputs(t, map[pulumi.StringOutput]string{
			s.Endpoint:           "wss://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
			s.ManagementEndpoint: "https://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
			s.TableName:          "chat-table-a1b2c3d",
			s.TableARN:           "arn:aws:dynamodb:eu-central-1:123456789012:table/chat-table-a1b2c3d",
			s.StreamARN:          "arn:aws:dynamodb:eu-central-1:123456789012:table/chat-table-a1b2c3d/stream/2026-01-01T00:00:00.000",
			s.APIID:              "chat-api-a1b2c3d",
			s.StageName:          "dev",
		})
		expectOutputs(t, map[pulumi.StringOutput]string{
			s.API.Endpoint:              "wss://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
			s.Table.Name:                "chat-table-a1b2c3d",
			s.Stream.DeadLetterQueueURL: "https://sqs.eu-central-1.amazonaws.com/123456789012/chat-stream-dead-letters-a1b2c3d",
			s.DeadLetterQueue.Arn:       "arn:aws:sqs:eu-central-1:123456789012:chat-stream-dead-letters-a1b2c3d",
			s.Functions["message"].Name: "chat-message-a1b2c3d",
		})
		return nil
	})
}

// grants gives what a role's policies allow, as "action resource", sorted.
func (c *cloud) grants(t *testing.T, role string) []string {
	t.Helper()
	var all []string
	for _, r := range c.resources {
		if !strings.HasSuffix(r.Type, ":RolePolicy") || r.Inputs["role"] != role+suffix {
			continue
		}
		var policy struct{ Statement []statementJSON }
		if err := json.Unmarshal([]byte(r.Inputs["policy"].(string)), &policy); err != nil {
			t.Fatal(err)
		}
		for _, s := range policy.Statement {
			if s.Effect != "Allow" {
				t.Errorf("%s has the effect %s", r.Name, s.Effect)
			}
			for _, action := range s.Action {
				for _, resource := range s.Resource {
					all = append(all, action+" "+resource)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestChatFunctionsMayDoWhatTheyNeedAndNoMore(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{Identity: anyIdentity})
	const (
		table  = "arn:aws:dynamodb:eu-central-1:123456789012:table/chat-table-a1b2c3d"
		index  = table + "/index/bySubscriber"
		stream = table + "/stream/2026-01-01T00:00:00.000"
		post   = "execute-api:ManageConnections arn:aws:execute-api:eu-central-1:123456789012:chat-api-a1b2c3d/dev/POST/@connections/*"
		end    = "execute-api:ManageConnections arn:aws:execute-api:eu-central-1:123456789012:chat-api-a1b2c3d/dev/DELETE/@connections/*"
	)
	items := []string{
		"dynamodb:GetItem " + table, "dynamodb:PutItem " + table, "dynamodb:UpdateItem " + table,
		"dynamodb:DeleteItem " + table, "dynamodb:Query " + table,
		"dynamodb:BatchGetItem " + table, "dynamodb:ConditionCheckItem " + table,
	}
	for name, want := range map[string][]string{
		"fallback": {},
		"moderation": {
			"dynamodb:BatchGetItem " + table, "dynamodb:PutItem " + table, "dynamodb:UpdateItem " + table, "dynamodb:DeleteItem " + table,
		},
		"channel":    append([]string{"dynamodb:Query " + index}, items...),
		"connection": append([]string{"dynamodb:Query " + index}, items...),
		"message":    append([]string{"dynamodb:Query " + index, post}, items...),
		"broadcast": append([]string{
			"dynamodb:Query " + index, post, end,
			"dynamodb:DescribeStream " + stream, "dynamodb:GetRecords " + stream, "dynamodb:GetShardIterator " + stream,
			"dynamodb:ListStreams *",
			"sqs:SendMessage arn:aws:sqs:eu-central-1:123456789012:chat-stream-dead-letters-a1b2c3d",
		}, items...),
	} {
		logs := "arn:aws:logs:eu-central-1:123456789012:log-group:chat-" + name + "-logs-a1b2c3d:*"
		want = append([]string{"logs:CreateLogStream " + logs, "logs:PutLogEvents " + logs}, want...)
		slices.Sort(want)
		if diff := cmp.Diff(want, c.grants(t, "chat-"+name+"-role")); diff != "" {
			t.Errorf("%s may (-want +got):\n%s", name, diff)
		}
	}
}

// TestNoPolicyIsWide holds for additional routes too: no action has a wildcard,
// and no resource is everything but where IAM has no other.
func TestNoPolicyIsWide(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{Routes: []ChatRouteArgs{
		{Key: "read", Function: GoFunctionArgs{Package: "./x"}, TableAccess: ReadTable, Connections: true},
		{Key: "write", Function: GoFunctionArgs{Package: "./x"}, TableAccess: ReadWriteTable, Connections: true},
	}})
	roles := 0
	for _, r := range c.resources {
		if !strings.HasSuffix(r.Type, ":Role") {
			continue
		}
		roles++
		for _, grant := range c.grants(t, r.Name) {
			action, resource, _ := strings.Cut(grant, " ")
			if strings.Contains(action, "*") {
				t.Errorf("%s may do %s", r.Name, action)
			}
			if !strings.HasPrefix(resource, "arn:aws:") && action != "dynamodb:ListStreams" {
				t.Errorf("%s may do %s to %s", r.Name, action, resource)
			}
			if strings.Contains(resource, "*") && !strings.HasSuffix(resource, ":*") && !strings.HasSuffix(resource, "/@connections/*") && resource != "*" {
				t.Errorf("%s may do %s to the wide %s", r.Name, action, resource)
			}
		}
	}
	if roles != 7 {
		t.Errorf("looked at %d roles, want 7", roles)
	}
}

// variables gives a function's environment.
func (c *cloud) variables(t *testing.T, function string) map[string]any {
	t.Helper()
	environment, ok := c.get(t, "Function", function).Inputs["environment"].(map[string]any)
	if !ok {
		return nil
	}
	return environment["variables"].(map[string]any)
}

func TestChatFunctionsAreToldWhatTheyNeedAndNoMore(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{
		DefaultChannels:  []string{"General", "Zürich & Bern"[:7]},
		MessageRetention: 36 * time.Hour,
		Limits:           chat.Limits{Name: 32},
	})
	const (
		limits   = `{"content":16384,"name":32,"channelId":128,"subscriptions":100,"messagesPerSecond":10,"messageBurst":20}`
		table    = "chat-table-a1b2c3d"
		endpoint = "https://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev"
	)
	for name, want := range map[string]map[string]any{
		"fallback":   {"FURTHER_ACTIONS": "[]"},
		"channel":    {"TABLE_NAME": table, "LIMITS": limits, "IDENTITY": "anonymous"},
		"connection": {"TABLE_NAME": table, "DEFAULT_CHANNELS": `["General","Zürich"]`, "ALLOWED_ORIGINS": "[]", "LIMITS": limits, "IDENTITY": "anonymous"},
		"message":    {"TABLE_NAME": table, "MANAGEMENT_ENDPOINT": endpoint, "MESSAGE_RETENTION": "36h0m0s", "LIMITS": limits, "IDENTITY": "anonymous"},
		"broadcast":  {"TABLE_NAME": table, "MANAGEMENT_ENDPOINT": endpoint, "MESSAGE_RETENTION": "36h0m0s", "LIMITS": limits, "IDENTITY": "anonymous"},
	} {
		if diff := cmp.Diff(want, c.variables(t, "chat-"+name)); diff != "" {
			t.Errorf("%s is told (-want +got):\n%s", name, diff)
		}
	}
}

func TestChatStackZeroMeansDefaults(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{})
	if got := c.variables(t, "chat-connection")["DEFAULT_CHANNELS"]; got != `["General"]` {
		t.Errorf("the default channels are %v", got)
	}
	if got := c.variables(t, "chat-message")["MESSAGE_RETENTION"]; got != "720h0m0s" {
		t.Errorf("messages are kept %v", got)
	}
	for function, want := range map[string][2]any{
		"chat-message": {256.0, 10.0}, "chat-connection": {256.0, 10.0}, "chat-channel": {256.0, 10.0},
		"chat-fallback": {256.0, 10.0}, "chat-broadcast": {512.0, 60.0},
	} {
		in := c.get(t, "Function", function).Inputs
		if got := [2]any{in["memorySize"], in["timeout"]}; got != want {
			t.Errorf("%s has memory and timeout %v, want %v", function, got, want)
		}
	}
	if diff := cmp.Diff(tableInputs(), c.get(t, "Table", "chat-table").Inputs); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestChatStackWithEverySetting(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	tags := map[string]any{"team": "chat"}
	c := mustPreviewChat(t, &ChatStackArgs{
		DefaultChannels:          []string{},
		RouteSelectionExpression: "$request.body.type",
		StageName:                "v1",
		MessageRetention:         KeepMessages,
		FunctionMemory:           128,
		FunctionTimeout:          29 * time.Second,
		BroadcastMemory:          1024,
		BroadcastTimeout:         15 * time.Minute,
		LogRetentionDays:         KeepLogs,
		Platform:                 LinuxAMD64,
		DeletionProtection:       true,
		AWSOwnedKey:              true,
		Tags:                     map[string]string{"team": "chat"},
		builder:                  b,
	})
	if got := c.variables(t, "chat-connection")["DEFAULT_CHANNELS"]; got != `[]` {
		t.Errorf("the default channels are %v, want none", got)
	}
	if got := c.variables(t, "chat-broadcast")["MESSAGE_RETENTION"]; got != "0s" {
		t.Errorf("messages are kept %v, want for ever", got)
	}
	if got := c.get(t, "Api", "chat-api").Inputs["routeSelectionExpression"]; got != "$request.body.type" {
		t.Errorf("routes are selected by %v", got)
	}
	if got := c.get(t, "Stage", "chat-api-stage").Inputs["name"]; got != "v1" {
		t.Errorf("the stage is called %v", got)
	}
	for function, want := range map[string][2]any{"chat-message": {128.0, 29.0}, "chat-broadcast": {1024.0, 900.0}} {
		in := c.get(t, "Function", function).Inputs
		if got := [2]any{in["memorySize"], in["timeout"]}; got != want {
			t.Errorf("%s has memory and timeout %v, want %v", function, got, want)
		}
		if diff := cmp.Diff([]any{"x86_64"}, in["architectures"]); diff != "" {
			t.Errorf("%s runs on %v", function, in["architectures"])
		}
		if got := c.get(t, "LogGroup", function+"-logs").Inputs["retentionInDays"]; got != 0.0 {
			t.Errorf("%s keeps its log %v days, want for ever", function, got)
		}
	}
	for _, target := range b.targets {
		if target.GOARCH != "amd64" {
			t.Errorf("%s was built for %s", target.Package, target.GOARCH)
		}
	}
	table := c.get(t, "Table", "chat-table").Inputs
	if table["deletionProtectionEnabled"] != true {
		t.Error("the table is not protected")
	}
	if diff := cmp.Diff(map[string]any{"enabled": false}, table["serverSideEncryption"]); diff != "" {
		t.Errorf("encryption (-want +got):\n%s", diff)
	}
	tagged := []string{"Api", "Stage", "Table", "Function", "Role", "LogGroup", "Queue", "EventSourceMapping"}
	for _, r := range c.resources {
		if !slices.Contains(tagged, r.Type[strings.LastIndex(r.Type, ":")+1:]) {
			continue
		}
		if diff := cmp.Diff(any(tags), r.Inputs["tags"]); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", r.Name, diff)
		}
	}
}

func TestChatStackFeedsTheStreamToBroadcast(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{})
	mapping := c.get(t, "EventSourceMapping", "chat-stream").Inputs
	if got := mapping["functionName"]; got != "arn:aws:lambda:eu-central-1:123456789012:function:chat-broadcast-a1b2c3d" {
		t.Errorf("the stream feeds %v", got)
	}
	var filters []any
	for _, pattern := range streamFilters() {
		filters = append(filters, map[string]any{"pattern": pattern})
	}
	if diff := cmp.Diff(map[string]any{"filters": filters}, mapping["filterCriteria"]); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
}

func TestEveryChildBelongsToItsComponent(t *testing.T) {
	t.Parallel()
	c := mustPreviewChat(t, &ChatStackArgs{Routes: []ChatRouteArgs{{Key: "vote", Function: GoFunctionArgs{Package: "./vote"}}}})
	for _, r := range c.resources {
		if r.Type == "pulumi:pulumi:Stack" || r.Type == "chatstack:index:ChatStack" {
			continue
		}
		if !strings.Contains(r.Parent, "chatstack:index:") {
			t.Errorf("%s %s belongs to %q", r.Type, r.Name, r.Parent)
		}
		if !strings.HasPrefix(r.Name, "chat-") {
			t.Errorf("%s %s has a name of its own", r.Type, r.Name)
		}
	}
}

// TestStacksDoNotCollide: two stacks in one program share no name, and nothing
// in them has a physical name that a stack of another stage would have too.
func TestStacksDoNotCollide(t *testing.T) {
	t.Parallel()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		for _, name := range []string{"support", "support-api"} {
			if _, err := NewChatStack(ctx, name, &ChatStackArgs{builder: &fakeBuilder{}}); err != nil {
				return err
			}
		}
		return nil
	})
	seen := map[string]bool{}
	for _, name := range c.list() {
		if seen[name] {
			t.Errorf("%s is declared twice", name)
		}
		seen[name] = true
	}
	for _, r := range c.resources {
		fixed, ok := r.Inputs["name"]
		if ok && !strings.HasSuffix(r.Type, ":Stage") { // unique within its API
			t.Errorf("%s %s has the fixed name %v", r.Type, r.Name, fixed)
		}
	}
}
