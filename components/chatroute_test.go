package components

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestChatStackRoutes(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreviewChat(t, &ChatStackArgs{
		FunctionMemory: 512,
		Tags:           map[string]string{"team": "chat"},
		Routes: []ChatRouteArgs{
			{Key: "time", Function: GoFunctionArgs{Package: "./functions/time"}},
			{
				Key: "vote", OneWay: true, TableAccess: ReadWriteTable, Connections: true,
				Function: GoFunctionArgs{
					Package: "example.com/app/vote", Memory: 1024, Timeout: 20 * time.Second,
					Environment: pulumi.StringMap{"LEVEL": pulumi.String("debug"), "TABLE_NAME": pulumi.String("mine")},
					Statements:  []PolicyStatement{{Actions: []string{"a:B"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:a:::b")}}},
				},
			},
			{Key: "message", TableAccess: ReadTable, Function: GoFunctionArgs{Package: "./functions/message"}},
		},
		builder: b,
	})
	var packages []string
	for _, target := range b.targets {
		packages = append(packages, target.Package)
	}
	for _, want := range []string{"./functions/time", "example.com/app/vote", "./functions/message"} {
		if !slices.Contains(packages, want) {
			t.Errorf("built %v, not %s", packages, want)
		}
	}

	// Nothing asked for, nothing given, and the stack's own settings.
	if got := c.variables(t, "chat-route-time"); got != nil {
		t.Errorf("time is told %v", got)
	}
	if got := c.grants(t, "chat-route-time-role"); len(got) != 2 {
		t.Errorf("time may %v, want its log alone", got)
	}
	in := c.get(t, "Function", "chat-route-time").Inputs
	if in["memorySize"] != 512.0 || in["timeout"] != 10.0 || !cmp.Equal(in["tags"], any(map[string]any{"team": "chat"})) {
		t.Errorf("time is declared with %v", in)
	}
	if got := c.get(t, "Route", "chat-api-route-time").Inputs["routeResponseSelectionExpression"]; got != "$default" {
		t.Errorf("time answers with %v", got)
	}

	// Everything asked for; what the program sets itself wins.
	if diff := cmp.Diff(map[string]any{
		"TABLE_NAME": "mine", "LEVEL": "debug",
		"MANAGEMENT_ENDPOINT": "https://chat-api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
	}, c.variables(t, "chat-route-vote")); diff != "" {
		t.Errorf("vote is told (-want +got):\n%s", diff)
	}
	in = c.get(t, "Function", "chat-route-vote").Inputs
	if in["memorySize"] != 1024.0 || in["timeout"] != 20.0 {
		t.Errorf("vote is declared with %v", in)
	}
	if got := c.get(t, "Route", "chat-api-route-vote").Inputs["routeResponseSelectionExpression"]; got != nil {
		t.Errorf("one-way vote answers with %v", got)
	}
	const table = "arn:aws:dynamodb:eu-central-1:123456789012:table/chat-table-a1b2c3d"
	want := []string{"a:B arn:aws:a:::b", "dynamodb:Query " + table + "/index/bySubscriber"}
	for _, action := range []string{"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"} {
		want = append(want, "dynamodb:"+action+" "+table)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		want = append(want, "execute-api:ManageConnections arn:aws:execute-api:eu-central-1:123456789012:chat-api-a1b2c3d/dev/"+method+"/@connections/*")
	}
	for _, action := range []string{"CreateLogStream", "PutLogEvents"} {
		want = append(want, "logs:"+action+" arn:aws:logs:eu-central-1:123456789012:log-group:chat-route-vote-logs-a1b2c3d:*")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, c.grants(t, "chat-route-vote-role")); diff != "" {
		t.Errorf("vote may (-want +got):\n%s", diff)
	}

	// A route may have the name of one of the chat's functions.
	if got := c.grants(t, "chat-route-message-role"); slices.ContainsFunc(got, func(g string) bool { return strings.Contains(g, "PutItem") }) {
		t.Errorf("a reader may %v", got)
	}
	c.get(t, "Function", "chat-message")
}
