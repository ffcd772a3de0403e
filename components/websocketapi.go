package components

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WebSocketAPIArgs are the settings of a [WebSocketAPI]. The zero value makes
// an API without routes, for [WebSocketAPI.AddRoute].
type WebSocketAPIArgs struct {
	// Routes are the API's routes, at most 300, each key once. See "Quotas for
	// configuring and running a WebSocket API" in the API Gateway Developer Guide.
	Routes []RouteArgs
	// RouteSelectionExpression tells a frame's route from its body. Empty means
	// $request.body.action.
	RouteSelectionExpression string
	// StageName is the last part of the endpoint: 1 to 128 letters, digits, -
	// and _, but not ping or sping, the paths of AWS's health checks. Empty means
	// the name of the Pulumi stack, with - for every other character.
	StageName string
	// Tags are put on the API and its stage.
	Tags map[string]string
}

// A WebSocketAPI is an API Gateway WebSocket API with one stage, to which every
// change is deployed at once.
type WebSocketAPI struct {
	pulumi.ResourceState

	// Endpoint is what clients connect to:
	// wss://API.execute-api.REGION.amazonaws.com/STAGE.
	Endpoint pulumi.StringOutput `pulumi:"endpoint"`
	// ManagementEndpoint is the base of the @connections API, through which
	// functions send to clients:
	// https://API.execute-api.REGION.amazonaws.com/STAGE.
	ManagementEndpoint pulumi.StringOutput `pulumi:"managementEndpoint"`
	// APIID is the API's id.
	APIID pulumi.StringOutput `pulumi:"apiId"`
	// StageName is the stage's name.
	StageName pulumi.StringOutput `pulumi:"stageName"`
	// ExecutionARN is what the ARNs of the stage's routes and connections begin
	// with: arn:aws:execute-api:REGION:ACCOUNT:API/STAGE.
	ExecutionARN pulumi.StringOutput `pulumi:"executionArn"`

	// API and Stage are the parts.
	API   *apigatewayv2.Api
	Stage *apigatewayv2.Stage

	name string
	mu   sync.Mutex
	keys map[string]bool // route keys in use
}

// NewWebSocketAPI declares a WebSocket API, its stage and its routes. Its name
// has 1 to 71 letters, digits, - and _. A nil args means the zero value.
func NewWebSocketAPI(ctx *pulumi.Context, name string, args *WebSocketAPIArgs, opts ...pulumi.ResourceOption) (*WebSocketAPI, error) {
	if args == nil {
		args = &WebSocketAPIArgs{}
	}
	settled := args.withDefaults(ctx.Stack())
	if err := invalid("WebSocket API", name, validateName(name, maxWebSocketAPIName), settled.validate()); err != nil {
		return nil, err
	}
	a := &WebSocketAPI{name: name, keys: map[string]bool{}}
	if err := ctx.RegisterComponentResource("chatstack:index:WebSocketAPI", name, a, opts...); err != nil {
		return nil, fmt.Errorf("WebSocket API %q: %w", name, err)
	}
	if err := a.declare(ctx, settled); err != nil {
		return nil, fmt.Errorf("WebSocket API %q: %w", name, err)
	}
	for _, route := range settled.Routes {
		if _, err := a.AddRoute(ctx, route); err != nil {
			return nil, err
		}
	}
	if err := ctx.RegisterResourceOutputs(a, pulumi.Map{
		"endpoint": a.Endpoint, "managementEndpoint": a.ManagementEndpoint,
		"apiId": a.APIID, "stageName": a.StageName, "executionArn": a.ExecutionARN,
	}); err != nil {
		return nil, fmt.Errorf("WebSocket API %q: %w", name, err)
	}
	return a, nil
}

// withDefaults returns the settings with every zero that has a default
// replaced by it.
func (a WebSocketAPIArgs) withDefaults(stack string) WebSocketAPIArgs {
	if a.RouteSelectionExpression == "" {
		a.RouteSelectionExpression = DefaultRouteSelectionExpression
	}
	if a.StageName == "" {
		a.StageName = regexp.MustCompile(`[^A-Za-z0-9_-]`).ReplaceAllString(stack, "-")
	}
	return a
}

// validate reports every setting that AWS refuses, given those of withDefaults.
func (a WebSocketAPIArgs) validate() error {
	mistakes := []error{
		validateSelection("RouteSelectionExpression", a.RouteSelectionExpression),
		validateStageName("StageName", a.StageName),
		validateTags(a.Tags),
		validateRouteCount(len(a.Routes), maxRoutes),
	}
	seen := map[string]bool{}
	for i, route := range a.Routes {
		argument := fmt.Sprintf("Routes[%d]", i)
		mistakes = append(mistakes, nested(argument, route.validate()))
		if seen[route.Key] {
			mistakes = append(mistakes, duplicateRoute(argument+".Key", route.Key))
		}
		seen[route.Key] = true
	}
	return errors.Join(mistakes...)
}

// validateStageName knows the paths that are reserved too: "Important notes for
// REST and WebSocket APIs" in the API Gateway Developer Guide.
func validateStageName(argument, name string) error {
	if name == "ping" || name == "sping" {
		return badArgument(argument, name, "any name but ping and sping, which AWS keeps for health checks")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`).MatchString(name) {
		return badArgument(argument, name, "1 to 128 letters, digits, - and _")
	}
	return nil
}

// declare declares the API and its stage. They come before any function, so
// that functions can be told the endpoints; a stage that deploys by itself
// needs no route to begin with.
//
// The provider calls AutoDeploy "applicable for HTTP APIs", but hands it on for
// either kind, and AWS CDK and SST use it on WebSocket stages too. Should AWS ever
// leave changes undeployed, the way out is an apigatewayv2.Deployment after the
// routes, whose id the stage takes; the stage then comes last, and the endpoints
// are made of the API's ApiEndpoint and the stage's name.
func (a *WebSocketAPI) declare(ctx *pulumi.Context, args WebSocketAPIArgs) error {
	api, err := apigatewayv2.NewApi(ctx, a.name, &apigatewayv2.ApiArgs{
		ProtocolType:             pulumi.String("WEBSOCKET"),
		RouteSelectionExpression: pulumi.String(args.RouteSelectionExpression),
		Tags:                     tagMap(args.Tags),
	}, pulumi.Parent(a))
	if err != nil {
		return err
	}
	stage, err := apigatewayv2.NewStage(ctx, a.name+"-stage", &apigatewayv2.StageArgs{
		ApiId:      api.ID(),
		Name:       pulumi.String(args.StageName),
		AutoDeploy: pulumi.Bool(true),
		Tags:       tagMap(args.Tags),
	}, pulumi.Parent(a))
	if err != nil {
		return err
	}
	a.API, a.Stage = api, stage
	a.Endpoint = stage.InvokeUrl
	a.ManagementEndpoint = stage.InvokeUrl.ApplyT(managementEndpoint).(pulumi.StringOutput)
	a.APIID = api.ID().ToStringOutput()
	a.StageName = stage.Name
	a.ExecutionARN = stage.ExecutionArn
	return nil
}

// managementEndpoint is the endpoint with http in place of ws: the same
// address serves WebSockets and @connections.
func managementEndpoint(endpoint string) (string, error) {
	rest, ok := strings.CutPrefix(endpoint, "ws")
	if !ok {
		return "", fmt.Errorf("the stage's URL %q does not begin with ws", endpoint)
	}
	return "http" + rest, nil
}

// A ConnectionMethod is a call of the @connections API.
type ConnectionMethod string

const (
	// PostConnection sends a frame to a connection.
	PostConnection ConnectionMethod = "POST"
	// GetConnection says since when a connection exists and is idle.
	GetConnection ConnectionMethod = "GET"
	// DeleteConnection closes a connection.
	DeleteConnection ConnectionMethod = "DELETE"
)

// GrantManageConnections allows a function calls of the @connections API on
// every connection of this API and stage, and of no other. No method means all
// three.
func (a *WebSocketAPI) GrantManageConnections(methods ...ConnectionMethod) PolicyStatement {
	if len(methods) == 0 {
		methods = []ConnectionMethod{PostConnection, GetConnection, DeleteConnection}
	}
	s := PolicyStatement{Actions: []string{"execute-api:ManageConnections"}}
	for _, m := range methods {
		s.Resources = append(s.Resources, pulumi.Sprintf("%s/%s/@connections/*", a.ExecutionARN, string(m)))
	}
	return s
}
