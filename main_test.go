package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/components"
)

// cloud remembers what a program declares, by type and name.
type cloud struct {
	mu     sync.Mutex
	inputs map[string]any
}

func (c *cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs[args.TypeToken+" "+args.Name] = args.Inputs.Mappable()
	out := args.Inputs.Copy()
	if strings.HasSuffix(args.TypeToken, ":Stage") {
		out["invokeUrl"] = resource.NewStringProperty("wss://a.example/" + out["name"].StringValue())
	}
	return args.Name + "-1", out, nil
}

func (c *cloud) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("%s is not called", args.Token)
}

// previewStage runs the program with a configuration and returns what it
// declares and the names of its outputs.
func previewStage(t *testing.T, settings map[string]string) (declared map[string]any, outputs []string) {
	t.Helper()
	declared, outputs, err := tryStage(settings)
	if err != nil {
		t.Fatal(err)
	}
	return declared, outputs
}

func tryStage(settings map[string]string) (declared map[string]any, outputs []string, err error) {
	c := &cloud{inputs: map[string]any{}}
	configure := func(info *pulumi.RunInfo) { info.Config = settings }
	err = pulumi.RunErr(func(ctx *pulumi.Context) error {
		err := deploy(ctx)
		outputs = slices.Sorted(maps.Keys(ctx.GetCurrentExportMap()))
		return err
	}, pulumi.WithMocks("chatstack", "dev", c), configure)
	return c.inputs, outputs, err
}

func loadProject(t *testing.T) *workspace.Project {
	t.Helper()
	project, err := workspace.LoadProject("Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// text writes a setting as Pulumi hands it to a program.
func text(t *testing.T, value any) string {
	t.Helper()
	if s, ok := value.(string); ok {
		return s
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// TestPulumiYAMLDeclaresEverySetting: what main.go reads and what Pulumi.yaml
// declares are the same, each with a type, a default and a description.
func TestPulumiYAMLDeclaresEverySetting(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, match := range regexp.MustCompile(`cfg\.\w+\("(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		read = append(read, "chatstack:"+match[1])
	}
	slices.Sort(read)
	project := loadProject(t)
	if diff := cmp.Diff(read, slices.Sorted(maps.Keys(project.Config))); diff != "" {
		t.Errorf("Pulumi.yaml (-read by main.go +declared):\n%s", diff)
	}
	for key, setting := range project.Config {
		if setting.Type == nil || setting.Default == nil || setting.Description == "" {
			t.Errorf("%s lacks its type, default or description", key)
			continue
		}
		if !workspace.ValidateConfigValue(*setting.Type, setting.Items, setting.Default) {
			t.Errorf("the default %v of %s is no %s", setting.Default, key, *setting.Type)
		}
	}
}

// TestPulumiYAMLHasTheComponentsDefaults: a stage that sets nothing is the
// component's zero value. Its outputs are those that people and scripts read.
func TestPulumiYAMLHasTheComponentsDefaults(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	for key, setting := range loadProject(t).Config {
		settings[key] = text(t, setting.Default)
	}
	zero, outputs := previewStage(t, nil)
	configured, _ := previewStage(t, settings)
	if diff := cmp.Diff(zero, configured); diff != "" {
		t.Errorf("declared (-without configuration +with the defaults of Pulumi.yaml):\n%s", diff)
	}
	want := []string{"apiId", "endpoint", "managementEndpoint", "stage", "streamArn", "tableArn", "tableName"}
	if diff := cmp.Diff(want, outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestEverySettingMatters: each one reaches what it is about.
func TestEverySettingMatters(t *testing.T) {
	t.Parallel()
	const (
		api        = "aws:apigatewayv2/api:Api chat-api"
		stage      = "aws:apigatewayv2/stage:Stage chat-api-stage"
		table      = "aws:dynamodb/table:Table chat-table"
		message    = "aws:lambda/function:Function chat-message"
		connection = "aws:lambda/function:Function chat-connection"
		broadcast  = "aws:lambda/function:Function chat-broadcast"
		logs       = "aws:cloudwatch/logGroup:LogGroup chat-message-logs"
	)
	tests := []struct{ setting, value, resource, property, want string }{
		{"defaultChannels", `["Lobby"]`, connection, "environment.variables.DEFAULT_CHANNELS", `["Lobby"]`},
		{"routeSelectionExpression", "$request.body.type", api, "routeSelectionExpression", "$request.body.type"},
		{"stageName", "v1", stage, "name", "v1"},
		{"messageRetentionDays", "-1", message, "environment.variables.MESSAGE_RETENTION", "0s"},
		{"limits", `{"name":32}`, message, "environment.variables.LIMITS", `{"content":16384,"name":32,"channelId":128,"subscriptions":100,"messagesPerSecond":10,"messageBurst":20}`},
		{"identity", `{"mode":"jwt","issuer":"https://login.example","audience":["chat"]}`, connection, "environment.variables.IDENTITY", "jwt"},
		{"allowedOrigins", `["https://chat.example"]`, connection, "environment.variables.ALLOWED_ORIGINS", `["https://chat.example"]`},
		{"functionMemory", "1024", message, "memorySize", "1024"},
		{"functionTimeout", "29", message, "timeout", "29"},
		{"broadcastMemory", "2048", broadcast, "memorySize", "2048"},
		{"broadcastTimeout", "900", broadcast, "timeout", "900"},
		{"logRetentionDays", "-1", logs, "retentionInDays", "0"},
		{"platform", "linux/amd64", message, "architectures", `["x86_64"]`},
		{"deletionProtection", "true", table, "deletionProtectionEnabled", "true"},
		{"awsOwnedKey", "true", table, "serverSideEncryption.enabled", "false"},
		{"tags", `{"team":"chat"}`, table, "tags.team", "chat"},
	}
	settings := map[string]string{}
	for _, test := range tests {
		settings["chatstack:"+test.setting] = test.value
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(loadProject(t).Config)), slices.Sorted(maps.Keys(settings))); diff != "" {
		t.Errorf("settings (-declared +tried):\n%s", diff)
	}
	declared, _ := previewStage(t, settings)
	for _, test := range tests {
		value := declared[test.resource]
		for name := range strings.SplitSeq(test.property, ".") {
			value = value.(map[string]any)[name]
		}
		if got := text(t, value); got != test.want {
			t.Errorf("with %s = %s, %s of %s is %s, want %s", test.setting, test.value, test.property, test.resource, got, test.want)
		}
	}
}

// TestNumbersThatNoDurationHolds: what overflows when it is multiplied by a day
// or a second is refused, and not taken for something else.
func TestNumbersThatNoDurationHolds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ setting, value, want string }{
		{"messageRetentionDays", "3651", "chatstack:messageRetentionDays is 3651: allowed is -1 to 3650"},
		{"messageRetentionDays", "106752", "chatstack:messageRetentionDays is 106752: allowed is -1 to 3650"}, // as a duration it is negative, for ever
		{"messageRetentionDays", "213504", "chatstack:messageRetentionDays is 213504: allowed is -1 to 3650"},
		{"messageRetentionDays", "-2", "chatstack:messageRetentionDays is -2"},
		{"functionTimeout", "30", "chatstack:functionTimeout is 30: allowed is 0 to 29"},
		{"functionTimeout", "18446744084", "chatstack:functionTimeout is 18446744084: allowed is 0 to 29"},
		{"functionTimeout", "-1", "chatstack:functionTimeout is -1: allowed is 0 to 29"},
		{"broadcastTimeout", "901", "chatstack:broadcastTimeout is 901: allowed is 0 to 900"},
	} {
		declared, _, err := tryStage(map[string]string{"chatstack:" + test.setting: test.value})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s = %s: error %v, want %s", test.setting, test.value, err, test.want)
		}
		for name := range declared {
			if !strings.Contains(name, ":Stack ") {
				t.Errorf("%s = %s declares %s", test.setting, test.value, name)
			}
		}
	}
}

// TestObjectsAreReadStrictly: a key that means nothing is a mistake, which would
// otherwise leave a stage without the limit, or open.
func TestObjectsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ setting, value, want string }{
		{"limits", `{"contents":100}`, `chatstack:limits has the key "contents": there is none of this name, and Pulumi.yaml lists those that there are`},
		{"limits", `{"content":"100"}`, "chatstack:limits is not understood"},
		{"identity", `{"mod":"jwt"}`, `chatstack:identity has the key "mod": there is none`},
		{"identity", `{"mode":"jwt","claims":{"usr":"email"}}`, `chatstack:identity has the key "usr": there is none`},
		{"identity", `{"mode":"jwt","audience":["chat"]}`, `Identity.Issuer is "": allowed is the https URL of who signs the tokens`},
		{"identity", `{"mode":"custom"}`, `Identity.Function.Package is ""`},
		{"identity", `{"mode":"custom","function":"./functions/door","identitySources":["x"]}`, `Identity.IdentitySources[0] is "x"`},
		{"allowedOrigins", `["https://chat.example/"]`, `AllowedOrigins[0] is "https://chat.example/"`},
	} {
		if _, _, err := tryStage(map[string]string{"chatstack:" + test.setting: test.value}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s = %s: error %v, want %s", test.setting, test.value, err, test.want)
		}
	}
}

// TestTheLocalIssuerIsForThoseWhoNameNone: the chatstack command's issuer takes
// the place of one that the stage does not name, and of no other.
func TestTheLocalIssuerIsForThoseWhoNameNone(t *testing.T) {
	const local = "http://127.0.0.1:20000"
	t.Setenv("CHATSTACK_LOCAL_ISSUER", local)
	own := []string{"mine"}
	for _, test := range []struct{ given, want components.IdentityArgs }{
		{components.IdentityArgs{}, components.IdentityArgs{}},
		{components.IdentityArgs{Mode: components.Custom}, components.IdentityArgs{Mode: components.Custom}},
		{components.IdentityArgs{Mode: components.JWT}, components.IdentityArgs{Mode: components.JWT, Issuer: local, Audience: []string{"chatstack"}}},
		{components.IdentityArgs{Mode: components.JWT, Audience: own}, components.IdentityArgs{Mode: components.JWT, Issuer: local, Audience: own}},
		{components.IdentityArgs{Mode: components.JWT, Issuer: "https://login.example"}, components.IdentityArgs{Mode: components.JWT, Issuer: "https://login.example"}},
	} {
		got := test.given
		useLocalIssuer(&got)
		if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(components.IdentityArgs{}, "Function")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestStages: the stage files set what Pulumi.yaml declares, and deploy.
func TestStages(t *testing.T) {
	t.Parallel()
	project := loadProject(t)
	files, err := filepath.Glob("Pulumi.*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("stage files are %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			sink := diag.DefaultSink(io.Discard, t.Output(), diag.FormatOptions{Color: colors.Never})
			stage, err := workspace.LoadProjectStack(sink, project, file)
			if err != nil {
				t.Fatal(err)
			}
			values, err := stage.Config.Decrypt(config.NopDecrypter)
			if err != nil {
				t.Fatal(err)
			}
			settings := map[string]string{}
			for key, value := range values {
				if _, ok := project.Config[key.String()]; !ok && key.Namespace() == "chatstack" {
					t.Errorf("Pulumi.yaml does not declare %s", key)
				}
				settings[key.String()] = value
			}
			if settings["aws:region"] == "" {
				t.Error("no Region is set")
			}
			previewStage(t, settings)
		})
	}
}
