package components_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// preview runs a program without a cloud, and prints how many resources of each
// type it declares.
func preview(program pulumi.RunFunc) {
	count := &counter{types: map[string]int{}}
	if err := pulumi.RunErr(program, pulumi.WithMocks("project", "dev", count)); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(count.types)) {
		fmt.Println(count.types[name], name)
	}
}

// A counter counts AWS resources by type.
type counter struct {
	mu    sync.Mutex
	types map[string]int
}

func (c *counter) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if module, found := strings.CutPrefix(args.TypeToken, "aws:"); found {
		module, _, _ = strings.Cut(module, "/")
		name := module + args.TypeToken[strings.LastIndex(args.TypeToken, ":"):]
		c.mu.Lock()
		c.types[strings.Replace(name, ":", ".", 1)]++
		c.mu.Unlock()
	}
	out := args.Inputs.Copy()
	if strings.HasSuffix(args.TypeToken, ":Stage") {
		out["invokeUrl"] = resource.NewStringProperty("wss://a1b2c3.execute-api.eu-central-1.amazonaws.com/dev")
	}
	return args.Name + "-1", out, nil
}

func (c *counter) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("%s is not called", args.Token)
}
