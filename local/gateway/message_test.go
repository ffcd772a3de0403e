package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/chatstack/local/gateway"
)

// serviceFrame is the form of a frame of the service itself, to the byte.
func serviceFrame(message string) *regexp.Regexp {
	return regexp.MustCompile(`^\{"message": "` + message + `", "connectionId":"([\w-]{15}=)", "requestId":"([\w-]{15}=)"\}$`)
}

// wantServiceFrame checks such a frame and returns its request id.
func wantServiceFrame(t *testing.T, r *rig, message, got string) (requestID string) {
	t.Helper()
	match := serviceFrame(message).FindStringSubmatch(got)
	if match == nil || match[1] != r.onlyID() {
		t.Fatalf("got %s, want %s", got, serviceFrame(message))
	}
	return match[2]
}

func TestForbiddenFrameIsByteExact(t *testing.T) {
	t.Parallel()
	r := run(t, functions{"known": ok, "$connect": ok, "$disconnect": ok})
	conn := r.dial()
	for name, message := range map[string]string{
		"unknown action": `{"action":"unknown"}`, "no action": `{}`, "no JSON": `hello`, "no text": ``,
	} {
		send(t, conn, message)
		t.Log(name)
		wantServiceFrame(t, r, "Forbidden", receive(t, conn))
	}
}

func TestClientCannotSelectConnectOrDisconnect(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"$connect", "$disconnect"} {
		t.Run(action+" is forbidden", func(t *testing.T) {
			t.Parallel()
			connect, events := recorded(ok)
			r := run(t, functions{"$connect": connect, "$disconnect": connect})
			conn := r.dial()
			next(t, events)
			send(t, conn, `{"action":"`+action+`"}`)
			wantServiceFrame(t, r, "Forbidden", receive(t, conn))
			if len(events) != 0 {
				t.Errorf("a client ran %s", action)
			}
		})
		t.Run(action+" goes to $default", func(t *testing.T) {
			t.Parallel()
			fallback, events := recorded(ok)
			r := run(t, functions{"$connect": ok, "$disconnect": ok, "$default": fallback})
			send(t, r.dial(), `{"action":"`+action+`"}`)
			if got := next(t, events).RequestContext.RouteKey; got != "$default" {
				t.Errorf("route key %q", got)
			}
		})
	}
}

func TestRouteIsSelectedByTheWholeExpression(t *testing.T) {
	t.Parallel()
	const parts = `${request.body.service}/${request.body.action}`
	tests := map[string]struct{ expression, message, want string }{
		"several parts":          {parts, `{"service":"chat","action":"join"}`, "chat/join"},
		"a missing part":         {parts, `{"service":"chat"}`, "chat/"},
		"both missing":           {parts, `{}`, "/"},
		"no object":              {parts, `["chat","join"]`, "/"},
		"JSON that is text":      {parts, `"chat/join"`, "/"},
		"no JSON":                {parts, `chat/join`, "$default"},
		"text after the JSON":    {parts, `{"service":"chat","action":"join"}x`, "$default"},
		"nested":                 {`$request.body.meta.kind`, `{"meta":{"kind":"join"}}`, "join"},
		"nested in no object":    {`$request.body.meta.kind`, `{"meta":"join"}`, "$default"},
		"number":                 {`$request.body.a`, `{"a":1.50}`, "1.50"},
		"boolean":                {`$request.body.a`, `{"a":true}`, "true"},
		"null":                   {`v$request.body.a`, `{"a":null}`, "v"},
		"array":                  {`$request.body.a`, `{"a":["item1","item2"]}`, "[item1, item2]"},
		"object":                 {`$request.body.a`, `{"a":{"b":1}}`, `{"b":1}`},
		"case counts":            {`$request.body.a`, `{"a":"Join"}`, "$default"},
		"escaped":                {`\$default`, `{"action":"join"}`, "$default"},
		"parts make no $connect": {`$request.body.a$request.body.b`, `{"a":"$con","b":"nect"}`, "$default"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			selected, events := recorded(ok)
			fns := make(functions)
			for _, key := range []string{"chat/join", "chat/", "/", "join", "1.50", "true", "v", "[item1, item2]", `{"b":1}`, "$connect", "$default"} {
				fns[key] = selected
			}
			fns["$connect"] = ok
			api := declare(fns)
			api.RouteSelectionExpression = test.expression
			r := start(t, api, gateway.Options{Invoker: fns})
			send(t, r.dial(), test.message)
			if got := next(t, events).RequestContext.RouteKey; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestBodyOfConnectIsNeverSent(t *testing.T) {
	t.Parallel()
	fns := functions{"$connect": returns(`{"statusCode":200,"body":"welcome"}`)}
	r := start(t, twoWay(declare(fns)), gateway.Options{Invoker: fns})
	conn := r.dial()
	if err := r.post(t.Context(), r.onlyID(), "the first frame"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, conn); got != "the first frame" {
		t.Errorf("got %q", got)
	}
}

func TestRouteKeyIsTheSelectedOne(t *testing.T) {
	t.Parallel()
	join, joins := recorded(ok)
	fallback, fallbacks := recorded(ok)
	r := run(t, functions{"join": join, "$default": fallback})
	conn := r.dial()
	for _, test := range []struct {
		message string
		events  <-chan event
		want    string
	}{
		{`{"action":"join"}`, joins, "join"},
		{`{"action":"leave"}`, fallbacks, "$default"},
		{`{"action":"$default"}`, fallbacks, "$default"},
		{`not JSON`, fallbacks, "$default"},
	} {
		send(t, conn, test.message)
		got := next(t, test.events)
		if got.RequestContext.RouteKey != test.want || got.Body != test.message {
			t.Errorf("%s: route %q, body %q", test.message, got.RequestContext.RouteKey, got.Body)
		}
	}
}

func TestFailedMessageIsAnsweredByInternalServerError(t *testing.T) {
	t.Parallel()
	tests := map[string]function{
		"function error":         crashes,
		"service error":          func(context.Context, []byte) (string, string, error) { return "", "", errors.New("throttled") },
		"null":                   returns(`null`),
		"no statusCode":          returns(`{}`),
		"body that is no text":   returns(`{"statusCode":200,"body":{"a":1}}`),
		"response of 128 KB + 1": returns(`{"statusCode":200,"body":"` + strings.Repeat("x", 128<<10+1) + `"}`),
	}
	for name, fn := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failing, events := recorded(fn)
			fns := functions{"$default": failing}
			api := declare(fns)
			if strings.Contains(name, "128 KB") { // only two-way routes look at the body's size
				api = twoWay(api)
			}
			r := start(t, api, gateway.Options{Invoker: fns})
			conn := r.dial()
			for range 2 { // the connection stays open
				send(t, conn, "x")
				requestID := wantServiceFrame(t, r, "Internal server error", receive(t, conn))
				if want := next(t, events).RequestContext.RequestID; requestID != want {
					t.Errorf("request id %s, the event's is %s", requestID, want)
				}
			}
		})
	}
}

func TestIntegrationTimeoutIsAnsweredByEndpointRequestTimedOut(t *testing.T) {
	t.Parallel()
	goOn, finished := make(chan struct{}), make(chan error, 1)
	fns := functions{"$default": func(ctx context.Context, _ []byte) (string, string, error) {
		<-goOn
		finished <- ctx.Err()
		return `{"statusCode":200,"body":"too late"}`, "", nil
	}, "echo": returns(`{"statusCode":200,"body":"echo"}`)}
	r := start(t, hurry("$default", twoWay(declare(fns))), gateway.Options{Invoker: fns})
	conn := r.dial()
	send(t, conn, "x")
	wantServiceFrame(t, r, "Endpoint request timed out", receive(t, conn))

	// The function runs on, and what it returns goes nowhere.
	close(goOn)
	if err := next(t, finished); err != nil {
		t.Errorf("the function was cancelled: %v", err)
	}
	send(t, conn, `{"action":"echo"}`)
	if got := receive(t, conn); got != "echo" {
		t.Errorf("got %q", got)
	}
}

func TestOnlyTwoWayRoutesSendTheBody(t *testing.T) {
	t.Parallel()
	fns := functions{
		"silent":     returns(`{"statusCode":200,"body":"never seen"}`),
		"half":       returns(`{"statusCode":200,"body":"never seen"}`),
		"other half": returns(`{"statusCode":200,"body":"never seen"}`),
		"empty":      returns(`{"statusCode":200,"body":""}`),
		"bodiless":   returns(`{"statusCode":200}`),
		"status":     returns(`{"statusCode":501}`),
		"odd":        returns(`{"statusCode":0}`),
		"loud":       returns(`{"statusCode":200,"body":"seen <ü>"}`),
		"failed":     returns(`{"statusCode":500,"body":"seen too"}`),
	}
	api := twoWay(declare(fns))
	for i, route := range api.Routes {
		switch route.Key {
		case "silent":
			api.Routes[i].HasRouteResponse, api.Routes[i].RouteResponseSelectionExpression = false, ""
		case "half":
			api.Routes[i].HasRouteResponse = false
		case "other half":
			api.Routes[i].RouteResponseSelectionExpression = ""
		}
	}
	// One message at a time, so that the answers come in order.
	r := start(t, api, gateway.Options{Invoker: fns, Limits: gateway.Limits{InFlight: 1}})
	conn := r.dial()
	for _, action := range []string{"silent", "half", "other half", "empty", "bodiless", "status", "odd"} {
		send(t, conn, `{"action":"`+action+`"}`)
	}
	for action, want := range map[string]string{"loud": "seen <ü>", "failed": "seen too"} {
		send(t, conn, `{"action":"`+action+`"}`)
		if got := receive(t, conn); got != want {
			t.Errorf("%s: got %q, want %q", action, got, want)
		}
	}
}

func TestMessagesOfOneConnectionRunConcurrently(t *testing.T) {
	t.Parallel()
	const limit = 3
	var running, most atomic.Int32
	entered, goOn := make(chan struct{}, 100), make(chan struct{})
	fns := functions{"$default": func(context.Context, []byte) (string, string, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for {
			seen := most.Load()
			if now <= seen || most.CompareAndSwap(seen, now) {
				break
			}
		}
		entered <- struct{}{}
		<-goOn
		return `{"statusCode":200,"body":"done"}`, "", nil
	}}
	r := start(t, twoWay(declare(fns)), gateway.Options{Invoker: fns, Limits: gateway.Limits{InFlight: limit}})
	conn := r.dial()
	for i := range 2 * limit {
		send(t, conn, fmt.Sprint(i))
	}
	for range limit {
		next(t, entered) // none has returned yet
	}
	close(goOn)
	for range 2 * limit {
		receive(t, conn)
	}
	if got := most.Load(); got != limit {
		t.Errorf("%d messages ran at the same time, want %d", got, limit)
	}
}
