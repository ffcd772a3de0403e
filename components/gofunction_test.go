package components

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

func TestGoFunctionWithDefaults(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		f, err := NewGoFunction(ctx, "vote", &GoFunctionArgs{Package: "./functions/vote", builder: b})
		if err != nil {
			return err
		}
		expectOutputs(t, map[pulumi.StringOutput]string{
			f.Name:         "vote-a1b2c3d",
			f.ARN:          "arn:aws:lambda:eu-central-1:123456789012:function:vote-a1b2c3d",
			f.InvokeARN:    "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:vote-a1b2c3d/invocations",
			f.LogGroupName: "vote-logs-a1b2c3d",
		})
		return nil
	})

	if diff := cmp.Diff([]gobuild.Target{{Package: "./functions/vote", GOOS: "linux", GOARCH: "arm64"}}, b.targets); diff != "" {
		t.Errorf("built (-want +got):\n%s", diff)
	}
	want := []string{
		"LogGroup vote-logs",
		"Role vote-role",
		"RolePolicy vote-policy",
		"Function vote",
		"GoFunction vote",
	}
	if diff := cmp.Diff(want, c.list()); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	function := c.get(t, "Function", "vote")
	if diff := cmp.Diff(map[string]any{
		"architectures": []any{"arm64"},
		"code":          "/build/./functions/vote/function.zip",
		"handler":       "bootstrap",
		"loggingConfig": map[string]any{"logFormat": "Text", "logGroup": "vote-logs-a1b2c3d"},
		"memorySize":    256.0,
		"role":          "arn:aws:iam::123456789012:role/vote-role-a1b2c3d",
		"runtime":       "provided.al2023",
		"timeout":       10.0,
	}, function.Inputs); diff != "" {
		t.Errorf("function (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"retentionInDays": 30.0}, c.get(t, "LogGroup", "vote-logs").Inputs); diff != "" {
		t.Errorf("log group (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`,
	}, c.get(t, "Role", "vote-role").Inputs); diff != "" {
		t.Errorf("role (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"role":   "vote-role-a1b2c3d",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":["arn:aws:logs:eu-central-1:123456789012:log-group:vote-logs-a1b2c3d:*"]}]}`,
	}, c.get(t, "RolePolicy", "vote-policy").Inputs); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	// What exists may run: the function waits for its policy.
	if !containsSuffix(function.DependsOn, "::vote-policy") {
		t.Errorf("the function depends on %v, not on its policy", function.DependsOn)
	}
}

func containsSuffix(all []string, suffix string) bool {
	for _, s := range all {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

func TestGoFunctionWithEverySetting(t *testing.T) {
	t.Parallel()
	b := &fakeBuilder{}
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		_, err := NewGoFunction(ctx, "vote", &GoFunctionArgs{
			Package:     "example.com/app/functions/vote",
			Environment: pulumi.StringMap{"TABLE_NAME": pulumi.String("t").ToStringOutput(), "LEVEL": pulumi.String("debug")},
			Statements: []PolicyStatement{
				{Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:s3:::a/*"), pulumi.String("arn:aws:s3:::b/*")}},
				{Effect: "Deny", Actions: []string{"s3:DeleteObject"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:s3:::a/*")}},
			},
			Memory:           10240,
			Timeout:          15 * time.Minute,
			Platform:         LinuxAMD64,
			LogRetentionDays: KeepLogs,
			Tags:             map[string]string{"team": "chat"},
			builder:          b,
		})
		return err
	})
	if diff := cmp.Diff([]gobuild.Target{{Package: "example.com/app/functions/vote", GOOS: "linux", GOARCH: "amd64"}}, b.targets); diff != "" {
		t.Errorf("built (-want +got):\n%s", diff)
	}
	got := c.get(t, "Function", "vote").Inputs
	for name, want := range map[string]any{
		"architectures": []any{"x86_64"},
		"environment":   map[string]any{"variables": map[string]any{"TABLE_NAME": "t", "LEVEL": "debug"}},
		"memorySize":    10240.0,
		"timeout":       900.0,
		"tags":          map[string]any{"team": "chat"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(map[string]any{"retentionInDays": 0.0, "tags": map[string]any{"team": "chat"}}, c.get(t, "LogGroup", "vote-logs").Inputs); diff != "" {
		t.Errorf("log group (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"team": "chat"}, c.get(t, "Role", "vote-role").Inputs["tags"]); diff != "" {
		t.Errorf("role's tags (-want +got):\n%s", diff)
	}
	policy := c.get(t, "RolePolicy", "vote-policy").Inputs["policy"].(string)
	for _, want := range []string{
		`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b/*"]}`,
		`{"Effect":"Deny","Action":["s3:DeleteObject"],"Resource":["arn:aws:s3:::a/*"]}`,
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %s lacks %s", policy, want)
		}
	}
}

func TestGoFunctionGrant(t *testing.T) {
	t.Parallel()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		f, err := NewGoFunction(ctx, "vote", &GoFunctionArgs{Package: "./vote", builder: &fakeBuilder{}})
		if err != nil {
			return err
		}
		if _, err := f.Grant(ctx, "empty"); err == nil {
			t.Error("a grant of nothing is no error")
		}
		_, err = f.Grant(ctx, "bad", PolicyStatement{Actions: []string{"sqs:SendMessage"}})
		expectError(t, err, "Statements[0].Resources is []", "one ARN or more")
		_, err = f.Grant(ctx, "vote-queue", PolicyStatement{
			Actions: []string{"sqs:SendMessage"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:sqs:::q")},
		})
		return err
	})
	got := c.get(t, "RolePolicy", "vote-queue")
	if diff := cmp.Diff(map[string]any{
		"role":   "vote-role-a1b2c3d",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":["arn:aws:sqs:::q"]}]}`,
	}, got.Inputs); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(got.Parent, "chatstack:index:GoFunction::vote") {
		t.Errorf("the policy belongs to %s", got.Parent)
	}
}

func TestGoFunctionMistakes(t *testing.T) {
	t.Parallel()
	arn := []pulumi.StringInput{pulumi.String("*")}
	for name, test := range map[string]struct {
		args *GoFunctionArgs
		want []string
	}{
		"no arguments":       {nil, []string{`Package is ""`, "main package"}},
		"memory too small":   {&GoFunctionArgs{Memory: 127}, []string{"Memory is 127: allowed is 128 to 10240 (MB)"}},
		"memory too large":   {&GoFunctionArgs{Memory: 10241}, []string{"Memory is 10241"}},
		"timeout too short":  {&GoFunctionArgs{Timeout: time.Millisecond}, []string{"Timeout is 1ms: allowed is 1s to 15m0s"}},
		"timeout too long":   {&GoFunctionArgs{Timeout: 16 * time.Minute}, []string{"Timeout is 16m0s"}},
		"timeout negative":   {&GoFunctionArgs{Timeout: -time.Second}, []string{"Timeout is -1s"}},
		"timeout not whole":  {&GoFunctionArgs{Timeout: 1500 * time.Millisecond}, []string{"Timeout is 1.5s", "whole seconds"}},
		"unknown platform":   {&GoFunctionArgs{Platform: "linux/riscv64"}, []string{`Platform is "linux/riscv64": allowed is linux/arm64, linux/amd64 or native`}},
		"log retention":      {&GoFunctionArgs{LogRetentionDays: 8}, []string{"LogRetentionDays is 8", "1 3 5 7 14"}},
		"log retention < -1": {&GoFunctionArgs{LogRetentionDays: -2}, []string{"LogRetentionDays is -2", "KeepLogs (-1)"}},
		"reserved variable":  {&GoFunctionArgs{Environment: pulumi.StringMap{"AWS_REGION": pulumi.String("x")}}, []string{`Environment key is "AWS_REGION"`, "Lambda does not set itself"}},
		"reserved count":     {&GoFunctionArgs{Environment: pulumi.StringMap{"AWS_LAMBDA_MAX_CONCURRENCY": pulumi.String("1")}}, []string{`Environment key is "AWS_LAMBDA_MAX_CONCURRENCY"`}},
		"odd variable":       {&GoFunctionArgs{Environment: pulumi.StringMap{"A-B": pulumi.String("x")}}, []string{`Environment key is "A-B"`}},
		"large environment":  {&GoFunctionArgs{Environment: pulumi.StringMap{"AB": pulumi.String(strings.Repeat("x", 4088))}}, []string{"Environment is 4097 bytes long", "4096"}},
		"no action":          {&GoFunctionArgs{Statements: []PolicyStatement{{Resources: arn}}}, []string{"Statements[0].Actions is []"}},
		"empty action":       {&GoFunctionArgs{Statements: []PolicyStatement{{Actions: []string{""}, Resources: arn}}}, []string{"Statements[0].Actions"}},
		"no resource":        {&GoFunctionArgs{Statements: []PolicyStatement{{Actions: []string{"a:B"}}}}, []string{"Statements[0].Resources is []"}},
		"unknown effect":     {&GoFunctionArgs{Statements: []PolicyStatement{{Effect: "Permit", Actions: []string{"a:B"}, Resources: arn}}}, []string{`Statements[0].Effect is "Permit": allowed is Allow or Deny`}},
		"AWS's own tag":      {&GoFunctionArgs{Tags: map[string]string{"AWS:x": "y"}}, []string{`Tags key is "AWS:x"`, "aws:"}},
		"long tag":           {&GoFunctionArgs{Tags: map[string]string{"x": strings.Repeat("y", 257)}}, []string{"Tags[x]", "256"}},
		"all at once":        {&GoFunctionArgs{Memory: 1, Timeout: 1}, []string{"Package", "Memory", "Timeout", `function "vote"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := preview(func(ctx *pulumi.Context) error {
				_, err := NewGoFunction(ctx, "vote", test.args)
				return err
			})
			expectError(t, err, test.want...)
			if list := c.list(); len(list) != 0 {
				t.Errorf("declared all the same: %v", list)
			}
		})
	}
}

func TestLargestEnvironmentIsAllowed(t *testing.T) {
	t.Parallel()
	if err := validateEnvironment(pulumi.StringMap{"AB": pulumi.String(strings.Repeat("x", 4087))}); err != nil {
		t.Error(err)
	}
}

func TestGoFunctionThatDoesNotBuild(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"does not compile": {
			&gobuild.CommandError{Package: "./vote", Args: []string{"build"}, Output: "# example.com/app/vote\n./main.go:3:15: undefined: x"},
			[]string{`function "vote": go build of ./vote failed:`, "# example.com/app/vote\n./main.go:3:15: undefined: x"},
		},
		"is no main package": {
			&gobuild.NotMainError{Package: "./vote", Name: "rules"},
			[]string{`function "vote": Package is "./vote": allowed is a main package, and this one is package rules`},
		},
		"cannot be written": {errors.New("disk full"), []string{`function "vote": disk full`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := preview(func(ctx *pulumi.Context) error {
				_, err := NewGoFunction(ctx, "vote", &GoFunctionArgs{Package: "./vote", builder: &fakeBuilder{err: test.err}})
				return err
			})
			expectError(t, err, test.want...)
			if list := c.list(); len(list) != 0 {
				t.Errorf("declared all the same: %v", list)
			}
		})
	}
}

// TestGoFunctionBuildsItsPackage builds for real.
func TestGoFunctionBuildsItsPackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		_, err := NewGoFunction(ctx, "hello", &GoFunctionArgs{Package: "./testdata/hello", Platform: NativePlatform, BuildDir: dir})
		return err
	})
	zip := c.get(t, "Function", "hello").Inputs["code"].(string)
	if !strings.HasPrefix(zip, dir) || !strings.HasSuffix(zip, "function.zip") {
		t.Errorf("the code is %s, want a zip under %s", zip, dir)
	}
	_, err := preview(func(ctx *pulumi.Context) error {
		_, err := NewGoFunction(ctx, "broken", &GoFunctionArgs{Package: "./testdata/broken", Platform: NativePlatform, BuildDir: dir})
		return err
	})
	expectError(t, err, `function "broken"`, "main.go:4:2: undefined: missing")
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		platform         Platform
		hostOS, hostArch string
		want             target
	}{
		{"", "darwin", "amd64", target{"linux", "arm64", "arm64"}},
		{LinuxARM64, "linux", "amd64", target{"linux", "arm64", "arm64"}},
		{LinuxAMD64, "linux", "arm64", target{"linux", "amd64", "x86_64"}},
		{NativePlatform, "darwin", "arm64", target{"darwin", "arm64", "arm64"}},
		{NativePlatform, "windows", "amd64", target{"windows", "amd64", "x86_64"}},
	} {
		got, err := test.platform.targetOn(test.hostOS, test.hostArch)
		if err != nil || got != test.want {
			t.Errorf("%q on %s/%s is %v, %v, want %v", test.platform, test.hostOS, test.hostArch, got, err, test.want)
		}
	}
	_, err := NativePlatform.targetOn("linux", "riscv64")
	expectError(t, err, `Platform is "native"`, "linux/arm64 or linux/amd64", "riscv64")
}
