package components

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

const chatAuthorizer = "chat-authorizer"

// With tokens, the chat's own authorizer stands before $connect. It is told whose
// tokens are good, and may do nothing but log.
func TestTokensAreAskedForByTheChatsOwnAuthorizer(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreviewChat(t, &ChatStackArgs{
		Identity: IdentityArgs{
			Mode: JWT, Issuer: "https://login.example", Audience: []string{"chat"}, JWKSURL: "https://keys.example",
			Claims: ClaimNames{Name: "nickname"},
		},
		AllowedOrigins: []string{"https://chat.example"},
		builder:        b,
	})
	if diff := cmp.Diff(map[string]any{
		"JWT": `{"issuer":"https://login.example","audience":["chat"],"jwksUrl":"https://keys.example",` +
			`"claims":{"user":"sub","name":"nickname","channels":"chat_channels","moderates":"chat_moderates"}}`,
	}, c.variables(t, chatAuthorizer)); diff != "" {
		t.Errorf("the authorizer is told (-want +got):\n%s", diff)
	}
	logs := "arn:aws:logs:eu-central-1:123456789012:log-group:chat-authorizer-logs-a1b2c3d:*"
	if diff := cmp.Diff([]string{"logs:CreateLogStream " + logs, "logs:PutLogEvents " + logs}, c.grants(t, chatAuthorizer+"-role")); diff != "" {
		t.Errorf("the authorizer may (-want +got):\n%s", diff)
	}
	expectAuthorizer(t, c, []any{"route.request.header.Sec-WebSocket-Protocol"})
	for _, function := range []string{"chat-connection", "chat-message", "chat-channel"} {
		if got := c.variables(t, function)["IDENTITY"]; got != "jwt" {
			t.Errorf("%s is told the identity %v", function, got)
		}
	}
	if got := c.variables(t, "chat-connection")["ALLOWED_ORIGINS"]; got != `["https://chat.example"]` {
		t.Errorf("the allowed origins are %v", got)
	}
	if !built(b, "example.com/chatstack/functions/authorizer") {
		t.Errorf("built %v", b.targets)
	}
}

func built(b *fakeBuilder, pkg string) bool {
	for _, target := range b.targets {
		if target == (gobuild.Target{Package: pkg, GOOS: "linux", GOARCH: "arm64"}) {
			return true
		}
	}
	return false
}

// expectAuthorizer checks that $connect, and it alone, asks the authorizer.
func expectAuthorizer(t *testing.T, c *cloud, sources []any) {
	t.Helper()
	in := c.get(t, "Authorizer", "chat-api-authorizer").Inputs
	if diff := cmp.Diff(sources, in["identitySources"]); sources != nil && diff != "" {
		t.Errorf("identity sources (-want +got):\n%s", diff)
	}
	if uri, _ := in["authorizerUri"].(string); !strings.Contains(uri, "function:chat-authorizer-a1b2c3d/") {
		t.Errorf("it is %s", uri)
	}
	for _, r := range c.resources {
		if !strings.HasSuffix(r.Type, ":Route") {
			continue
		}
		if guarded := r.Inputs["authorizerId"] != nil; guarded != (r.Inputs["routeKey"] == "$connect") {
			t.Errorf("%v is guarded: %v", r.Inputs["routeKey"], guarded)
		}
	}
}

// A program's own authorizer stands in the same place, completed by the stack's
// settings.
func TestAProgramsOwnAuthorizer(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreviewChat(t, &ChatStackArgs{
		Identity: IdentityArgs{
			Mode:            Custom,
			Function:        GoFunctionArgs{Package: "./functions/door", Environment: pulumi.StringMap{"KEY": pulumi.String("v")}},
			IdentitySources: []string{"route.request.querystring.ticket"},
		},
		FunctionMemory: 512,
		builder:        b,
	})
	expectAuthorizer(t, c, []any{"route.request.querystring.ticket"})
	if diff := cmp.Diff(map[string]any{"KEY": "v"}, c.variables(t, chatAuthorizer)); diff != "" {
		t.Errorf("it is told (-want +got):\n%s", diff)
	}
	if got := c.get(t, "Function", chatAuthorizer).Inputs["memorySize"]; got != 512.0 {
		t.Errorf("its memory is %v", got)
	}
	if !built(b, "./functions/door") || c.variables(t, "chat-message")["IDENTITY"] != "custom" {
		t.Errorf("built %v, told %v", b.targets, c.variables(t, "chat-message"))
	}
}

// Whoever misspells or forgets something about identity is told at preview: a
// stage must not come to be open by mistake.
func TestIdentityMistakes(t *testing.T) {
	t.Parallel()
	good := func(change func(*IdentityArgs)) ChatStackArgs {
		i := IdentityArgs{Mode: JWT, Issuer: "https://login.example", Audience: []string{"chat"}}
		change(&i)
		return ChatStackArgs{Identity: i}
	}
	custom := func(f GoFunctionArgs, sources ...string) ChatStackArgs {
		return ChatStackArgs{Identity: IdentityArgs{Mode: Custom, Function: f, IdentitySources: sources}}
	}
	door := GoFunctionArgs{Package: "./door"}
	for name, test := range map[string]struct {
		args ChatStackArgs
		want string
	}{
		"mode":                      {ChatStackArgs{Identity: IdentityArgs{Mode: "oauth"}}, `Identity.Mode is "oauth": allowed is "anonymous", "jwt" or "custom"`},
		"an issuer without mode":    {good(func(i *IdentityArgs) { i.Mode = "" }), `Identity.Mode is "": allowed is "jwt" where Issuer, Audience`},
		"a function without mode":   {ChatStackArgs{Identity: IdentityArgs{Function: door}}, `Identity.Mode is "": allowed is "custom" where Function`},
		"a function with tokens":    {good(func(i *IdentityArgs) { i.Function = door }), `Identity.Mode is "jwt": allowed is "custom" where Function`},
		"an issuer with a function": {ChatStackArgs{Identity: IdentityArgs{Mode: Custom, Function: door, Issuer: "https://a.example"}}, `Identity.Mode is "custom": allowed is "jwt"`},
		"no issuer":                 {good(func(i *IdentityArgs) { i.Issuer = "" }), `Identity.Issuer is "": allowed is the https URL of who signs the tokens`},
		"an issuer over http":       {good(func(i *IdentityArgs) { i.Issuer = "http://login.example" }), `Identity.Issuer is "http://login.example"`},
		"no audience":               {good(func(i *IdentityArgs) { i.Audience = nil }), `Identity.Audience is []: allowed is one or more`},
		"an empty audience":         {good(func(i *IdentityArgs) { i.Audience = []string{"chat", ""} }), `Identity.Audience is [chat ]`},
		"a long audience":           {good(func(i *IdentityArgs) { i.Audience = []string{strings.Repeat("a", 4000)} }), `Identity.Audience is 4`},
		"keys over http":            {good(func(i *IdentityArgs) { i.JWKSURL = "http://login.example/keys" }), `Identity.JWKSURL is "http://login.example/keys"`},
		"no function":               {custom(GoFunctionArgs{}), `Identity.Function.Package is ""`},
		"a slow function":           {custom(GoFunctionArgs{Package: "./door", Timeout: time.Minute}), `Identity.Function.Timeout is 1m0s: allowed is 1s to 29s`},
		"identity source":           {custom(door, "header.Cookie"), `Identity.IdentitySources[0] is "header.Cookie"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := previewChat(&test.args)
			expectError(t, err, `chat stack "chat"`, test.want)
		})
	}
	for _, origin := range []string{
		"", "*", "null", "chat.example", "https://", "https://*.example", "https://chat.example/", "https://chat.example/chat",
		"https://chat.example:443", "http://chat.example:80", "https://a@chat.example", "https://chat.example?x", "https://chät.example", "https://chat.example:x",
	} {
		_, err := previewChat(&ChatStackArgs{AllowedOrigins: []string{"https://ok.example", origin}})
		expectError(t, err, fmt.Sprintf("AllowedOrigins[1] is %q: allowed is an origin as browsers send it", origin))
	}
	mustPreviewChat(t, &ChatStackArgs{AllowedOrigins: []string{
		"https://chat.example", "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "capacitor://localhost", "https://Chat.example:8443",
	}})
	many := make([]string, 200)
	for i := range many {
		many[i] = fmt.Sprintf("https://chat%d.example", i)
	}
	_, err := previewChat(&ChatStackArgs{AllowedOrigins: many})
	expectError(t, err, "beside AllowedOrigins and the table's name")
}

// anyIdentity is a stage's that knows its users.
var anyIdentity = IdentityArgs{Mode: JWT, Issuer: "https://login.example", Audience: []string{"chat"}}
