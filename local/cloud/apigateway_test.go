package cloud

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// dial opens a connection, and gives the status of a refusal.
func (r *rig) dial(url string, header http.Header) (conn *websocket.Conn, status int) {
	r.t.Helper()
	conn, response, err := websocket.Dial(r.t.Context(), url, &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		r.t.Cleanup(func() { conn.CloseNow() })
		return conn, http.StatusSwitchingProtocols
	}
	if response == nil {
		r.t.Fatal(err)
	}
	return nil, response.StatusCode
}

func TestAnAuthorizerDecidesWhoMayConnect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("guarded")
	guard := r.put(typeFunction, "guard", functionInputs("guard", "1"))
	authorizer := r.put(typeAuthorizer, "a", Properties{
		"apiId": s.api.ID, "name": "a", "authorizerType": "REQUEST", "authorizerUri": guard.Outputs["invokeArn"],
		"identitySources": []any{"route.request.header.Effect"},
	})
	r.put(typePermission, "connect", permissionInputs(s.function, s.stage.Outputs.text("executionArn")+"/$connect").with(Properties{"statementId": "connect"}))
	r.put(typeRoute, "connect", Properties{
		"apiId": s.api.ID, "routeKey": "$connect", "target": "integrations/" + s.integration.ID,
		"authorizationType": "CUSTOM", "authorizerId": authorizer.ID,
	})
	expect := func(when string, header http.Header, want int) {
		t.Helper()
		if _, got := r.dial(s.url(), header); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	allow, deny := http.Header{"Effect": {"Allow"}}, http.Header{"Effect": {"Deny"}}

	expect("without its identity", nil, http.StatusUnauthorized)
	expect("the authorizer may not be invoked", allow, http.StatusInternalServerError)
	r.put(typePermission, "guard", permissionInputs(guard, s.api.Outputs.text("executionArn")+"/authorizers/"+authorizer.ID))
	expect("denied", deny, http.StatusForbidden)
	expect("allowed", allow, http.StatusSwitchingProtocols)
	r.restart()
	expect("denied after a restart", deny, http.StatusForbidden)
	expect("allowed after a restart", allow, http.StatusSwitchingProtocols)

	t.Run("a route never goes without its authorizer", func(t *testing.T) {
		r.delete(authorizer)
		expect("the authorizer is gone", nil, http.StatusUnauthorized)
	})
}

func TestAStageIsThrottledAsDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.serve("throttled")
	r.update(s.stage, Properties{"routeSettings": []any{
		map[string]any{"routeKey": "$default", "throttlingRateLimit": 0.001, "throttlingBurstLimit": 1.0},
	}})
	const frame = `{"action":"say"}`
	if got := r.ask(s.url(), frame); got != "version 1" {
		t.Errorf("the first frame is answered %q", got)
	}
	if got := r.ask(s.url(), frame); !strings.Contains(got, `"message": "Too Many Requests"`) {
		t.Errorf("the second frame is answered %q", got)
	}
}

func TestAuthorizersThatWebSocketAPIsDoNotHaveAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	route := Properties{"apiId": "a", "routeKey": "$connect", "target": "integrations/i"}
	for name, test := range map[string]struct {
		typ  string
		in   Properties
		want string
	}{
		"of another type":  {typeAuthorizer, Properties{"apiId": "a", "authorizerType": "JWT"}, "WebSocket APIs know REQUEST only"},
		"of IAM":           {typeRoute, route.with(Properties{"authorizationType": "AWS_IAM"}), `authorizationType is "AWS_IAM"`},
		"that is missing":  {typeRoute, route.with(Properties{"authorizationType": "CUSTOM"}), "there is no authorizerId"},
		"of another route": {typeRoute, route.with(Properties{"routeKey": "$default", "authorizationType": "CUSTOM", "authorizerId": "a"}), "only $connect can have one"},
	} {
		problems, err := r.Check(test.typ, test.in)
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Reason, test.want) {
			t.Errorf("%s: %v, %v", name, problems, err)
		}
	}
}
