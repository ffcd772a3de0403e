package components

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

// A ChatStack is a whole chat: the WebSocket API that clients connect to, the
// functions behind its routes, the table, and the function that announces what
// changes in the table, whoever changed it.
type ChatStack struct {
	pulumi.ResourceState

	// Endpoint is what clients connect to:
	// wss://API.execute-api.REGION.amazonaws.com/STAGE.
	Endpoint pulumi.StringOutput `pulumi:"endpoint"`
	// ManagementEndpoint is the base of the @connections API:
	// https://API.execute-api.REGION.amazonaws.com/STAGE.
	ManagementEndpoint pulumi.StringOutput `pulumi:"managementEndpoint"`
	// TableName is the name of the table, through which other services take
	// part in the chat.
	TableName pulumi.StringOutput `pulumi:"tableName"`
	// TableARN is the table's ARN.
	TableARN pulumi.StringOutput `pulumi:"tableArn"`
	// StreamARN is the ARN of the table's stream. Lambda's guide advises at most
	// two readers, and one is the chat's.
	StreamARN pulumi.StringOutput `pulumi:"streamArn"`
	// APIID is the API's id.
	APIID pulumi.StringOutput `pulumi:"apiId"`
	// StageName is the name of the API's stage.
	StageName pulumi.StringOutput `pulumi:"stageName"`

	// API, Table and Stream are the parts, to go on building with.
	API    *WebSocketAPI
	Table  *ChatTable
	Stream *StreamMapping
	// DeadLetterQueue names the stream's records that could not be handled.
	DeadLetterQueue *sqs.Queue
	// Functions are the chat's own, by name: broadcast, channel, connection,
	// fallback, message, and where users are known also authorizer, expiry and
	// moderation.
	Functions map[string]*GoFunction
	// RouteFunctions are those of the additional routes, by route key.
	RouteFunctions map[string]*GoFunction

	name string
}

// NewChatStack builds the functions and declares a whole chat, whose name has 1
// to 30 letters, digits, - and _. A nil args means the zero value, which works.
func NewChatStack(ctx *pulumi.Context, name string, args *ChatStackArgs, opts ...pulumi.ResourceOption) (*ChatStack, error) {
	if args == nil {
		args = &ChatStackArgs{}
	}
	settled := args.withDefaults()
	if err := invalid("chat stack", name, validateName(name, maxChatStackName), settled.validate(ctx.Stack())); err != nil {
		return nil, err
	}
	s := &ChatStack{name: name, Functions: map[string]*GoFunction{}, RouteFunctions: map[string]*GoFunction{}}
	artifacts, err := buildAll(ctx.Context(), s.builds(settled))
	if err != nil {
		return nil, fmt.Errorf("chat stack %q: %w", name, err)
	}
	if err := ctx.RegisterComponentResource("chatstack:index:ChatStack", name, s, opts...); err != nil {
		return nil, fmt.Errorf("chat stack %q: %w", name, err)
	}
	if err := errors.Join(s.warnOfOrigins(ctx, settled), s.declare(ctx, settled, artifacts)); err != nil {
		return nil, fmt.Errorf("chat stack %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{
		"endpoint": s.Endpoint, "managementEndpoint": s.ManagementEndpoint,
		"tableName": s.TableName, "tableArn": s.TableARN, "streamArn": s.StreamARN,
		"apiId": s.APIID, "stageName": s.StageName,
	}); err != nil {
		return nil, fmt.Errorf("chat stack %q: %w", name, err)
	}
	return s, nil
}

// builds lists every function of the stack.
func (s *ChatStack) builds(args ChatStackArgs) []build {
	var all []build
	for _, f := range args.chatFunctions() {
		all = append(all, build{s.functionName(f.name), args.functionArgs(chatPackage(f.name)).withDefaults()})
	}
	if f, ok := args.authorizerArgs(); ok {
		all = append(all, build{s.functionName("authorizer"), f})
	}
	for _, route := range args.Routes {
		all = append(all, build{s.routeFunctionName(route.Key), args.completed(route.Function)})
	}
	return all
}

// functionName names the resources of one of the chat's functions.
func (s *ChatStack) functionName(function string) string { return s.name + "-" + function }

// routeFunctionName names the resources of an additional route's function.
func (s *ChatStack) routeFunctionName(key string) string {
	prefix := s.name + "-"
	return prefix + routeName(key, maxGoFunctionName-len(prefix))
}

// declare declares the table and the API, then the functions, which are told of
// both, then the routes and the stream's mapping, which need the functions.
func (s *ChatStack) declare(ctx *pulumi.Context, args ChatStackArgs, artifacts map[string]gobuild.Artifact) error {
	parent := pulumi.Parent(s)
	var err error
	s.Table, err = NewChatTable(ctx, s.name+"-table", &ChatTableArgs{
		DeletionProtection: args.DeletionProtection,
		AWSOwnedKey:        args.AWSOwnedKey,
		Tags:               args.Tags,
	}, parent)
	if err != nil {
		return err
	}
	api := args.apiArgs()
	s.API, err = NewWebSocketAPI(ctx, s.name+"-api", &api, parent)
	if err != nil {
		return err
	}
	s.Endpoint, s.ManagementEndpoint = s.API.Endpoint, s.API.ManagementEndpoint
	s.APIID, s.StageName = s.API.APIID, s.API.StageName
	s.TableName, s.TableARN, s.StreamARN = s.Table.Name, s.Table.ARN, s.Table.StreamARN

	authorizer, err := s.declareAuthorizer(ctx, args, artifacts)
	if err != nil {
		return err
	}
	for _, f := range args.chatFunctions() {
		name := s.functionName(f.name)
		function, err := newGoFunction(ctx, name, s.chatFunctionArgs(f.name, args), artifacts[name], parent)
		if err != nil {
			return err
		}
		s.Functions[f.name] = function
		for _, key := range slices.Sorted(maps.Keys(f.routes)) {
			route := RouteArgs{Key: key, Function: function, TwoWay: f.routes[key]}
			if key == ConnectRoute {
				route.Authorizer = authorizer
			}
			if _, err := s.API.AddRoute(ctx, route); err != nil {
				return err
			}
		}
	}
	for _, route := range args.Routes {
		if err := s.declareRoute(ctx, args, route, artifacts); err != nil {
			return err
		}
	}
	s.Stream, err = NewStreamMapping(ctx, s.name+"-stream", &StreamMappingArgs{
		StreamARN: s.StreamARN,
		Function:  s.Functions["broadcast"],
		Filters:   streamFilters(),
		Tags:      args.Tags,
	}, parent)
	if err != nil {
		return err
	}
	s.DeadLetterQueue = s.Stream.DeadLetterQueue
	if args.hasIdentity() {
		_, err = NewSchedule(ctx, s.functionName("expiry"), &ScheduleArgs{Function: s.Functions["expiry"], Tags: args.Tags}, parent)
	}
	return err
}

// declareRoute declares an additional route and its function.
func (s *ChatStack) declareRoute(ctx *pulumi.Context, args ChatStackArgs, route ChatRouteArgs, artifacts map[string]gobuild.Artifact) error {
	name := s.routeFunctionName(route.Key)
	function, err := newGoFunction(ctx, name, s.grantRoute(route, args.completed(route.Function)), artifacts[name], pulumi.Parent(s))
	if err != nil {
		return err
	}
	s.RouteFunctions[route.Key] = function
	_, err = s.API.AddRoute(ctx, RouteArgs{Key: route.Key, Function: function, TwoWay: !route.OneWay})
	return err
}
