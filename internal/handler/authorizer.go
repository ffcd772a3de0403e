package handler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/token"
)

// A Verifier tells who has a token. Its error wraps a [token.Refusal] if the
// token is at fault.
type Verifier interface {
	Verify(ctx context.Context, token string) (chat.Identity, error)
}

// An Authorizer decides who may connect, by the token that a client offers as
// the subprotocol bearer.TOKEN: a browser can set no other header. Neither a
// token nor what is in it is ever logged.
type Authorizer struct {
	Verifier Verifier
	Log      *slog.Logger
}

// What API Gateway knows of an authorizer.
const (
	// maxAuthorizerResult is the longest result, in bytes: "Quotas for
	// configuring and running a WebSocket API" in its Developer Guide.
	maxAuthorizerResult = 8 << 10
	bearer              = "bearer."
)

// errUnauthorized is answered with 401. API Gateway knows it by this very text;
// any other error is a 500.
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // API Gateway's own word

// errKeys tells nobody but the log what is wrong.
var errKeys = errors.New("the issuer's keys cannot be had")

// Handle lets a client connect, or says why not.
func (a Authorizer) Handle(ctx context.Context, event events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	log := a.Log.With("requestId", event.RequestContext.RequestID)
	refuse := func(reason string) (events.APIGatewayCustomAuthorizerResponse, error) {
		log.InfoContext(ctx, "connection refused", "reason", reason)
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
	tokens := bearers(event)
	switch len(tokens) {
	case 0:
		return refuse("no_token")
	case 1:
	default:
		return refuse("several_tokens")
	}
	identity, err := a.Verifier.Verify(ctx, tokens[0])
	var refusal token.Refusal
	if errors.As(err, &refusal) {
		return refuse(string(refusal))
	}
	if err != nil {
		log.ErrorContext(ctx, "token not verified: the issuer's keys cannot be had", "error", err)
		return events.APIGatewayCustomAuthorizerResponse{}, errKeys
	}
	response := events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: identity.User,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version:   "2012-10-17",
			Statement: []events.IAMPolicyStatement{{Effect: "Allow", Action: []string{"execute-api:Invoke"}, Resource: []string{event.MethodArn}}},
		},
		Context: identity.AuthorizerContext(),
	}
	text, err := json.Marshal(response)
	if err != nil || len(text) > maxAuthorizerResult {
		log.WarnContext(ctx, "a token has more in it than API Gateway takes of an authorizer: let it grant fewer channels, by patterns",
			"bytes", len(text), "most", maxAuthorizerResult)
		return refuse("too_large")
	}
	return response, nil
}

// bearers are the tokens among the subprotocols that a client offers.
func bearers(event events.APIGatewayCustomAuthorizerRequestTypeRequest) []string {
	var lines []string
	for name, values := range event.MultiValueHeaders {
		if strings.EqualFold(name, protocolHeader) {
			lines = append(lines, values...)
		}
	}
	if lines == nil {
		lines = valuesOf(event.Headers, protocolHeader)
	}
	var tokens []string
	for offer := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(offer), bearer); ok {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

const protocolHeader = "Sec-WebSocket-Protocol"

// valuesOf gives the values of a header, however its name is spelled.
func valuesOf(headers map[string]string, name string) []string {
	var values []string
	for spelled, value := range headers {
		if strings.EqualFold(spelled, name) {
			values = append(values, value)
		}
	}
	return values
}
