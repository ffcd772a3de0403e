package components

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

// declared is a resource that a program declared.
type declared struct {
	Type, Name, Parent string
	Inputs             map[string]any
	DependsOn          []string
}

// cloud answers for AWS in a program's preview, and remembers what was
// declared.
type cloud struct {
	mu        sync.Mutex
	resources []declared
}

// suffix is what cloud completes logical names with.
const suffix = "-a1b2c3d"

func (c *cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	c.mu.Lock()
	c.resources = append(c.resources, declared{
		Type:      args.TypeToken,
		Name:      args.Name,
		Parent:    args.RegisterRPC.GetParent(),
		Inputs:    plain(args.Inputs),
		DependsOn: args.RegisterRPC.GetDependencies(),
	})
	c.mu.Unlock()

	physical := args.Name + suffix
	out := args.Inputs.Copy()
	set := func(name, format string, values ...any) {
		out[resource.PropertyKey(name)] = resource.NewStringProperty(fmt.Sprintf(format, values...))
	}
	if !out.HasValue("name") {
		set("name", "%s", physical)
	}
	switch args.TypeToken {
	case "aws:apigatewayv2/api:Api":
		set("executionArn", "arn:aws:execute-api:eu-central-1:123456789012:%s", physical)
	case "aws:apigatewayv2/stage:Stage":
		api, stage := out["apiId"].StringValue(), out["name"].StringValue()
		set("invokeUrl", "wss://%s.execute-api.eu-central-1.amazonaws.com/%s", api, stage)
		set("executionArn", "arn:aws:execute-api:eu-central-1:123456789012:%s/%s", api, stage)
	case "aws:dynamodb/table:Table":
		set("arn", "arn:aws:dynamodb:eu-central-1:123456789012:table/%s", physical)
		set("streamArn", "arn:aws:dynamodb:eu-central-1:123456789012:table/%s/stream/2026-01-01T00:00:00.000", physical)
	case "aws:lambda/function:Function":
		arn := "arn:aws:lambda:eu-central-1:123456789012:function:" + physical
		set("arn", "%s", arn)
		set("invokeArn", "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/%s/invocations", arn)
	case "aws:iam/role:Role":
		set("arn", "arn:aws:iam::123456789012:role/%s", physical)
	case "aws:cloudwatch/logGroup:LogGroup":
		set("arn", "arn:aws:logs:eu-central-1:123456789012:log-group:%s", physical)
	case "aws:cloudwatch/eventRule:EventRule":
		set("arn", "arn:aws:events:eu-central-1:123456789012:rule/%s", physical)
	case "aws:sqs/queue:Queue":
		set("arn", "arn:aws:sqs:eu-central-1:123456789012:%s", physical)
		set("url", "https://sqs.eu-central-1.amazonaws.com/123456789012/%s", physical)
	}
	return physical, out, nil
}

func (c *cloud) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("the components call nothing, but %s was called", args.Token)
}

// plain gives inputs as maps, slices, strings, float64s and bools, and an
// archive as its path.
func plain(inputs resource.PropertyMap) map[string]any {
	return inputs.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		if v.IsArchive() {
			return v.ArchiveValue().Path, true
		}
		return nil, false
	})
}

// preview runs a program on a stack called dev and returns what it declared.
func preview(program pulumi.RunFunc) (*cloud, error) {
	return previewOn("dev", program)
}

func previewOn(stack string, program pulumi.RunFunc) (*cloud, error) {
	c := &cloud{}
	err := pulumi.RunErr(program, pulumi.WithMocks("project", stack, c))
	c.mu.Lock() // a program that failed may still be declaring
	defer c.mu.Unlock()
	slices.SortFunc(c.resources, func(a, b declared) int {
		return strings.Compare(a.Type+" "+a.Name, b.Type+" "+b.Name)
	})
	return c, err
}

// mustPreview runs a program that has no mistake.
func mustPreview(t *testing.T, program pulumi.RunFunc) *cloud {
	t.Helper()
	c, err := preview(program)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// get returns the inputs of a resource, by the last part of its type.
func (c *cloud) get(t *testing.T, kind, name string) declared {
	t.Helper()
	for _, r := range c.resources {
		if strings.HasSuffix(r.Type, ":"+kind) && r.Name == name {
			return r
		}
	}
	t.Fatalf("no %s %q was declared; there are\n%s", kind, name, strings.Join(c.list(), "\n"))
	return declared{}
}

// list names every resource but the stack, sorted.
func (c *cloud) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, r := range c.resources {
		if r.Type == "pulumi:pulumi:Stack" {
			continue
		}
		names = append(names, r.Type[strings.LastIndex(r.Type, ":")+1:]+" "+r.Name)
	}
	return names
}

// fakeBuilder builds nothing, and remembers what it was asked for.
type fakeBuilder struct {
	mu      sync.Mutex
	targets []gobuild.Target
	err     error
}

func (b *fakeBuilder) Build(_ context.Context, t gobuild.Target) (gobuild.Artifact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = append(b.targets, t)
	return gobuild.Artifact{Zip: "/build/" + t.Package + "/function.zip"}, b.err
}

// expectOutputs fails the test at its end unless every output was known and
// had the value that is wanted.
func expectOutputs(t *testing.T, want map[pulumi.StringOutput]string) {
	t.Helper()
	var mu sync.Mutex
	known := 0
	for output, value := range want {
		output.ApplyT(func(got string) string {
			mu.Lock()
			defer mu.Unlock()
			known++
			if got != value {
				t.Errorf("output is %q, want %q", got, value)
			}
			return got
		})
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if known != len(want) {
			t.Errorf("%d of %d outputs were known", known, len(want))
		}
	})
}

// expectError fails unless err's text holds every one of parts.
func expectError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error\n%v\nlacks %q", err, part)
		}
	}
}
