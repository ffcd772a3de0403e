package gateway_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

// An API whose route ping is two-way: what the function returns as body is the
// client's answer.
func Example() {
	ctx := context.Background()
	ping := functions{"arn:ping": returns(`{"statusCode":200,"body":"pong"}`)}
	g := gateway.New(gateway.Options{Invoker: ping})
	defer g.Close(ctx)
	err := g.Put(gateway.API{
		ID:                       "a1b2c3d4e5",
		RouteSelectionExpression: "$request.body.action",
		Stages:                   map[string]gateway.Stage{"prod": {}},
		Integrations:             map[string]gateway.Integration{"i": {Type: "AWS_PROXY", FunctionARN: "arn:ping"}},
		Routes: []gateway.Route{{
			Key: "ping", Target: "i", RouteResponseSelectionExpression: "$default", HasRouteResponse: true,
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(g.Handler("a1b2c3d4e5"))
	defer server.Close()

	client, _, err := websocket.Dial(ctx, server.URL+"/prod", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.CloseNow() }()
	_ = client.Write(ctx, websocket.MessageText, []byte(`{"action":"ping"}`))
	_, answer, err := client.Read(ctx)
	fmt.Println(string(answer), err)
	// Output: pong <nil>
}
