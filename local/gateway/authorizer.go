package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// maxVerdict is the largest result of an authorizer, in bytes. The quota cannot
// be raised.
const maxVerdict = 8 << 10

// An authorizer is an Authorizer that was checked.
type authorizer struct {
	id          string
	functionARN string
	sources     []identitySource
}

// checkAuthorizer checks a declared authorizer.
func checkAuthorizer(id string, declared Authorizer) (*authorizer, error) {
	if declared.FunctionARN == "" {
		return nil, errors.New("no function")
	}
	a := &authorizer{id: id, functionARN: declared.FunctionARN}
	for _, text := range declared.IdentitySources {
		source, err := parseIdentitySource(text)
		if err != nil {
			return nil, err
		}
		a.sources = append(a.sources, source)
	}
	return a, nil
}

// An authorizerEvent is what an authorizer's function gets: the $connect event
// in another order, with a type and an ARN, and with empty fields where that
// has none.
type authorizerEvent struct {
	Type                            string             `json:"type"`
	MethodARN                       string             `json:"methodArn"`
	Headers                         parameters[string] `json:"headers"`
	MultiValueHeaders               values             `json:"multiValueHeaders"`
	QueryStringParameters           parameters[string] `json:"queryStringParameters"`
	MultiValueQueryStringParameters values             `json:"multiValueQueryStringParameters"`
	StageVariables                  parameters[string] `json:"stageVariables"`
	RequestContext                  requestContext     `json:"requestContext"`
}

// authorizerEvent tells more headers than the $connect event: those of the
// connection itself are there, as AWS documents it.
func (c *connection) authorizerEvent(request upgradeRequest, methodARN string) authorizerEvent {
	base := c.connectEvent(request)
	headers := maps.Clone(base.MultiValueHeaders)
	headers["Connection"] = []string{"upgrade"}
	headers["content-length"] = []string{"0"}
	headers["Upgrade"] = []string{"websocket"}
	return authorizerEvent{
		Type:                            "REQUEST",
		MethodARN:                       methodARN,
		Headers:                         lastOf(headers),
		MultiValueHeaders:               headers,
		QueryStringParameters:           base.QueryStringParameters,
		MultiValueQueryStringParameters: base.MultiValueQueryStringParameters,
		StageVariables:                  base.StageVariables,
		RequestContext:                  base.RequestContext,
	}
}

// Why an authorizer lets nobody in, apart from its function's failures.
var (
	errUnauthorized = errors.New("unauthorized")
	errDenied       = errors.New("the authorizer's policy does not allow the connection")
)

// authorize asks the authorizer of a route and keeps what it tells of the
// client. The error wraps errUnauthorized, errDenied, or says why the authorizer
// failed. It never holds anything of the request, nor of the function's result:
// both may hold credentials.
func (c *connection) authorize(a *authorizer, r route, request upgradeRequest) error {
	d := c.endpoint.deployment.Load()
	methodARN := c.callee(r).sourceARN
	event := c.authorizerEvent(request, methodARN)
	for _, source := range a.sources {
		if source.value(event) == "" {
			return fmt.Errorf("%w: the request has no %s", errUnauthorized, source)
		}
	}
	begin := time.Now()
	payload, err := c.endpoint.call(callee{a.functionARN, d.arn() + "/authorizers/" + a.id, maxIntegrationTimeout}, encodeJSON(event))
	if errors.Is(err, errFunction) && saysUnauthorized(payload) {
		return fmt.Errorf("%w: the authorizer says so", errUnauthorized)
	}
	if err != nil {
		return err
	}
	v, err := parseVerdict(payload, methodARN)
	if err != nil {
		return err
	}
	if !v.allowed {
		return errDenied
	}
	c.authorizer = v.told
	c.latency = time.Since(begin)
	return nil
}

// saysUnauthorized reports whether a function failed with the one message that
// API Gateway knows.
func saysUnauthorized(failure []byte) bool {
	var fields map[string]json.RawMessage
	var message string
	return json.Unmarshal(failure, &fields) == nil &&
		decodeField(fields, "errorMessage", &message) == nil && message == "Unauthorized"
}

// refusal is the answer to a client whom authorize did not let in.
func refusal(err error) (status int, why notice) {
	switch {
	case errors.Is(err, errUnauthorized):
		return http.StatusUnauthorized, unauthorized
	case errors.Is(err, errDenied):
		return http.StatusForbidden, forbidden
	}
	return http.StatusInternalServerError, internalServerError
}

// authorizerContext is requestContext.authorizer.
func (c *connection) authorizerContext(eventType string) parameters[any] {
	if c.authorizer == nil || eventType != "CONNECT" {
		return c.authorizer
	}
	told := maps.Clone(c.authorizer)
	told["integrationLatency"] = c.latency.Milliseconds()
	return told
}
