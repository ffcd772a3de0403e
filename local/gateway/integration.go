package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Invoker runs functions.
//
// Invoke calls the function with an event and returns what it returned.
// sourceARN is what calls it, which the function's permissions must allow:
// arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/ROUTEKEY for a route,
// arn:aws:execute-api:REGION:ACCOUNT:API/authorizers/ID for an authorizer.
//
// If the function failed, functionError is not empty (Unhandled, as in Lambda's
// X-Amz-Function-Error) and payloadOut describes the failure. err is for the
// service itself: no such function, no permission, throttled, shutting down.
// Invoke is called concurrently and must return soon once ctx is done; ctx ends
// only when the API goes away, since a function goes on after its integration
// timed out.
type Invoker interface {
	Invoke(ctx context.Context, functionARN, sourceARN string, payload []byte) (payloadOut []byte, functionError string, err error)
}

// What can go wrong with an integration, apart from the invocation itself.
var (
	errFunction  = errors.New("function error")
	errTimeout   = errors.New("integration timeout")
	errMalformed = errors.New("malformed proxy response")
)

// A callee is a function, and in whose name it is called.
type callee struct {
	functionARN string
	sourceARN   string
	timeout     time.Duration
}

// callee is the function of a route, called for this connection.
func (c *connection) callee(r route) callee {
	arn := c.endpoint.deployment.Load().arn()
	return callee{r.functionARN, arn + "/" + c.stage + "/" + r.key, r.timeout}
}

// call invokes a function and waits for it, but not beyond its timeout. A
// function that takes longer runs on, and what it returns is dropped. The error
// wraps errFunction, errTimeout, or is the Invoker's. What the function returned
// comes with errFunction too.
func (e *endpoint) call(f callee, payload []byte) ([]byte, error) {
	type outcome struct {
		payload []byte
		err     error
	}
	done := make(chan outcome, 1)
	e.running.Go(func() {
		out, functionError, err := e.options.Invoker.Invoke(e.ctx, f.functionARN, f.sourceARN, payload)
		if err == nil && functionError != "" {
			err = fmt.Errorf("%w: %s", errFunction, functionError)
		}
		done <- outcome{out, err}
	})
	timer := time.NewTimer(f.timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.payload, o.err
	case <-timer.C:
		return nil, fmt.Errorf("%w after %v", errTimeout, f.timeout)
	case <-e.ctx.Done():
		return nil, context.Cause(e.ctx)
	}
}

// A proxyResponse is what an AWS_PROXY function returns.
type proxyResponse struct {
	statusCode  int
	body        string
	subprotocol string // the Sec-WebSocket-Protocol header
}

// exchange calls the function of a route and parses its response. The error may
// also wrap errMalformed.
func (c *connection) exchange(r route, event event) (proxyResponse, error) {
	payload, err := c.endpoint.call(c.callee(r), event.encode())
	if err != nil {
		return proxyResponse{}, err
	}
	response, err := parseProxyResponse(payload)
	if err != nil {
		return proxyResponse{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return response, nil
}

// parseProxyResponse takes the keys as AWS does, by their exact spelling:
// StatusCode is not statusCode. The error quotes no value: a function may echo
// its client's credentials.
func parseProxyResponse(payload []byte) (response proxyResponse, err error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil {
		return response, errors.New("it is no JSON object")
	}
	// A number, or a number as text.
	response.statusCode, err = strconv.Atoi(strings.Trim(string(fields["statusCode"]), `"`))
	if err != nil {
		return response, errors.New("statusCode is no number")
	}
	if err := decodeField(fields, "body", &response.body); err != nil {
		return response, err
	}
	response.subprotocol, err = subprotocol(fields)
	return response, err
}

// decodeField decodes a field, if it is there, into target.
func decodeField(fields map[string]json.RawMessage, name string, target any) error {
	if fields[name] == nil {
		return nil
	}
	if err := json.Unmarshal(fields[name], target); err != nil {
		return fmt.Errorf("%s is of the wrong type", name)
	}
	return nil
}

// subprotocol finds the only response header that a client ever sees.
func subprotocol(fields map[string]json.RawMessage) (string, error) {
	var single map[string]any
	if err := decodeField(fields, "headers", &single); err != nil {
		return "", err
	}
	var multi map[string][]any
	if err := decodeField(fields, "multiValueHeaders", &multi); err != nil {
		return "", err
	}
	var found any = ""
	isSubprotocol := func(name string) bool { return strings.EqualFold(name, "Sec-WebSocket-Protocol") }
	for name, value := range single {
		if isSubprotocol(name) {
			found = value
		}
	}
	for name, list := range multi {
		if isSubprotocol(name) && len(list) > 0 {
			found = list[len(list)-1]
		}
	}
	protocol, ok := found.(string)
	if !ok || strings.ContainsFunc(protocol, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", errors.New("Sec-WebSocket-Protocol is no text that a header can hold")
	}
	return protocol, nil
}
