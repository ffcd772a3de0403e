package components

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/chat"
)

func TestChatStackMistakes(t *testing.T) {
	t.Parallel()
	route := func(r ChatRouteArgs) *ChatStackArgs {
		if r.Function.Package == "" {
			r.Function.Package = "./vote"
		}
		return &ChatStackArgs{Routes: []ChatRouteArgs{{Key: "ok", Function: GoFunctionArgs{Package: "./ok"}}, r}}
	}
	var many []string
	for i := range 400 {
		many = append(many, fmt.Sprintf("channel %d", i))
	}
	var crowd []ChatRouteArgs
	for i := range 293 {
		crowd = append(crowd, ChatRouteArgs{Key: fmt.Sprintf("key%d", i), Function: GoFunctionArgs{Package: "./x"}})
	}
	for name, test := range map[string]struct {
		args *ChatStackArgs
		want []string
	}{
		"limits": {
			&ChatStackArgs{Limits: chat.Limits{Content: chat.MostContent + 1, Name: -1, ChannelID: 129, Subscriptions: 1001, MessagesPerSecond: -2, MessageBurst: 1001}},
			[]string{
				"Limits.Content is 24577: allowed is 1 to 24576", "Limits.Name is -1: allowed is 1 to 128",
				"Limits.ChannelID is 129: allowed is 1 to 128", "Limits.Subscriptions is 1001: allowed is 1 to 1000",
				"Limits.MessagesPerSecond is -2: allowed is 1 to 1000, or chat.NoRateLimit (-1)", "Limits.MessageBurst is 1001: allowed is 1 to 1000",
			},
		},
		"too many routes":            {&ChatStackArgs{Routes: crowd}, []string{"Routes is 293 routes long: allowed is at most 287 routes"}},
		"stage of a health check":    {&ChatStackArgs{StageName: "sping"}, []string{`StageName is "sping": allowed is any name but ping and sping`}},
		"channel of two users":       {&ChatStackArgs{DefaultChannels: []string{"direct:notes"}}, []string{`DefaultChannels[0] is "direct:notes": allowed is`, "no direct: at the beginning"}},
		"empty default channel":      {&ChatStackArgs{DefaultChannels: []string{"General", ""}}, []string{`chat stack "chat"`, `DefaultChannels[1] is "": allowed is 1 to 128 letters`}},
		"odd default channel":        {&ChatStackArgs{DefaultChannels: []string{"a|b"}}, []string{`DefaultChannels[0] is "a|b"`}},
		"default channel twice":      {&ChatStackArgs{DefaultChannels: []string{"a", "a"}}, []string{`DefaultChannels[1] is "a": allowed is each channel once`}},
		"too many default channels":  {&ChatStackArgs{DefaultChannels: many}, []string{"DefaultChannels is 5491 bytes of JSON", "4096"}},
		"selection expression":       {&ChatStackArgs{RouteSelectionExpression: "$action"}, []string{`RouteSelectionExpression is "$action"`}},
		"stage name":                 {&ChatStackArgs{StageName: "a.b"}, []string{`StageName is "a.b"`}},
		"short retention":            {&ChatStackArgs{MessageRetention: time.Second}, []string{"MessageRetention is 1s: allowed is 1m0s to 87600h0m0s (3650 days)", "KeepMessages"}},
		"long retention":             {&ChatStackArgs{MessageRetention: 3651 * 24 * time.Hour}, []string{"MessageRetention is 87624h0m0s"}},
		"retention not whole":        {&ChatStackArgs{MessageRetention: time.Hour + 1}, []string{"MessageRetention", "whole seconds"}},
		"function memory":            {&ChatStackArgs{FunctionMemory: 64}, []string{"FunctionMemory is 64: allowed is 128 to 10240 (MB)"}},
		"function timeout":           {&ChatStackArgs{FunctionTimeout: 30 * time.Second}, []string{"FunctionTimeout is 30s: allowed is 1s to 29s", "API Gateway"}},
		"broadcast memory":           {&ChatStackArgs{BroadcastMemory: 20480}, []string{"BroadcastMemory is 20480"}},
		"broadcast timeout":          {&ChatStackArgs{BroadcastTimeout: time.Hour}, []string{"BroadcastTimeout is 1h0m0s: allowed is 1s to 15m0s"}},
		"log retention":              {&ChatStackArgs{LogRetentionDays: 31}, []string{"LogRetentionDays is 31"}},
		"platform":                   {&ChatStackArgs{Platform: "arm64"}, []string{`Platform is "arm64": allowed is linux/arm64, linux/amd64 or native`}},
		"tags":                       {&ChatStackArgs{Tags: map[string]string{"aws:a": ""}}, []string{`Tags key is "aws:a"`}},
		"route key with $":           {route(ChatRouteArgs{Key: "$vote"}), []string{`Routes[1].Key is "$vote": allowed is $connect, $disconnect, $default, or`}},
		"route key empty":            {route(ChatRouteArgs{}), []string{`Routes[1].Key is ""`}},
		"route key of the chat":      {route(ChatRouteArgs{Key: "sendMessage"}), []string{`Routes[1].Key is "sendMessage": allowed is a key that the chat does not have already`}},
		"predefined key of the chat": {route(ChatRouteArgs{Key: "$connect"}), []string{`Routes[1].Key is "$connect"`, "the chat"}},
		"route key twice":            {route(ChatRouteArgs{Key: "ok"}), []string{`Routes[1].Key is "ok": allowed is a key that Routes[0] does not have already`}},
		"table access":               {route(ChatRouteArgs{Key: "a", TableAccess: 3}), []string{"Routes[1].TableAccess is 3"}},
		"route without function":     {&ChatStackArgs{Routes: []ChatRouteArgs{{Key: "a"}}}, []string{`Routes[0].Function.Package is ""`}},
		"route's memory":             {route(ChatRouteArgs{Key: "a", Function: GoFunctionArgs{Memory: 1}}), []string{"Routes[1].Function.Memory is 1"}},
		"route's timeout":            {route(ChatRouteArgs{Key: "a", Function: GoFunctionArgs{Timeout: time.Minute}}), []string{"Routes[1].Function.Timeout is 1m0s: allowed is 1s to 29s"}},
		"route's platform":           {route(ChatRouteArgs{Key: "a", Function: GoFunctionArgs{Platform: "x"}}), []string{`Routes[1].Function.Platform is "x"`}},
		"route's variables":          {route(ChatRouteArgs{Key: "a", Function: GoFunctionArgs{Environment: pulumi.StringMap{"_HANDLER": pulumi.String("")}}}), []string{`Routes[1].Function.Environment key is "_HANDLER"`}},
		"route's statements":         {route(ChatRouteArgs{Key: "a", Function: GoFunctionArgs{Statements: []PolicyStatement{{}}}}), []string{"Routes[1].Function.Statements[0].Actions", "Routes[1].Function.Statements[0].Resources"}},
		"all at once":                {&ChatStackArgs{FunctionMemory: 1, StageName: "?", Platform: "?"}, []string{"FunctionMemory", "StageName", "Platform"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBuilder{}
			test.args.builder = b
			c, err := previewChat(test.args)
			expectError(t, err, test.want...)
			if list := c.list(); len(list) != 0 {
				t.Errorf("declared all the same: %v", list)
			}
			if len(b.targets) != 0 {
				t.Errorf("built all the same: %v", b.targets)
			}
		})
	}
}

func TestFurtherActionsFit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keyLength, routes, want int
	}{
		"none":       {4, 0, 0},
		"short keys": {4, 21, 20},
		"long keys":  {300, 21, 13}, // of 305 bytes each, in 4096 - 24
		"huge keys":  {5000, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := ChatStackArgs{}
			var want []string
			for i := range test.routes {
				key := fmt.Sprintf("%0*d", test.keyLength, i)
				args.Routes = append(args.Routes, ChatRouteArgs{Key: key, Function: GoFunctionArgs{Package: "./x"}})
				if i < test.want {
					want = append(want, key)
				}
			}
			variables := mustPreviewChat(t, &args).variables(t, "chat-fallback")
			var got []string
			if err := json.Unmarshal([]byte(variables["FURTHER_ACTIONS"].(string)), &got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("the fallback is told %d actions, want the first %d", len(got), len(want))
			}
			if text, err := json.Marshal(variables); err != nil || len(text) > 4096 {
				t.Errorf("the environment has %d bytes, %v", len(text), err)
			}
		})
	}
}

func TestMostDefaultChannelsFit(t *testing.T) {
	t.Parallel()
	var channels []string
	for i := range 250 {
		channels = append(channels, fmt.Sprintf("room %04d", i))
	}
	c := mustPreviewChat(t, &ChatStackArgs{DefaultChannels: channels[:240]})
	text, err := json.Marshal(c.variables(t, "chat-connection"))
	if err != nil || len(text) > 4096 {
		t.Errorf("the environment has %d bytes, %v", len(text), err)
	}
}
