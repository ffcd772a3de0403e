package components

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The route keys that API Gateway knows itself.
const (
	// ConnectRoute runs before a connection is made, and may refuse it.
	ConnectRoute = "$connect"
	// DisconnectRoute runs after a connection has ended, if AWS can.
	DisconnectRoute = "$disconnect"
	// DefaultRoute takes the frames that select no other route.
	DefaultRoute = "$default"
)

// maxIntegrationTimeout is how long a WebSocket API waits for a function:
// "Amazon API Gateway quotas for WebSocket APIs" in the API Gateway Developer
// Guide. It cannot be raised.
const maxIntegrationTimeout = 29 * time.Second

// maxRoutes is how many routes an API has, by the same page. AWS raises it for
// an API on request; these components keep to what everyone has.
const maxRoutes = 300

// RouteArgs are one route of a [WebSocketAPI].
type RouteArgs struct {
	// Key is $connect, $disconnect, $default, or what the route selection
	// expression evaluates to for the frames that this route takes.
	Key string
	// Function handles the route's events. Its timeout is at most 29 s.
	Function *GoFunction
	// TwoWay sends the body that the function returns back to the client as a
	// frame. The default is to drop it. On $connect and $disconnect there is no
	// one to send it to.
	TwoWay bool
	// Authorizer decides who may connect; on $connect alone. The default is to
	// ask nobody but the route's function.
	Authorizer *AuthorizerArgs
}

// validateRouteKey reports a key that API Gateway refuses.
func validateRouteKey(key string) error {
	switch {
	case key == "":
		return badArgument("Key", key, "$connect, $disconnect, $default, or a text that a frame may select")
	case strings.HasPrefix(key, "$") && key != ConnectRoute && key != DisconnectRoute && key != DefaultRoute:
		return badArgument("Key", key, "$connect, $disconnect, $default, or a text that does not begin with $")
	}
	return nil
}

// validate reports every setting of a route that AWS refuses.
func (r RouteArgs) validate() error {
	mistakes := []error{validateRouteKey(r.Key), validateFunction(r.Function)}
	if r.TwoWay && (r.Key == ConnectRoute || r.Key == DisconnectRoute) {
		mistakes = append(mistakes, badArgument("TwoWay", r.TwoWay, "false on "+r.Key+", which has no client to answer"))
	}
	if r.Authorizer != nil {
		if r.Key != ConnectRoute {
			mistakes = append(mistakes, badArgument("Authorizer", measure("on "+r.Key), "an authorizer on $connect, the only route that can have one"))
		}
		mistakes = append(mistakes, nested("Authorizer", r.Authorizer.validate()))
	}
	return errors.Join(mistakes...)
}

// validateFunction reports a function that API Gateway could not wait for.
func validateFunction(f *GoFunction) error {
	if f == nil {
		return badArgument("Function", measure("nil"), "a GoFunction")
	}
	if f.timeout > maxIntegrationTimeout {
		return nested("Function", validateTimeout("Timeout", f.timeout, maxIntegrationTimeout))
	}
	return nil
}

// AddRoute declares one more route. Functions that were made with the API's
// Endpoint or ManagementEndpoint can only be added so: they need the API to
// exist. It is an error to add a key twice, or more than 300 routes in all.
func (a *WebSocketAPI) AddRoute(ctx *pulumi.Context, args RouteArgs, opts ...pulumi.ResourceOption) (*apigatewayv2.Route, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("WebSocket API %q: route %q: %w", a.name, args.Key, err)
	}
	if err := a.claim(args.Key); err != nil {
		return nil, fmt.Errorf("WebSocket API %q: %w", a.name, err)
	}
	route, err := a.declareRoute(ctx, args, append([]pulumi.ResourceOption{pulumi.Parent(a)}, opts...))
	if err != nil {
		return nil, fmt.Errorf("WebSocket API %q: route %q: %w", a.name, args.Key, err)
	}
	return route, nil
}

func duplicateRoute(argument, key string) error {
	return badArgument(argument, key, "a route key that the API does not have yet")
}

// validateRouteCount reports more routes than AWS allows, given how many of them
// may be the program's own.
func validateRouteCount(routes, most int) error {
	if routes > most {
		return badArgument("Routes", measure(fmt.Sprintf("%d routes long", routes)), fmt.Sprintf("at most %d routes", most))
	}
	return nil
}

// claim takes a route key, or says why it is not to be had.
func (a *WebSocketAPI) claim(key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys[key] {
		return duplicateRoute("Key", key)
	}
	if err := validateRouteCount(len(a.keys)+1, maxRoutes); err != nil {
		return err
	}
	a.keys[key] = true
	return nil
}

func (a *WebSocketAPI) declareRoute(ctx *pulumi.Context, args RouteArgs, opts []pulumi.ResourceOption) (*apigatewayv2.Route, error) {
	name := a.routeResourceName(args.Key)
	integration, err := apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId:             a.API.ID(),
		IntegrationType:   pulumi.String("AWS_PROXY"),
		IntegrationMethod: pulumi.String("POST"), // how API Gateway calls Lambda, whatever the frame
		IntegrationUri:    args.Function.InvokeARN,
	}, opts...)
	if err != nil {
		return nil, err
	}
	// Stage and route key: the ARNs of WebSocket APIs have no method in them.
	permission, err := permitInvocation(ctx, name, args.Function, pulumi.Sprintf("%s/%s", a.ExecutionARN, args.Key), opts)
	if err != nil {
		return nil, err
	}
	settings := &apigatewayv2.RouteArgs{
		ApiId:    a.API.ID(),
		RouteKey: pulumi.String(args.Key),
		Target:   pulumi.Sprintf("integrations/%s", integration.ID()),
	}
	allowed := []pulumi.Resource{permission}
	if args.Authorizer != nil {
		authorizer, permission, err := a.declareAuthorizer(ctx, *args.Authorizer, opts)
		if err != nil {
			return nil, err
		}
		settings.AuthorizationType, settings.AuthorizerId = pulumi.String("CUSTOM"), authorizer.ID()
		allowed = append(allowed, permission)
	}
	if args.TwoWay {
		settings.RouteResponseSelectionExpression = pulumi.String(DefaultRoute) // the only one there is
	}
	// The route depends on the permissions, lest frames come before them.
	route, err := apigatewayv2.NewRoute(ctx, name, settings, append(opts, pulumi.DependsOn(allowed))...)
	if err != nil {
		return nil, err
	}
	if !args.TwoWay {
		return route, nil
	}
	_, err = apigatewayv2.NewRouteResponse(ctx, name, &apigatewayv2.RouteResponseArgs{
		ApiId:            a.API.ID(),
		RouteId:          route.ID(),
		RouteResponseKey: pulumi.String(DefaultRoute),
	}, opts...)
	return route, err
}

// permitInvocation lets API Gateway invoke a function for one route or authorizer.
func permitInvocation(ctx *pulumi.Context, name string, f *GoFunction, source pulumi.StringInput, opts []pulumi.ResourceOption) (*lambda.Permission, error) {
	return lambda.NewPermission(ctx, name, &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  f.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: source,
	}, opts...)
}

// routeResourceName names a route's resources. One of them is a permission, from
// whose name AWS's statement id is made.
func (a *WebSocketAPI) routeResourceName(key string) string {
	prefix := a.name + "-"
	return prefix + routeName(key, maxStatementID-randomSuffixLength-len(prefix))
}
