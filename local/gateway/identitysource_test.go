package gateway_test

import (
	"testing"

	"example.com/chatstack/local/gateway"
)

func TestMissingIdentitySourceIs401WithoutAskingTheAuthorizer(t *testing.T) {
	t.Parallel()
	both := []string{"route.request.header.Auth", "route.request.querystring.token"}
	tests := map[string]struct {
		sources []string
		path    string
		headers map[string]string
		want    int
	}{
		"all there":                {both, "/prod?token=x", map[string]string{"Auth": "y"}, 101},
		"header in another case":   {both, "/prod?token=x", map[string]string{"auth": "y"}, 101},
		"no header":                {both, "/prod?token=x", nil, 401},
		"no query":                 {both, "/prod", map[string]string{"Auth": "y"}, 401},
		"empty query":              {both, "/prod?token=", map[string]string{"Auth": "y"}, 401},
		"query in another case":    {both, "/prod?Token=x", map[string]string{"Auth": "y"}, 401},
		"none asked for":           {nil, "/prod", nil, 101},
		"a header of the protocol": {[]string{"route.request.header.Sec-WebSocket-Protocol"}, "/prod", map[string]string{"Sec-WebSocket-Protocol": "a"}, 101},
		"stage variable":           {[]string{"stageVariables.color"}, "/prod", nil, 101},
		"no stage variable":        {[]string{"stageVariables.other"}, "/prod", nil, 401},
		"context":                  {[]string{"context.identity.sourceIp", "context.connectedAt", "context.stage"}, "/prod", nil, 101},
		"no context":               {[]string{"context.identity.userAgent"}, "/prod", nil, 401},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authorizer, asked := recorded(allow("{}"))
			fns := functions{"authorizer": authorizer}
			api := guarded(fns, test.sources...)
			api.Stages["prod"] = gateway.Stage{Variables: map[string]string{"color": "blue"}}
			r := start(t, api, gateway.Options{Invoker: fns})
			if got := r.raw(test.path, test.headers).response.StatusCode; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			want := 0
			if test.want == 101 {
				want = 1
			}
			if got := len(asked); got != want {
				t.Errorf("the authorizer was asked %d times, want %d", got, want)
			}
		})
	}
}
