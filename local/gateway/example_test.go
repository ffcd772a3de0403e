package gateway_test

import (
	"context"
	"encoding/json"
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

// An authorizer lets in who shows a token, and says who that is: each function
// of the API finds it in requestContext.authorizer.
func ExampleAuthorizer() {
	ctx := context.Background()
	fns := functions{
		"arn:authorizer": returns(`{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[` +
			`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]}}`),
		"arn:connect": func(_ context.Context, event []byte) (string, string, error) {
			var e struct {
				RequestContext struct{ Authorizer struct{ PrincipalID string } }
			}
			err := json.Unmarshal(event, &e)
			fmt.Println("hello", e.RequestContext.Authorizer.PrincipalID)
			return `{"statusCode":200}`, "", err
		},
	}
	g := gateway.New(gateway.Options{Invoker: fns})
	defer g.Close(ctx)
	err := g.Put(gateway.API{
		ID:                       "a1b2c3d4e5",
		RouteSelectionExpression: "$request.body.action",
		Stages:                   map[string]gateway.Stage{"prod": {}},
		Integrations:             map[string]gateway.Integration{"i": {Type: "AWS_PROXY", FunctionARN: "arn:connect"}},
		Authorizers: map[string]gateway.Authorizer{"tokens": {
			FunctionARN: "arn:authorizer", IdentitySources: []string{"route.request.querystring.token"},
		}},
		Routes: []gateway.Route{{Key: "$connect", Target: "i", AuthorizerID: "tokens"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(g.Handler("a1b2c3d4e5"))
	defer server.Close()

	_, refusal, _ := websocket.Dial(ctx, server.URL+"/prod", nil)
	fmt.Println(refusal.Status)
	client, welcome, err := websocket.Dial(ctx, server.URL+"/prod?token=x", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.CloseNow() }()
	fmt.Println(welcome.Status)
	// Output:
	// 401 Unauthorized
	// hello ada
	// 101 Switching Protocols
}
