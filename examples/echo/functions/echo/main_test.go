package main

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"action":"x"}`, "no JSON", ""} {
		got, err := echo(t.Context(), events.APIGatewayWebsocketProxyRequest{Body: body})
		if err != nil || got.StatusCode != 200 || got.Body != body {
			t.Errorf("%q comes back as %+v, %v", body, got, err)
		}
	}
}
