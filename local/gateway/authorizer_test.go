package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/gateway"
)

const (
	apiARN    = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5"
	methodARN = apiARN + "/prod/$connect"
)

// guarded makes an API whose $connect has an authorizer, run by the function
// "authorizer".
func guarded(fns functions, sources ...string) gateway.API {
	routes := make(functions)
	for key, fn := range fns {
		if key != "authorizer" {
			routes[key] = fn
		}
	}
	if routes["$connect"] == nil {
		routes["$connect"] = ok
		fns["$connect"] = ok
	}
	api := declare(routes)
	api.Authorizers = map[string]gateway.Authorizer{"auth1": {
		FunctionARN: "authorizer", IdentitySources: sources,
	}}
	for i, route := range api.Routes {
		if route.Key == "$connect" {
			api.Routes[i].AuthorizerID = "auth1"
		}
	}
	return api
}

// policy makes an authorizer's result.
func policy(effect, action, resource, context string) string {
	return fmt.Sprintf(`{"principalId":"user-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":%q,"Effect":%q,"Resource":%q}]},"context":%s}`,
		action, effect, resource, context)
}

func allow(context string) function {
	return returns(policy("Allow", "execute-api:Invoke", methodARN, context))
}

func TestAuthorizerTimeoutIs500(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fns := functions{"authorizer": hangs}
		r := startInMemory(t, guarded(fns), gateway.Options{Invoker: fns, Limits: impatient})
		begin := time.Now()
		client := r.raw()
		client.bytes([]byte(upgrade))
		client.readResponse()
		if got, after := client.response.StatusCode, time.Since(begin); got != 500 || after != 29*time.Second {
			t.Errorf("status %d after %v", got, after)
		}
	})
}

// upgrade is the least of a request to open a connection.
const upgrade = "GET /prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

func TestAuthorizerEventIsThatOfAWSToTheByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(1736441024, 0)))
		authorizer, events := recorded(allow(`{}`))
		fns := functions{"authorizer": authorizer}
		client := startInMemory(t, guarded(fns), gateway.Options{Invoker: fns, Random: counting{}}).raw()
		client.bytes([]byte("GET /prod?QueryString1=queryValue1 HTTP/1.1\r\nHost: api.example:8080\r\nConnection: keep-alive, Upgrade\r\n" +
			"Upgrade: WebSocket\r\nHeaderauth1: headerValue1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
		client.readResponse()
		golden, err := os.ReadFile("testdata/authorizer.json")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(indent(t, string(golden)), indent(t, string(next(t, events).raw))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAuthorizerIsInvokedInItsOwnName(t *testing.T) {
	t.Parallel()
	invoked := make(sources, 10)
	r := start(t, guarded(functions{}), gateway.Options{Invoker: invoked})
	r.raw("/prod", nil)
	if got, want := next(t, invoked), "authorizer by "+apiARN+"/authorizers/auth1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAuthorizerContextIsInEveryLaterEvent(t *testing.T) {
	t.Parallel()
	connect, connected := recorded(ok)
	message, messages := recorded(ok)
	disconnect, disconnected := recorded(ok)
	fns := functions{
		"authorizer": allow(`{"room":"<a>","count":1.50,"admin":true}`),
		"$connect":   connect, "$default": message, "$disconnect": disconnect,
	}
	r := start(t, guarded(fns), gateway.Options{Invoker: fns})
	client := r.raw("/prod", nil)
	client.frame(ws.OpText, true, "x")
	client.frame(ws.OpClose, true, "")
	want := map[string]any{"principalId": "user-1", "room": "<a>", "count": "1.50", "admin": "true"}
	for name, events := range map[string]<-chan event{"CONNECT": connected, "MESSAGE": messages, "DISCONNECT": disconnected} {
		var got struct {
			RequestContext struct{ Authorizer map[string]any }
		}
		decode(t, next(t, events).raw, &got)
		authorizer := got.RequestContext.Authorizer
		latency, told := authorizer["integrationLatency"].(float64)
		if told != (name == "CONNECT") || latency < 0 {
			t.Errorf("%s: integrationLatency %v", name, authorizer["integrationLatency"])
		}
		delete(authorizer, "integrationLatency")
		if diff := cmp.Diff(want, authorizer); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestIntegrationLatencyIsThatOfTheAuthorizer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect, connected := recorded(ok)
		fns := functions{"$connect": connect, "authorizer": func(context.Context, []byte) (string, string, error) {
			time.Sleep(412 * time.Millisecond)
			return policy("Allow", "*", "*", "{}"), "", nil
		}}
		startInMemory(t, guarded(fns), gateway.Options{Invoker: fns}).dial()
		raw := next(t, connected).raw
		if want := `"authorizer":{"integrationLatency":412,"principalId":"user-1"}`; !bytes.Contains(raw, []byte(want)) {
			t.Errorf("no %s in %s", want, raw)
		}
	})
}

func TestEventWithoutAuthorizerHasNone(t *testing.T) {
	t.Parallel()
	connect, connected := recorded(ok)
	r := run(t, functions{"$connect": connect})
	r.raw("/prod", nil)
	if raw := next(t, connected).raw; bytes.Contains(raw, []byte("authorizer")) {
		t.Errorf("got %s", raw)
	}
}

// Whatever becomes of a request, no log says what its credentials were.
func TestNoLogHoldsCredentials(t *testing.T) {
	t.Parallel()
	const token = "S3CR3T"
	result := policy("Deny", "*", "*", `{"token":"`+token+`"}`)
	for name, fns := range map[string]functions{
		"no identity source": {"authorizer": ok},
		"allowed":            {"authorizer": allow(`{"token":"` + token + `"}`)},
		"denied":             {"authorizer": returns(result)},
		"unauthorized":       {"authorizer": fails(`{"errorMessage":"Unauthorized"}`)},
		"crashed":            {"authorizer": fails(`{"errorMessage":"bad token ` + token + `"}`)},
		"malformed":          {"authorizer": returns(`{"principalId":["` + token + `"]}`)},
		"no JSON":            {"authorizer": returns(token)},
		"bad context":        {"authorizer": allow(`{"a":["` + token + `"]}`)},
		"bad version":        {"authorizer": returns(`{"principalId":"u","policyDocument":{"Version":"` + token + `"}}`)},
		"bad resource":       {"authorizer": returns(policy("Allow", "*", token, "{}"))},
		"bad subprotocol":    {"authorizer": allow("{}"), "$connect": returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":["` + token + `"]}}`)},
		"bad status":         {"authorizer": allow("{}"), "$connect": returns(`{"statusCode":"` + token + `"}`)},
		"bad body":           {"authorizer": allow("{}"), "$connect": returns(`{"statusCode":200,"body":["` + token + `"]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			var sources []string
			if name == "no identity source" {
				sources = []string{"route.request.header.Missing"}
			}
			r := start(t, guarded(fns, sources...), gateway.Options{
				Invoker: fns, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			client := r.raw("/prod?token="+token, map[string]string{"Authorization": "Bearer " + token, "Sec-WebSocket-Protocol": "bearer." + token})
			_ = client.Close()
			r.Delete(r.apiID) // waits for all that runs
			if client.response.StatusCode != 101 && !strings.Contains(log.String(), "status=") {
				t.Errorf("a refusal with %d is not logged: %s", client.response.StatusCode, log.String())
			}
			if strings.Contains(log.String(), token) {
				t.Errorf("the log has it: %s", log.String())
			}
		})
	}
}
