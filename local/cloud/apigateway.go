package cloud

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"example.com/chatstack/local/gateway"
)

const (
	typeAPI           = "aws:apigatewayv2/api:Api"
	typeStage         = "aws:apigatewayv2/stage:Stage"
	typeIntegration   = "aws:apigatewayv2/integration:Integration"
	typeAuthorizer    = "aws:apigatewayv2/authorizer:Authorizer"
	typeRoute         = "aws:apigatewayv2/route:Route"
	typeRouteResponse = "aws:apigatewayv2/routeResponse:RouteResponse"
)

// gatewayKinds are the WebSocket API and its parts. Each part is noted by
// itself; whenever one changes, the whole API is given to the gateway anew.
func gatewayKinds() map[string]*kind {
	return map[string]*kind{
		typeAPI: {
			runs:     []string{"name", "protocolType", "routeSelectionExpression"},
			ignores:  []string{"description", "version"},
			replaces: []string{"protocolType"},
			named:    "name", nameMax: 128,
			check:   checkAPI,
			declare: declareAPI,
			undo:    closeAPI,
			remove: func(_ context.Context, c *Cloud, r *Resource) error {
				c.gateway.Delete(r.ID)
				closeAPI(c, r)
				return nil
			},
			settle: func(c *Cloud, r *Resource) error { return c.deployAPI(r.ID) },
		},
		typeStage: {
			runs:     []string{"apiId", "name", "autoDeploy", "stageVariables", "defaultRouteSettings", "routeSettings"},
			ignores:  []string{"description"},
			replaces: []string{"apiId", "name"},
			named:    "name", nameMax: 128,
			check:   checkStage,
			declare: declareStage,
			settle:  deployAPIOf,
		},
		typeIntegration: {
			runs:     []string{"apiId", "integrationType", "integrationUri", "timeoutMilliseconds"},
			ignores:  []string{"description", "integrationMethod", "connectionType", "passthroughBehavior", "payloadFormatVersion"},
			replaces: []string{"apiId", "integrationType"},
			check:    checkIntegration,
			declare:  func(c *Cloud, r *Resource) error { return declareID(r, 7) },
			settle:   deployAPIOf,
		},
		typeAuthorizer: {
			runs:     []string{"apiId", "name", "authorizerType", "authorizerUri", "identitySources"},
			replaces: []string{"apiId", "authorizerType"},
			named:    "name", nameMax: 128,
			check:   checkAuthorizer,
			declare: func(c *Cloud, r *Resource) error { return declareID(r, 6) },
			settle:  deployAPIOf,
		},
		typeRoute: {
			runs:     []string{"apiId", "routeKey", "target", "routeResponseSelectionExpression", "authorizationType", "authorizerId"},
			ignores:  []string{"operationName"},
			replaces: []string{"apiId"},
			check:    checkRoute,
			declare:  declareRoute,
			settle:   deployAPIOf,
		},
		typeRouteResponse: {
			runs:     []string{"apiId", "routeId", "routeResponseKey"},
			replaces: []string{"apiId", "routeId"},
			check:    checkRouteResponse,
			declare:  func(c *Cloud, r *Resource) error { return declareID(r, 7) },
			settle:   deployAPIOf,
		},
	}
}

// declareID gives a new resource an id of n characters.
func declareID(r *Resource, n int) error {
	if r.ID == "" {
		r.ID = newID(n)
	}
	return nil
}

func checkAPI(in Properties) error {
	if protocol := in.text("protocolType"); protocol != "WEBSOCKET" {
		return fmt.Errorf("protocolType is %q: the local cloud runs WEBSOCKET APIs only", protocol)
	}
	return nil
}

func checkStage(in Properties) error {
	if !in.flag("autoDeploy") {
		return errors.New("autoDeploy is off: the local cloud runs stages with automatic deployment only")
	}
	return nil
}

func checkIntegration(in Properties) error {
	if typ := in.text("integrationType"); typ != "AWS_PROXY" {
		return fmt.Errorf("integrationType is %q: the local cloud runs AWS_PROXY integrations only", typ)
	}
	if method := in.text("integrationMethod"); method != "" && method != "POST" {
		return fmt.Errorf("integrationMethod is %q: functions are invoked with POST", method)
	}
	return checkInvocationURI(in, "integrationUri")
}

func checkAuthorizer(in Properties) error {
	if typ := in.text("authorizerType"); typ != "REQUEST" {
		return fmt.Errorf("authorizerType is %q: WebSocket APIs know REQUEST only", typ)
	}
	return checkInvocationURI(in, "authorizerUri")
}

var invocationURI = regexp.MustCompile(`^arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/arn:aws:lambda:[^/]+/invocations$`)

// checkInvocationURI refuses what is no function's invocation. Unlike an HTTP API,
// a WebSocket API does not take a function's ARN for it.
func checkInvocationURI(in Properties, property string) error {
	if uri := in.text(property); !invocationURI.MatchString(uri) {
		return fmt.Errorf("%s is %q: give the function's invokeArn", property, uri)
	}
	return nil
}

func checkRoute(in Properties) error {
	auth, authorizer, key := in.text("authorizationType"), in.text("authorizerId"), in.text("routeKey")
	if target := in.text("target"); !strings.HasPrefix(target, "integrations/") {
		return fmt.Errorf("target is %q: the local cloud runs routes to integrations, integrations/ID", target)
	}
	switch {
	case (auth == "" || auth == "NONE") && authorizer == "":
		return nil
	case auth != "CUSTOM":
		return fmt.Errorf("authorizationType is %q: the local cloud runs routes with CUSTOM authorizers or without any", auth)
	case authorizer == "":
		return errors.New("authorizationType is CUSTOM, and there is no authorizerId")
	case key != "$connect":
		return fmt.Errorf("route %q has an authorizer: in a WebSocket API only $connect can have one", key)
	}
	return nil
}

// declareRoute refuses a route to what is no integration of its API: it would keep
// the whole API from being deployed.
func declareRoute(c *Cloud, r *Resource) error {
	api, target := r.Inputs.text("apiId"), trimTarget(r.Inputs.text("target"))
	if integration := c.notes.get(typeIntegration, target); integration == nil || integration.Inputs.text("apiId") != api {
		return fmt.Errorf("route %q: unable to find integration %q in API %s: target is integrations/ID", r.Inputs.text("routeKey"), target, api)
	}
	return declareID(r, 7)
}

func checkRouteResponse(in Properties) error {
	if key := in.text("routeResponseKey"); key != "$default" {
		return fmt.Errorf("routeResponseKey is %q: WebSocket APIs know $default only", key)
	}
	return nil
}

func declareAPI(c *Cloud, r *Resource) error {
	if r.ID == "" {
		r.ID = newID(10)
	}
	if c.listeners[r.ID] == nil {
		l, err := c.listen(apiListener(r.ID), c.gateway.Handler(r.ID))
		if err != nil {
			return err
		}
		c.listeners[r.ID] = l
	}
	r.Outputs["apiEndpoint"] = "ws://" + c.listeners[r.ID].addr
	r.Outputs["arn"] = "arn:aws:apigateway:" + c.Region() + "::/apis/" + r.ID
	r.Outputs["executionArn"] = c.arn("execute-api", r.ID)
	return nil
}

// closeAPI gives up an API's listener and its port.
func closeAPI(c *Cloud, r *Resource) {
	if l := c.listeners[r.ID]; l != nil {
		l.Close()
		delete(c.listeners, r.ID)
	}
	c.notes.setPort(apiListener(r.ID), 0)
}

func apiListener(id string) string { return "api " + id }

func declareStage(c *Cloud, r *Resource) error {
	api, name := r.Inputs.text("apiId"), r.Inputs.text("name")
	l := c.listeners[api]
	if l == nil {
		return fmt.Errorf("stage %s: there is no API %s", name, api)
	}
	r.ID = api + "/" + name // stages of two APIs may have one name
	r.Outputs["invokeUrl"] = "ws://" + l.addr + "/" + name
	r.Outputs["arn"] = "arn:aws:apigateway:" + c.Region() + "::/apis/" + api + "/stages/" + name
	r.Outputs["executionArn"] = c.arn("execute-api", api+"/"+name)
	return nil
}

func deployAPIOf(c *Cloud, r *Resource) error { return c.deployAPI(r.Inputs.text("apiId")) }

// deployAPI gives the gateway an API as it is noted now.
func (c *Cloud) deployAPI(id string) error {
	noted := c.notes.get(typeAPI, id)
	if noted == nil {
		return nil
	}
	of := func(r *Resource) bool { return r.Inputs.text("apiId") == id }
	api := gateway.API{
		ID: id, Name: noted.Inputs.text("name"), Region: c.Region(), AccountID: AccountID,
		RouteSelectionExpression: noted.Inputs.text("routeSelectionExpression"),
		Stages:                   map[string]gateway.Stage{},
		Integrations:             map[string]gateway.Integration{},
		Authorizers:              map[string]gateway.Authorizer{},
	}
	for _, r := range c.notes.list(typeStage, of) {
		name := r.Inputs.text("name")
		stage := gateway.Stage{
			Variables:            r.Inputs.sub("stageVariables").textMap(),
			DefaultRouteSettings: routeSettings(r.Inputs.sub("defaultRouteSettings")),
			RouteSettings:        map[string]gateway.RouteSettings{},
		}
		for _, settings := range r.Inputs.subs("routeSettings") {
			stage.RouteSettings[settings.text("routeKey")] = routeSettings(settings)
		}
		api.Stages[name] = stage
	}
	for _, r := range c.notes.list(typeIntegration, of) {
		api.Integrations[r.ID] = gateway.Integration{
			Type:        r.Inputs.text("integrationType"),
			FunctionARN: functionOf(r.Inputs.text("integrationUri")),
			Timeout:     time.Duration(r.Inputs.number("timeoutMilliseconds", 0)) * time.Millisecond,
		}
	}
	for _, r := range c.notes.list(typeAuthorizer, of) {
		api.Authorizers[r.ID] = gateway.Authorizer{
			FunctionARN:     functionOf(r.Inputs.text("authorizerUri")),
			IdentitySources: r.Inputs.texts("identitySources"),
		}
	}
	two := map[string]bool{}
	for _, r := range c.notes.list(typeRouteResponse, of) {
		two[r.Inputs.text("routeId")] = true
	}
	for _, r := range c.notes.list(typeRoute, of) {
		target, authorizer := trimTarget(r.Inputs.text("target")), r.Inputs.text("authorizerId")
		_, hasIntegration := api.Integrations[target]
		_, hasAuthorizer := api.Authorizers[authorizer]
		if !hasIntegration || !hasAuthorizer && authorizer != "" {
			// One of the two is being replaced. What is served stays as it is: without
			// a $connect route, or its authorizer, anyone could connect.
			return nil
		}
		api.Routes = append(api.Routes, gateway.Route{
			Key: r.Inputs.text("routeKey"), Target: target,
			RouteResponseSelectionExpression: r.Inputs.text("routeResponseSelectionExpression"),
			HasRouteResponse:                 two[r.ID],
			AuthorizerID:                     authorizer,
		})
	}
	return c.gateway.Put(api)
}

// routeSettings are a stage's throttles. Its metrics and execution logs are not
// kept here.
func routeSettings(settings Properties) gateway.RouteSettings {
	rate, _ := settings["throttlingRateLimit"].(float64)
	return gateway.RouteSettings{ThrottlingRateLimit: rate, ThrottlingBurstLimit: settings.number("throttlingBurstLimit", 0)}
}

// trimTarget takes the integration's ID out of a route's target.
func trimTarget(target string) string { return strings.TrimPrefix(target, "integrations/") }

// functionOf takes the function's ARN out of an integration URI
// (arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations).
func functionOf(uri string) string {
	_, arn, found := strings.Cut(uri, "/functions/")
	if !found {
		return uri
	}
	return strings.TrimSuffix(arn, "/invocations")
}
