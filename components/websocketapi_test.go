package components

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newFunction declares a function that is not built.
func newFunction(ctx *pulumi.Context, name string) (*GoFunction, error) {
	return NewGoFunction(ctx, name, &GoFunctionArgs{Package: "./" + name, builder: &fakeBuilder{}})
}

// previewAPI declares an API with two functions for its routes.
func previewAPI(stack string, args func(hello, vote *GoFunction) *WebSocketAPIArgs, then ...func(*pulumi.Context, *WebSocketAPI) error) (*cloud, error) {
	return previewOn(stack, func(ctx *pulumi.Context) error {
		hello, err := newFunction(ctx, "hello")
		if err != nil {
			return err
		}
		vote, err := newFunction(ctx, "vote")
		if err != nil {
			return err
		}
		api, err := NewWebSocketAPI(ctx, "api", args(hello, vote))
		if err != nil {
			return err
		}
		for _, f := range then {
			if err := f(ctx, api); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestWebSocketAPIWithDefaults(t *testing.T) {
	t.Parallel()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		a, err := NewWebSocketAPI(ctx, "api", nil)
		if err != nil {
			return err
		}
		expectOutputs(t, map[pulumi.StringOutput]string{
			a.Endpoint:           "wss://api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
			a.ManagementEndpoint: "https://api-a1b2c3d.execute-api.eu-central-1.amazonaws.com/dev",
			a.APIID:              "api-a1b2c3d",
			a.StageName:          "dev",
			a.ExecutionARN:       "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev",
		})
		return nil
	})
	if diff := cmp.Diff([]string{"Api api", "Stage api-stage", "WebSocketAPI api"}, c.list()); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"protocolType":             "WEBSOCKET",
		"routeSelectionExpression": "$request.body.action",
	}, c.get(t, "Api", "api").Inputs); diff != "" {
		t.Errorf("API (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"apiId":      "api-a1b2c3d",
		"name":       "dev",
		"autoDeploy": true,
	}, c.get(t, "Stage", "api-stage").Inputs); diff != "" {
		t.Errorf("stage (-want +got):\n%s", diff)
	}
}

func TestWebSocketAPIWithEverySetting(t *testing.T) {
	t.Parallel()
	c, err := previewAPI("dev", func(hello, vote *GoFunction) *WebSocketAPIArgs {
		return &WebSocketAPIArgs{
			Routes: []RouteArgs{
				{Key: "$connect", Function: hello},
				{Key: "$disconnect", Function: hello},
				{Key: "$default", Function: hello, TwoWay: true},
				{Key: "poll/vote", Function: vote, TwoWay: true},
				{Key: "hello", Function: hello},
			},
			RouteSelectionExpression: "${request.body.service}/${request.body.action}",
			StageName:                "v1",
			Tags:                     map[string]string{"team": "chat"},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]any{"team": "chat"}
	if diff := cmp.Diff(map[string]any{
		"protocolType":             "WEBSOCKET",
		"routeSelectionExpression": "${request.body.service}/${request.body.action}",
		"tags":                     tags,
	}, c.get(t, "Api", "api").Inputs); diff != "" {
		t.Errorf("API (-want +got):\n%s", diff)
	}
	stage := c.get(t, "Stage", "api-stage").Inputs
	if stage["name"] != "v1" || !cmp.Equal(stage["tags"], any(tags)) {
		t.Errorf("stage is %v", stage)
	}

	const vote = "api-route-poll-vote-d228491c"
	functionARN := "arn:aws:lambda:eu-central-1:123456789012:function:vote-a1b2c3d"
	if diff := cmp.Diff(map[string]any{
		"apiId":             "api-a1b2c3d",
		"integrationType":   "AWS_PROXY",
		"integrationMethod": "POST",
		"integrationUri":    "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations",
	}, c.get(t, "Integration", vote).Inputs); diff != "" {
		t.Errorf("integration (-want +got):\n%s", diff)
	}
	route := c.get(t, "Route", vote)
	if diff := cmp.Diff(map[string]any{
		"apiId":                            "api-a1b2c3d",
		"routeKey":                         "poll/vote",
		"target":                           "integrations/" + vote + "-a1b2c3d",
		"routeResponseSelectionExpression": "$default",
	}, route.Inputs); diff != "" {
		t.Errorf("route (-want +got):\n%s", diff)
	}
	if !containsSuffix(route.DependsOn, "permission:Permission::"+vote) {
		t.Errorf("the route depends on %v, not on its permission", route.DependsOn)
	}
	if diff := cmp.Diff(map[string]any{
		"apiId": "api-a1b2c3d", "routeId": vote + "-a1b2c3d", "routeResponseKey": "$default",
	}, c.get(t, "RouteResponse", vote).Inputs); diff != "" {
		t.Errorf("route response (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"action":    "lambda:InvokeFunction",
		"function":  "vote-a1b2c3d",
		"principal": "apigateway.amazonaws.com",
		"sourceArn": "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/v1/poll/vote",
	}, c.get(t, "Permission", vote).Inputs); diff != "" {
		t.Errorf("permission (-want +got):\n%s", diff)
	}

	oneWay := c.get(t, "Route", "api-on-connect").Inputs
	if oneWay["routeKey"] != "$connect" || oneWay["routeResponseSelectionExpression"] != nil {
		t.Errorf("the one-way route is %v", oneWay)
	}
	var responses []string
	for _, name := range c.list() {
		if strings.HasPrefix(name, "RouteResponse ") {
			responses = append(responses, name)
		}
	}
	if diff := cmp.Diff([]string{"RouteResponse api-on-default", "RouteResponse " + vote}, responses); diff != "" {
		t.Errorf("route responses (-want +got):\n%s", diff)
	}
	source := c.get(t, "Permission", "api-on-connect").Inputs["sourceArn"]
	if source != "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/v1/$connect" {
		t.Errorf("$connect may be invoked by %v", source)
	}
}

func TestWebSocketAPIAddRoute(t *testing.T) {
	t.Parallel()
	c, err := previewAPI("dev", func(hello, _ *GoFunction) *WebSocketAPIArgs {
		return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "hello", Function: hello}}}
	}, func(ctx *pulumi.Context, api *WebSocketAPI) error {
		late, err := NewGoFunction(ctx, "late", &GoFunctionArgs{
			Package:     "./late",
			Environment: pulumi.StringMap{"MANAGEMENT_ENDPOINT": api.ManagementEndpoint},
			Statements:  []PolicyStatement{api.GrantManageConnections(PostConnection, DeleteConnection)},
			builder:     &fakeBuilder{},
		})
		if err != nil {
			return err
		}
		route, err := api.AddRoute(ctx, RouteArgs{Key: "late", Function: late})
		if err != nil {
			return err
		}
		expectOutputs(t, map[pulumi.StringOutput]string{route.RouteKey: "late"})
		_, err = api.AddRoute(ctx, RouteArgs{Key: "hello", Function: late})
		expectError(t, err, `WebSocket API "api"`, `Key is "hello"`, "does not have yet")
		_, err = api.AddRoute(ctx, RouteArgs{Key: "$late", Function: late})
		expectError(t, err, `Key is "$late"`)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if parent := c.get(t, "Route", "api-route-late").Parent; !strings.HasSuffix(parent, "::api") {
		t.Errorf("the route belongs to %s", parent)
	}
	policy := c.get(t, "RolePolicy", "late-policy").Inputs["policy"].(string)
	const want = `{"Effect":"Allow","Action":["execute-api:ManageConnections"],"Resource":[` +
		`"arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev/POST/@connections/*",` +
		`"arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev/DELETE/@connections/*"]}`
	if !strings.Contains(policy, want) {
		t.Errorf("policy %s lacks %s", policy, want)
	}
}

// manyRoutes are n routes to one function.
func manyRoutes(f *GoFunction, n int) []RouteArgs {
	var routes []RouteArgs
	for i := range n {
		routes = append(routes, RouteArgs{Key: fmt.Sprintf("key%d", i), Function: f})
	}
	return routes
}

func TestWebSocketAPIHas300RoutesAndNoMore(t *testing.T) {
	t.Parallel()
	_, err := previewAPI("dev", func(hello, _ *GoFunction) *WebSocketAPIArgs {
		return &WebSocketAPIArgs{Routes: manyRoutes(hello, 299)}
	}, func(ctx *pulumi.Context, api *WebSocketAPI) error {
		f, err := newFunction(ctx, "late")
		if err != nil {
			return err
		}
		if _, err := api.AddRoute(ctx, RouteArgs{Key: "last", Function: f}); err != nil {
			return err
		}
		_, err = api.AddRoute(ctx, RouteArgs{Key: "late", Function: f})
		expectError(t, err, `WebSocket API "api": Routes is 301 routes long: allowed is at most 300 routes`)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGrantManageConnectionsIsAllByDefault(t *testing.T) {
	t.Parallel()
	mustPreview(t, func(ctx *pulumi.Context) error {
		a, err := NewWebSocketAPI(ctx, "api", nil)
		if err != nil {
			return err
		}
		resources := a.GrantManageConnections().Resources
		if len(resources) != 3 {
			t.Fatalf("allows %d calls, want 3", len(resources))
		}
		expectOutputs(t, map[pulumi.StringOutput]string{
			resources[0].ToStringOutput(): "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev/POST/@connections/*",
			resources[1].ToStringOutput(): "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev/GET/@connections/*",
			resources[2].ToStringOutput(): "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/dev/DELETE/@connections/*",
		})
		return nil
	})
}

func TestStageNameComesFromThePulumiStack(t *testing.T) {
	t.Parallel()
	for stack, want := range map[string]string{
		"prod": "prod", "feature_x-1": "feature_x-1", "v1.2": "v1-2", "a b": "a-b",
	} {
		if got := (WebSocketAPIArgs{}).withDefaults(stack).StageName; got != want {
			t.Errorf("stack %q has the stage %q, want %q", stack, got, want)
		}
	}
}

func TestWebSocketAPIMistakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args func(f *GoFunction) *WebSocketAPIArgs
		want []string
	}{
		"unknown $ key": {
			func(f *GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "$vote", Function: f}}}
			},
			[]string{`WebSocket API "api"`, `Routes[0].Key is "$vote": allowed is $connect, $disconnect, $default, or`},
		},
		"empty key": {
			func(f *GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Function: f}}}
			},
			[]string{`Routes[0].Key is ""`},
		},
		"one key twice": {
			func(f *GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "a", Function: f}, {Key: "b", Function: f}, {Key: "a", Function: f}}}
			},
			[]string{`Routes[2].Key is "a": allowed is a route key that the API does not have yet`},
		},
		"no function": {
			func(*GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "a"}}}
			},
			[]string{"Routes[0].Function is nil: allowed is a GoFunction"},
		},
		"slow function": {
			func(f *GoFunction) *WebSocketAPIArgs {
				f.timeout = 30 * time.Second
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "a", Function: f}}}
			},
			[]string{"Routes[0].Function.Timeout is 30s: allowed is 1s to 29s", "API Gateway"},
		},
		"two-way $disconnect": {
			func(f *GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: "$disconnect", Function: f, TwoWay: true}}}
			},
			[]string{"Routes[0].TwoWay is true: allowed is false on $disconnect"},
		},
		"selection expression": {
			func(*GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{RouteSelectionExpression: "action"}
			},
			[]string{`RouteSelectionExpression is "action"`, `"$request.body.action"`},
		},
		"stage name": {
			func(*GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{StageName: "v1.2"} },
			[]string{`StageName is "v1.2": allowed is 1 to 128 letters, digits, - and _`},
		},
		"long stage name": {
			func(*GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{StageName: strings.Repeat("x", 129)} },
			[]string{"StageName is"},
		},
		"stage name of a health check": {
			func(*GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{StageName: "ping"} },
			[]string{`StageName is "ping": allowed is any name but ping and sping`},
		},
		"stage name of the other health check": {
			func(*GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{StageName: "sping"} },
			[]string{`StageName is "sping"`},
		},
		"too many routes": {
			func(f *GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{Routes: manyRoutes(f, 301)} },
			[]string{"Routes is 301 routes long: allowed is at most 300 routes"},
		},
		"tags": {
			func(*GoFunction) *WebSocketAPIArgs { return &WebSocketAPIArgs{Tags: map[string]string{"": "x"}} },
			[]string{`Tags key is ""`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := previewAPI("dev", func(f, _ *GoFunction) *WebSocketAPIArgs { return test.args(f) })
			expectError(t, err, test.want...)
			for _, name := range c.list() {
				if strings.HasSuffix(name, " api") {
					t.Errorf("declared all the same: %s", name)
				}
			}
		})
	}
}

func TestSelectionExpressions(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"$request.body.action", "${request.body.action}", "$request.body.meta.kind",
		"${request.body.service}/${request.body.action}", "$request.body.a/$request.body.b",
		"v1-${request.body.action}", `\$x$request.body.action`, "$request.body.list[0].x", "${request.body.a_b-c}",
	} {
		if err := validateSelection("X", good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", "action", "$", "$default", "${}", "$request.body", "$request.body.", "$request.header.x", "${request.body.action",
		"$request.body.a $context.stage", `\$request.body.action`, "${request.body.a b}", "$.action", "$request.body.a-b",
	} {
		if err := validateSelection("X", bad); err == nil {
			t.Errorf("%q passes for a selection expression", bad)
		}
	}
}

func TestManagementEndpointFollowsTheEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"wss://abc.execute-api.eu-central-1.amazonaws.com/dev": "https://abc.execute-api.eu-central-1.amazonaws.com/dev",
		"ws://127.0.0.1:4000/dev":                              "http://127.0.0.1:4000/dev",
	} {
		if got, err := managementEndpoint(endpoint); err != nil || got != want {
			t.Errorf("%s has the management endpoint %q, %v, want %s", endpoint, got, err, want)
		}
	}
	if _, err := managementEndpoint("https://x/dev"); err == nil {
		t.Error("https passes for a WebSocket endpoint")
	}
}
