package handler

import (
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// isFromAllowedOrigin reports whether a page may connect, by the Origin that its
// browser sends. Who sends none is no page in a browser, and could claim any.
func (h WebSocket) isFromAllowedOrigin(event events.APIGatewayWebsocketProxyRequest) bool {
	if len(h.AllowedOrigins) == 0 {
		return true
	}
	for _, origin := range valuesOf(event.Headers, "Origin") {
		if !slices.ContainsFunc(h.AllowedOrigins, func(allowed string) bool { return strings.EqualFold(allowed, origin) }) {
			return false
		}
	}
	return true
}
