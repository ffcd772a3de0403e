package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
)

// WebSocket handles the events of a WebSocket API, of all its routes.
type WebSocket struct {
	Chat *chat.Service
	Log  *slog.Logger
	// AllowedOrigins are those whose pages may connect, as https://chat.example.com.
	// None means any.
	AllowedOrigins []string
}

// Handle serves one event. Its error is always nil: with an error, API Gateway
// would send the client a frame of its own, or none.
func (h WebSocket) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	if request.EventType == "CONNECT" && !h.isFromAllowedOrigin(event) {
		h.Log.InfoContext(ctx, "connection refused", "reason", "origin", "requestId", request.RequestID)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusForbidden}, nil
	}
	var body []byte
	caller, err := callerOf(request)
	// The type, not the route, says what happened: no frame is a connect, what
	// ever action is in it.
	switch {
	case request.EventType == "DISCONNECT": // whoever it was
		err = errors.Join(h.Chat.Disconnect(ctx, request.ConnectionID), h.Chat.DropExpiry(ctx, caller))
	case err != nil:
	case request.EventType == "CONNECT":
		err = h.Chat.Connect(ctx, chat.Connection{
			ID: request.ConnectionID, ConnectedAt: time.UnixMilli(request.ConnectedAt), Identity: caller.Identity,
		})
	default:
		body, err = h.Chat.Answer(ctx, request.RouteKey, caller, []byte(event.Body))
	}
	response := events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: string(body)}
	if protocol := subprotocol(event); protocol != "" {
		response.Headers = map[string]string{protocolHeader: protocol}
	}
	if err != nil {
		level := slog.LevelError
		if chat.ErrorCode(err) != chat.CodeInternal { // only who connects is refused so
			level = slog.LevelInfo
		}
		h.Log.Log(ctx, level, "event not served", "route", request.RouteKey, "connectionId", request.ConnectionID,
			"requestId", request.RequestID, "error", err)
		if body == nil { // a connection is refused by the status, a frame is answered
			response.StatusCode = statusOf(err)
		}
	}
	return response, nil
}

// callerOf gives who an event is from. What the stage's authorizer said when the
// connection was made is in every event of it.
func callerOf(request events.APIGatewayWebsocketProxyRequestContext) (chat.Caller, error) {
	values, _ := request.Authorizer.(map[string]any)
	identity, err := chat.ParseIdentity(values)
	return chat.Caller{ConnectionID: request.ConnectionID, Identity: identity}, err
}

// statusOf gives the status that refuses a connection.
func statusOf(err error) int {
	switch chat.ErrorCode(err) {
	case chat.CodeInternal:
		return http.StatusInternalServerError
	case chat.CodeIdentityRequired, chat.CodeTokenExpired:
		return http.StatusUnauthorized
	default:
		return http.StatusForbidden
	}
}

// subprotocol is the one to accept of those that a client offers when it
// connects: the chat's own, or none. A browser that offers some and is granted
// none closes the connection.
func subprotocol(event events.APIGatewayWebsocketProxyRequest) string {
	for _, value := range valuesOf(event.Headers, protocolHeader) {
		for offer := range strings.SplitSeq(value, ",") {
			if strings.TrimSpace(offer) == chat.Subprotocol {
				return chat.Subprotocol
			}
		}
	}
	return ""
}
