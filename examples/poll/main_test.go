package main

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// cloud remembers the functions that a program declares.
type cloud struct {
	mu        sync.Mutex
	functions map[string]resource.PropertyMap
}

func (c *cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	out := args.Inputs.Copy()
	switch args.TypeToken {
	case "aws:lambda/function:Function":
		c.mu.Lock()
		c.functions[args.Name] = args.Inputs
		c.mu.Unlock()
	case "aws:apigatewayv2/stage:Stage":
		out["invokeUrl"] = resource.NewStringProperty("wss://a.example/dev")
	}
	return args.Name + "-1", out, nil
}

func (c *cloud) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// TestProgramBuildsFromItsOwnModule: this module has no go.sum entries for all that
// the chat's functions import, and deploys them all the same, with its own.
func TestProgramBuildsFromItsOwnModule(t *testing.T) {
	t.Parallel()
	c := &cloud{functions: map[string]resource.PropertyMap{}}
	configure := func(info *pulumi.RunInfo) { info.Config = map[string]string{"poll:platform": "native"} }
	if err := pulumi.RunErr(deploy, pulumi.WithMocks("poll", "dev", c), configure); err != nil {
		t.Fatal(err)
	}
	want := []string{"chat-broadcast", "chat-channel", "chat-connection", "chat-fallback", "chat-message", "chat-route-vote"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c.functions))); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	for name, inputs := range c.functions {
		if zip := inputs["code"].ArchiveValue().Path; !strings.HasSuffix(zip, "function.zip") {
			t.Errorf("%s runs %s", name, zip)
		}
	}
}
