package components

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAuthorizerDecidesWhoMayConnect(t *testing.T) {
	t.Parallel()
	c, err := previewAPI("dev", func(hello, vote *GoFunction) *WebSocketAPIArgs {
		return &WebSocketAPIArgs{Routes: []RouteArgs{{
			Key: "$connect", Function: hello,
			Authorizer: &AuthorizerArgs{Function: vote, IdentitySources: []string{"route.request.querystring.token"}},
		}}}
	})
	if err != nil {
		t.Fatal(err)
	}
	functionARN := "arn:aws:lambda:eu-central-1:123456789012:function:vote-a1b2c3d"
	if diff := cmp.Diff(map[string]any{
		"apiId":           "api-a1b2c3d",
		"authorizerType":  "REQUEST",
		"authorizerUri":   "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations",
		"identitySources": []any{"route.request.querystring.token"},
	}, c.get(t, "Authorizer", "api-authorizer").Inputs); diff != "" {
		t.Errorf("authorizer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"action":    "lambda:InvokeFunction",
		"function":  "vote-a1b2c3d",
		"principal": "apigateway.amazonaws.com",
		"sourceArn": "arn:aws:execute-api:eu-central-1:123456789012:api-a1b2c3d/authorizers/api-authorizer-a1b2c3d",
	}, c.get(t, "Permission", "api-authorizer").Inputs); diff != "" {
		t.Errorf("its permission (-want +got):\n%s", diff)
	}
	route := c.get(t, "Route", "api-on-connect").Inputs
	if route["authorizationType"] != "CUSTOM" || route["authorizerId"] != "api-authorizer-a1b2c3d" {
		t.Errorf("route is %v, want it to have the authorizer", route)
	}
}

func TestAuthorizerMistakesAreErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key  string
		args AuthorizerArgs
		want string
	}{
		"no function":     {"$connect", AuthorizerArgs{}, "Routes[0].Authorizer.Function is nil: allowed is a GoFunction"},
		"another route":   {"$default", AuthorizerArgs{Function: &GoFunction{}}, "Routes[0].Authorizer is on $default: allowed is an authorizer on $connect, the only route that can have one"},
		"identity source": {"$connect", AuthorizerArgs{Function: &GoFunction{}, IdentitySources: []string{"method.request.header.Auth"}}, `Routes[0].Authorizer.IdentitySources[0] is "method.request.header.Auth"`},
		"slow function":   {"$connect", AuthorizerArgs{Function: &GoFunction{timeout: time.Minute}}, "Routes[0].Authorizer.Function.Timeout is 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := previewAPI("dev", func(hello, _ *GoFunction) *WebSocketAPIArgs {
				return &WebSocketAPIArgs{Routes: []RouteArgs{{Key: test.key, Function: hello, Authorizer: &test.args}}}
			})
			expectError(t, err, test.want)
		})
	}
}
