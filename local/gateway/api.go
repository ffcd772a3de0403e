package gateway

import "time"

// The three predefined route keys. All of them are optional.
const (
	connectRoute    = "$connect"
	disconnectRoute = "$disconnect"
	defaultRoute    = "$default"
)

// An API is a WebSocket API as its resources declare it.
type API struct {
	// ID is API Gateway's id of the API, as in requestContext.apiId. Required.
	ID string

	// Name is for people and logs.
	Name string

	// Region and AccountID complete the ARNs that [Options.Authorize] gets.
	Region, AccountID string

	// RouteSelectionExpression picks the route of a message, for example
	// $request.body.action or ${request.body.service}/${request.body.action}.
	// Required.
	RouteSelectionExpression string

	// Stages are the API's stages by name: letters, digits, hyphens and
	// underscores, at most 128 of them. At most 10.
	Stages map[string]Stage

	// Routes have a key each, no two of them the same. At most 300.
	Routes []Route

	// Integrations are what routes lead to, by API Gateway's id of each. At most
	// 300.
	Integrations map[string]Integration

	// Authorizers may decide on $connect, by API Gateway's id of each. At most 10.
	Authorizers map[string]Authorizer
}

// A Stage is one address of an API: its clients connect to /{name}.
type Stage struct {
	// Variables are handed to functions as stageVariables.
	Variables map[string]string

	// DefaultRouteSettings throttle all routes together that have no settings of
	// their own, $connect among them. Default: the account's throttle alone.
	DefaultRouteSettings RouteSettings

	// RouteSettings throttle one route each, by its key.
	RouteSettings map[string]RouteSettings
}

// A Route leads the messages of one route key to an integration.
type Route struct {
	// Key is $connect, $disconnect, $default, or a key of the caller's own
	// that does not begin with a dollar sign.
	Key string

	// Target is the id of the route's integration.
	Target string

	// RouteResponseSelectionExpression is empty, or $default, the only one
	// that AWS knows.
	RouteResponseSelectionExpression string

	// HasRouteResponse says that a route response with the key $default is
	// declared. Only together with the expression does it make the route
	// two-way: what the function returns as body is then sent to the client.
	HasRouteResponse bool

	// AuthorizerID is the id of the authorizer that decides before the route is
	// run, which AWS has on $connect only. Empty: anyone may connect.
	AuthorizerID string
}

// An Authorizer is a Lambda authorizer of the type REQUEST, the only one that
// WebSocket APIs have. Its function decides whether a client may connect, and
// what it tells of the client is part of every later event of the connection.
// Its results are not cached.
type Authorizer struct {
	// FunctionARN is handed to [Invoker.Invoke].
	FunctionARN string

	// IdentitySources are what a request must have, and not empty, for the
	// function to be asked at all, for example route.request.header.Auth or
	// route.request.querystring.token. Default: none.
	IdentitySources []string
}

// An Integration is a function that a route leads to.
type Integration struct {
	// Type is AWS_PROXY. Others are refused.
	Type string

	// FunctionARN is handed to [Invoker.Invoke].
	FunctionARN string

	// Timeout is how long the function may take to answer, from 50 ms to
	// 29 s. 0 means 29 s.
	Timeout time.Duration
}

// ConnectionInfo is an open connection, as GET @connections tells it.
type ConnectionInfo struct {
	ID           string
	Stage        string
	SourceIP     string
	UserAgent    string // empty if the client sent none
	ConnectedAt  time.Time
	LastActiveAt time.Time // the last message in either direction
}
