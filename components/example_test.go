package components_test

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/components"
)

// A whole chat. A real program gives its function to pulumi.Run; preview, in
// this package's tests, counts what it declares.
func ExampleNewChatStack() {
	preview(func(ctx *pulumi.Context) error {
		chat, err := components.NewChatStack(ctx, "chat", nil)
		if err != nil {
			return err
		}
		ctx.Export("endpoint", chat.Endpoint)
		return nil
	})
	// Output:
	// 1 apigatewayv2.Api
	// 13 apigatewayv2.Integration
	// 13 apigatewayv2.Route
	// 11 apigatewayv2.RouteResponse
	// 1 apigatewayv2.Stage
	// 5 cloudwatch.LogGroup
	// 1 dynamodb.Table
	// 5 iam.Role
	// 6 iam.RolePolicy
	// 1 lambda.EventSourceMapping
	// 5 lambda.Function
	// 13 lambda.Permission
	// 1 sqs.Queue
}

// A chat with an action of the program's own: {"action":"vote"} goes to a
// function that may use the chat's table, and what it returns is the answer.
func ExampleNewChatStack_route() {
	preview(func(ctx *pulumi.Context) error {
		chat, err := components.NewChatStack(ctx, "support", &components.ChatStackArgs{
			DefaultChannels:  []string{"Lobby", "News"},
			MessageRetention: 365 * 24 * time.Hour,
			Routes: []components.ChatRouteArgs{{
				Key:         "vote",
				Function:    components.GoFunctionArgs{Package: "./testdata/hello"},
				TableAccess: components.ReadWriteTable,
			}},
		})
		if err != nil {
			return err
		}
		ctx.Export("endpoint", chat.Endpoint)
		ctx.Export("voteFunction", chat.RouteFunctions["vote"].Name)
		return nil
	})
	// Output:
	// 1 apigatewayv2.Api
	// 14 apigatewayv2.Integration
	// 14 apigatewayv2.Route
	// 12 apigatewayv2.RouteResponse
	// 1 apigatewayv2.Stage
	// 6 cloudwatch.LogGroup
	// 1 dynamodb.Table
	// 6 iam.Role
	// 7 iam.RolePolicy
	// 1 lambda.EventSourceMapping
	// 6 lambda.Function
	// 14 lambda.Permission
	// 1 sqs.Queue
}

// A WebSocket API that is no chat: every frame is answered by one function.
func ExampleNewWebSocketAPI() {
	preview(func(ctx *pulumi.Context) error {
		hello, err := components.NewGoFunction(ctx, "hello", &components.GoFunctionArgs{Package: "./testdata/hello"})
		if err != nil {
			return err
		}
		api, err := components.NewWebSocketAPI(ctx, "greetings", &components.WebSocketAPIArgs{
			Routes: []components.RouteArgs{{Key: components.DefaultRoute, Function: hello, TwoWay: true}},
		})
		if err != nil {
			return err
		}
		ctx.Export("endpoint", api.Endpoint)
		return nil
	})
	// Output:
	// 1 apigatewayv2.Api
	// 1 apigatewayv2.Integration
	// 1 apigatewayv2.Route
	// 1 apigatewayv2.RouteResponse
	// 1 apigatewayv2.Stage
	// 1 cloudwatch.LogGroup
	// 1 iam.Role
	// 1 iam.RolePolicy
	// 1 lambda.Function
	// 1 lambda.Permission
}

// A function that sends to connections is made after the API, for it is told
// the API's management endpoint, and is then given a route.
func ExampleWebSocketAPI_AddRoute() {
	preview(func(ctx *pulumi.Context) error {
		api, err := components.NewWebSocketAPI(ctx, "clock", nil)
		if err != nil {
			return err
		}
		tick, err := components.NewGoFunction(ctx, "tick", &components.GoFunctionArgs{
			Package:     "./testdata/hello",
			Environment: pulumi.StringMap{"MANAGEMENT_ENDPOINT": api.ManagementEndpoint},
			Statements:  []components.PolicyStatement{api.GrantManageConnections(components.PostConnection)},
		})
		if err != nil {
			return err
		}
		_, err = api.AddRoute(ctx, components.RouteArgs{Key: "tick", Function: tick})
		return err
	})
	// Output:
	// 1 apigatewayv2.Api
	// 1 apigatewayv2.Integration
	// 1 apigatewayv2.Route
	// 1 apigatewayv2.Stage
	// 1 cloudwatch.LogGroup
	// 1 iam.Role
	// 1 iam.RolePolicy
	// 1 lambda.Function
	// 1 lambda.Permission
}

// A function from a package of the program, which may read one bucket.
func ExampleNewGoFunction() {
	preview(func(ctx *pulumi.Context) error {
		hello, err := components.NewGoFunction(ctx, "hello", &components.GoFunctionArgs{
			Package:     "./testdata/hello",
			Environment: pulumi.StringMap{"BUCKET": pulumi.String("greetings")},
			Statements: []components.PolicyStatement{{
				Actions:   []string{"s3:GetObject"},
				Resources: []pulumi.StringInput{pulumi.String("arn:aws:s3:::greetings/*")},
			}},
			Timeout: 5 * time.Second,
		})
		if err != nil {
			return err
		}
		ctx.Export("function", hello.Name)
		return nil
	})
	// Output:
	// 1 cloudwatch.LogGroup
	// 1 iam.Role
	// 1 iam.RolePolicy
	// 1 lambda.Function
}

// A table in the chat's form, and a function that may read it.
func ExampleNewChatTable() {
	preview(func(ctx *pulumi.Context) error {
		table, err := components.NewChatTable(ctx, "archive", &components.ChatTableArgs{DeletionProtection: true})
		if err != nil {
			return err
		}
		_, err = components.NewGoFunction(ctx, "search", &components.GoFunctionArgs{
			Package:     "./testdata/hello",
			Environment: pulumi.StringMap{"TABLE_NAME": table.Name},
			Statements:  table.GrantRead(),
		})
		return err
	})
	// Output:
	// 1 cloudwatch.LogGroup
	// 1 dynamodb.Table
	// 1 iam.Role
	// 1 iam.RolePolicy
	// 1 lambda.Function
}

// A second reader of a chat's stream, which is given stored messages.
func ExampleNewStreamMapping() {
	preview(func(ctx *pulumi.Context) error {
		table, err := components.NewChatTable(ctx, "chat", nil)
		if err != nil {
			return err
		}
		archive, err := components.NewGoFunction(ctx, "archive", &components.GoFunctionArgs{Package: "./testdata/hello"})
		if err != nil {
			return err
		}
		mapping, err := components.NewStreamMapping(ctx, "messages", &components.StreamMappingArgs{
			StreamARN: table.StreamARN,
			Function:  archive,
			Filters:   []string{`{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"MESSAGE|"}]}}}}`},
		})
		if err != nil {
			return err
		}
		ctx.Export("deadLetters", mapping.DeadLetterQueueURL)
		return nil
	})
	// Output:
	// 1 cloudwatch.LogGroup
	// 1 dynamodb.Table
	// 1 iam.Role
	// 2 iam.RolePolicy
	// 1 lambda.EventSourceMapping
	// 1 lambda.Function
	// 1 sqs.Queue
}
