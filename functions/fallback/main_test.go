package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestNewHandler(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	t.Setenv("FURTHER_ACTIONS", "")
	if _, err := newHandler(log); err == nil || !strings.Contains(err.Error(), "FURTHER_ACTIONS") {
		t.Errorf("without FURTHER_ACTIONS: error %v", err)
	}
	t.Setenv("FURTHER_ACTIONS", `["vote"]`)
	h, err := newHandler(log)
	if err != nil {
		t.Fatal(err)
	}
	var event events.APIGatewayWebsocketProxyRequest
	event.Body, event.RequestContext.RouteKey, event.RequestContext.EventType = `{"action":"vot"}`, "$default", "MESSAGE"
	answer, err := h.Handle(t.Context(), event)
	if err != nil || !strings.Contains(answer.Body, "whoami, ping or vote") {
		t.Errorf("%v, %v: the stack's own action is not named", answer.Body, err)
	}
}
