package main

import (
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/components"
)

// integrationTimeout is that of the routes that do not wait for long.
const integrationTimeout = time.Second

// api declares a WebSocket API and exports its endpoint under its name.
func (s *subject) api(name, selection string) (*components.WebSocketAPI, error) {
	api, err := components.NewWebSocketAPI(s.ctx, name, &components.WebSocketAPIArgs{RouteSelectionExpression: selection})
	if err != nil {
		return nil, err
	}
	s.ctx.Export(name+"Endpoint", api.Endpoint)
	return api, nil
}

// probeOf declares a function that may also look at the table and post to the
// API's connections.
func (s *subject) probeOf(api *components.WebSocketAPI, name string, timeout time.Duration) (*components.GoFunction, error) {
	return s.probe(name, components.GoFunctionArgs{
		Timeout:     timeout,
		Environment: pulumi.StringMap{"MANAGEMENT_ENDPOINT": api.ManagementEndpoint},
		Statements: append(s.record.GrantReadWrite(),
			api.GrantManageConnections()),
	})
}

func (s *subject) declareAPIs() error {
	for _, declare := range []func() error{
		s.declareMain, s.declareBare, s.declareComposed, s.declareNested, s.declareLate, s.declareClosed, s.declareGuarded,
	} {
		if err := declare(); err != nil {
			return err
		}
	}
	return nil
}

// declareMain declares the API that most cases use. It has every predefined
// route, and routes of one way and of two.
func (s *subject) declareMain() error {
	api, err := s.api("main", "")
	if err != nil {
		return err
	}
	s.ctx.Export("apiId", api.APIID)
	s.ctx.Export("stage", api.StageName)
	probe, err := s.probeOf(api, "probe", 20*time.Second)
	if err != nil {
		return err
	}
	s.ctx.Export("probeFunction", probe.Name)
	// What ends or fails has a function of its own, so that it disturbs nobody.
	fragile, err := s.probeOf(api, "fragile", 20*time.Second)
	if err != nil {
		return err
	}
	brief, err := s.probeOf(api, "brief", time.Second)
	if err != nil {
		return err
	}
	raw, err := s.probe("runtime", components.GoFunctionArgs{Environment: pulumi.StringMap{"PROBE": pulumi.String("runtime")}})
	if err != nil {
		return err
	}
	narrow, err := s.probe("narrow", components.GoFunctionArgs{
		Environment: pulumi.StringMap{"MANAGEMENT_ENDPOINT": api.ManagementEndpoint},
		Statements: []components.PolicyStatement{
			{
				Actions:   []string{"dynamodb:GetItem"},
				Resources: []pulumi.StringInput{s.record.ARN},
			},
			{
				Effect:    "Deny",
				Actions:   []string{"dynamodb:DeleteItem"},
				Resources: []pulumi.StringInput{pulumi.Sprintf("%s*", s.record.ARN)},
			},
			{
				Actions:   []string{"dynamodb:DeleteItem"},
				Resources: []pulumi.StringInput{s.record.ARN},
			},
		},
	})
	if err != nil {
		return err
	}
	farewell, err := s.probe("farewell", components.GoFunctionArgs{Environment: pulumi.StringMap{"PROBE": pulumi.String("farewell")}})
	if err != nil {
		return err
	}
	for _, route := range []components.RouteArgs{
		{Key: components.ConnectRoute, Function: probe},
		{Key: components.DisconnectRoute, Function: probe},
		{Key: components.DefaultRoute, Function: probe},
		{Key: "one", Function: probe},
		{Key: "two", Function: probe, TwoWay: true},
		{Key: "fragile", Function: fragile, TwoWay: true},
		{Key: "fragile-one", Function: fragile},
		{Key: "brief", Function: brief, TwoWay: true},
		{Key: "runtime", Function: raw, TwoWay: true},
		{Key: "narrow", Function: narrow, TwoWay: true},
		{Key: "farewell", Function: farewell, TwoWay: true},
	} {
		if _, err := api.AddRoute(s.ctx, route); err != nil {
			return err
		}
	}
	for _, route := range []rawRoute{
		{key: "slow", function: probe, timeout: integrationTimeout, source: pulumi.Sprintf("%s/slow", api.ExecutionARN)},
		{key: "every", function: narrow, source: pulumi.Sprintf("%s/*", api.API.ExecutionArn), twoWay: true},
		{key: "unpermitted", function: fragile},
		// The form of REST APIs, with a method.
		{key: "method", function: brief, source: pulumi.Sprintf("%s/*/POST/method", api.API.ExecutionArn)},
	} {
		if err := s.addRawRoute("main", api, route); err != nil {
			return err
		}
	}
	return nil
}

// declareBare declares an API without any of the predefined routes.
func (s *subject) declareBare() error {
	api, err := s.api("bare", "")
	if err != nil {
		return err
	}
	bare, err := s.probeOf(api, "bare-probe", 0)
	if err != nil {
		return err
	}
	if _, err := api.AddRoute(s.ctx, components.RouteArgs{Key: "two", Function: bare, TwoWay: true}); err != nil {
		return err
	}
	return s.addThrottledStage(api, bare)
}

// addThrottledStage declares a second stage of an API, which takes two messages
// at once and one a second.
func (s *subject) addThrottledStage(api *components.WebSocketAPI, f *components.GoFunction) error {
	stage, err := apigatewayv2.NewStage(s.ctx, "throttled", &apigatewayv2.StageArgs{
		ApiId: api.API.ID(), Name: pulumi.String("throttled"), AutoDeploy: pulumi.Bool(true),
		DefaultRouteSettings: &apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingBurstLimit: pulumi.Int(2), ThrottlingRateLimit: pulumi.Float64(1),
		},
	})
	if err != nil {
		return err
	}
	s.ctx.Export("throttledEndpoint", stage.InvokeUrl)
	_, err = lambda.NewPermission(s.ctx, "throttled", &lambda.PermissionArgs{
		Action: pulumi.String("lambda:InvokeFunction"), Function: f.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"), SourceArn: pulumi.Sprintf("%s/two", stage.ExecutionArn),
	})
	return err
}

// declareComposed declares an API whose route keys are made of two parts.
func (s *subject) declareComposed() error {
	return s.selecting("composed", "${request.body.service}-${request.body.action}", "chat-join", "chat-")
}

// declareNested declares an API whose route key lies deep in the body.
func (s *subject) declareNested() error {
	return s.selecting("nested", "$request.body.meta.kind", "hello", components.DefaultRoute)
}

func (s *subject) selecting(name, selection string, keys ...string) error {
	api, err := s.api(name, selection)
	if err != nil {
		return err
	}
	f, err := s.probe(name+"-probe", components.GoFunctionArgs{})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if _, err := api.AddRoute(s.ctx, components.RouteArgs{Key: key, Function: f, TwoWay: true}); err != nil {
			return err
		}
	}
	return nil
}

// declareLate declares an API that does not wait for $connect for long.
func (s *subject) declareLate() error {
	api, err := s.api("late", "")
	if err != nil {
		return err
	}
	late, err := s.probe("late-probe", components.GoFunctionArgs{})
	if err != nil {
		return err
	}
	return s.addRawRoute("late", api, rawRoute{
		key: components.ConnectRoute, function: late, timeout: integrationTimeout,
		source: pulumi.Sprintf("%s/*", api.API.ExecutionArn),
	})
}

// declareClosed declares an API that may not invoke the function of its
// $connect.
func (s *subject) declareClosed() error {
	api, err := s.api("closed", "")
	if err != nil {
		return err
	}
	closed, err := s.probe("closed-probe", components.GoFunctionArgs{})
	if err != nil {
		return err
	}
	return s.addRawRoute("closed", api, rawRoute{key: components.ConnectRoute, function: closed})
}

// declareGuarded declares an API with an authorizer.
func (s *subject) declareGuarded() error {
	api, err := s.api("guarded", "")
	if err != nil {
		return err
	}
	guard, err := s.probe("guard", components.GoFunctionArgs{Environment: pulumi.StringMap{"PROBE": pulumi.String("authorizer")}})
	if err != nil {
		return err
	}
	f, err := s.probeOf(api, "guarded-probe", 0)
	if err != nil {
		return err
	}
	for _, route := range []components.RouteArgs{
		{Key: components.ConnectRoute, Function: f, Authorizer: &components.AuthorizerArgs{
			Function: guard, IdentitySources: []string{"route.request.querystring.token"},
		}},
		{Key: components.DisconnectRoute, Function: f},
		{Key: "two", Function: f, TwoWay: true},
	} {
		if _, err := api.AddRoute(s.ctx, route); err != nil {
			return err
		}
	}
	return nil
}

// A rawRoute is a route in ways that components do not offer.
type rawRoute struct {
	key      string
	function *components.GoFunction
	timeout  time.Duration
	source   pulumi.StringInput // of the permission; nil: there is none
	twoWay   bool
}

func (s *subject) addRawRoute(prefix string, api *components.WebSocketAPI, r rawRoute) error {
	name := prefix + "-raw-" + r.key
	if r.key[0] == '$' {
		name = prefix + "-raw-" + r.key[1:]
	}
	args := &apigatewayv2.IntegrationArgs{
		ApiId: api.API.ID(), IntegrationType: pulumi.String("AWS_PROXY"),
		IntegrationMethod: pulumi.String("POST"), IntegrationUri: r.function.InvokeARN,
	}
	if r.timeout > 0 {
		args.TimeoutMilliseconds = pulumi.Int(int(r.timeout / time.Millisecond))
	}
	integration, err := apigatewayv2.NewIntegration(s.ctx, name, args)
	if err != nil {
		return err
	}
	if r.source != nil {
		if _, err := lambda.NewPermission(s.ctx, name, &lambda.PermissionArgs{
			Action: pulumi.String("lambda:InvokeFunction"), Function: r.function.Name,
			Principal: pulumi.String("apigateway.amazonaws.com"), SourceArn: r.source,
		}); err != nil {
			return err
		}
	}
	settings := &apigatewayv2.RouteArgs{
		ApiId: api.API.ID(), RouteKey: pulumi.String(r.key), Target: pulumi.Sprintf("integrations/%s", integration.ID()),
	}
	if r.twoWay {
		settings.RouteResponseSelectionExpression = pulumi.String("$default")
	}
	route, err := apigatewayv2.NewRoute(s.ctx, name, settings)
	if err != nil || !r.twoWay {
		return err
	}
	_, err = apigatewayv2.NewRouteResponse(s.ctx, name, &apigatewayv2.RouteResponseArgs{
		ApiId: api.API.ID(), RouteId: route.ID(), RouteResponseKey: pulumi.String("$default"),
	})
	return err
}
