package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/chatstack/local/gateway"
)

func TestPutRefusesWhatAWSRefusesAndWhatIsNotRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*gateway.API)
		want   string
	}{
		"no id":                {func(a *gateway.API) { a.ID = "" }, "no id"},
		"no expression":        {func(a *gateway.API) { a.RouteSelectionExpression = "" }, "route selection expression"},
		"other expression":     {func(a *gateway.API) { a.RouteSelectionExpression = "$context.x" }, `"$context.x"`},
		"stage name":           {func(a *gateway.API) { a.Stages["a b"] = gateway.Stage{} }, `stage "a b"`},
		"reserved stage":       {func(a *gateway.API) { a.Stages["ping"] = gateway.Stage{} }, "/ping is reserved"},
		"MOCK":                 {integration(func(i *gateway.Integration) { i.Type = "MOCK" }), `type "MOCK" is not run locally`},
		"HTTP_PROXY":           {integration(func(i *gateway.Integration) { i.Type = "HTTP_PROXY" }), `type "HTTP_PROXY" is not run locally`},
		"no function":          {integration(func(i *gateway.Integration) { i.FunctionARN = "" }), "no function"},
		"timeout below":        {integration(func(i *gateway.Integration) { i.Timeout = 49 * time.Millisecond }), "not within 50ms and 29s"},
		"timeout above":        {integration(func(i *gateway.Integration) { i.Timeout = 30 * time.Second }), "not within 50ms and 29s"},
		"too many routes":      {func(a *gateway.API) { a.Routes = many(301) }, "301 routes"},
		"no key":               {route(func(r *gateway.Route) { r.Key = "" }), "needs a key"},
		"key of a dollar":      {route(func(r *gateway.Route) { r.Key = "$mine" }), `route "$mine"`},
		"no target":            {route(func(r *gateway.Route) { r.Target = "" }), `target "" is no integration`},
		"response expression":  {route(func(r *gateway.Route) { r.RouteResponseSelectionExpression = "$x" }), "only $default is allowed"},
		"two routes of a key":  {func(a *gateway.API) { a.Routes = append(a.Routes, a.Routes[0]) }, "declared twice"},
		"too many stages":      {stages(11), "11 stages"},
		"too many authorizers": {authorizers(11), "11 authorizers"},
		"authorizer of no one": {authorizer(gateway.Authorizer{}), "no function"},
		"unknown authorizer":   {route(func(r *gateway.Route) { r.Key, r.AuthorizerID = "$connect", "nobody" }), `authorizer "nobody" is none`},
		"authorizer elsewhere": {route(func(r *gateway.Route) { r.AuthorizerID = "a" }), "only $connect may have an authorizer"},
		"REST identity source": {source("method.request.header.Auth"), `"method.request.header.Auth" is not run locally`},
		"HTTP identity source": {source("$request.header.Auth"), `"$request.header.Auth" is not run locally`},
		"body identity source": {source("route.request.body.token"), `"route.request.body.token" is not run locally`},
		"two identity sources": {source("route.request.header.A, route.request.header.B"), "no name of a header"},
		"no identity source":   {source("route.request.header."), "is not run locally"},
		"unknown context":      {source("context.authorizer.x"), "no authorizer.x in its context"},
		"negative throttle":    {settings("join", -1, -1), "cannot be negative"},
		"rate without burst":   {settings("join", 1, 0), "both a rate and a burst"},
		"settings of no route": {settings("leave", 1, 1), `settings of a route "leave"`},
		"two mistakes at once": {func(a *gateway.API) { a.ID, a.RouteSelectionExpression = "", "$x" }, `"$x"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, functions{"join": ok})
			api := declare(functions{"join": ok})
			test.change(&api)
			err := r.Put(api)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not say %q", err, test.want)
			}
			r.dial() // the API goes on as it was
		})
	}
}

func integration(change func(*gateway.Integration)) func(*gateway.API) {
	return func(a *gateway.API) {
		for id, i := range a.Integrations {
			change(&i)
			a.Integrations[id] = i
		}
	}
}

func route(change func(*gateway.Route)) func(*gateway.API) {
	return func(a *gateway.API) { change(&a.Routes[0]) }
}

func settings(key string, rate float64, burst int) func(*gateway.API) {
	return func(a *gateway.API) {
		a.Stages["prod"] = gateway.Stage{RouteSettings: map[string]gateway.RouteSettings{
			key: {ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst},
		}}
	}
}

func stages(n int) func(*gateway.API) {
	return func(a *gateway.API) {
		a.Stages = make(map[string]gateway.Stage)
		for i := range n {
			a.Stages[fmt.Sprint(i)] = gateway.Stage{}
		}
	}
}

func authorizers(n int) func(*gateway.API) {
	return func(a *gateway.API) {
		a.Authorizers = make(map[string]gateway.Authorizer)
		for i := range n {
			a.Authorizers[fmt.Sprint(i)] = gateway.Authorizer{FunctionARN: "f"}
		}
	}
}

func authorizer(declared gateway.Authorizer) func(*gateway.API) {
	return func(a *gateway.API) { a.Authorizers = map[string]gateway.Authorizer{"a": declared} }
}

func source(text string) func(*gateway.API) {
	return authorizer(gateway.Authorizer{FunctionARN: "f", IdentitySources: []string{text}})
}

func many(n int) []gateway.Route {
	var routes []gateway.Route
	for i := range n {
		routes = append(routes, gateway.Route{Key: fmt.Sprint(i), Target: "to join"})
	}
	return routes
}

func TestPutSwapsRoutesUnderOpenConnections(t *testing.T) {
	t.Parallel()
	fns := functions{"join": returns(`{"statusCode":200,"body":"joined"}`), "$default": returns(`{"statusCode":200,"body":"what?"}`)}
	r := start(t, declare(functions{}), gateway.Options{Invoker: fns})
	conn := r.dial()
	send(t, conn, `{"action":"join"}`)
	wantServiceFrame(t, r, "Forbidden", receive(t, conn))

	api := twoWay(declare(fns))
	api.RouteSelectionExpression = "$request.body.do"
	if err := r.Put(api); err != nil {
		t.Fatal(err)
	}
	// What the caller does with its API afterwards changes nothing.
	api.Routes[0].Key = "changed"
	clear(api.Integrations)
	clear(api.Stages)
	for message, want := range map[string]string{`{"do":"join"}`: "joined", `{"action":"join"}`: "what?"} {
		send(t, conn, message)
		if got := receive(t, conn); got != want {
			t.Errorf("%s: got %q, want %q", message, got, want)
		}
	}
}

func TestPutChangesStageVariablesOfOpenConnections(t *testing.T) {
	t.Parallel()
	message, messages := recorded(ok)
	fns := functions{"$default": message}
	r := run(t, fns)
	conn := r.dial()
	api := declare(fns)
	api.Stages["prod"] = gateway.Stage{Variables: map[string]string{"color": "red"}}
	if err := r.Put(api); err != nil {
		t.Fatal(err)
	}
	api.Stages["prod"].Variables["color"] = "changed by the caller"
	send(t, conn, "x")
	if got := next(t, messages).StageVariables["color"]; got != "red" {
		t.Errorf("color %q", got)
	}
}

func TestPutWithoutAStageClosesItsConnections(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect}
	r := run(t, fns)
	conn := r.dial()
	api := declare(fns)
	api.Stages = map[string]gateway.Stage{"other": {}}
	if err := r.Put(api); err != nil {
		t.Fatal(err)
	}
	if got := closedWith(t, conn); got != "1001 Going away" {
		t.Errorf("the client sees %q", got)
	}
	if got := next(t, disconnected); got.closed() != "1001 Going away" || got.RequestContext.Stage != "prod" {
		t.Errorf("$disconnect sees %s", got.raw)
	}
}

func TestHandlerMayBeTakenBeforeTheAPIIsPut(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	r.Delete(r.apiID)
	if got := r.raw("/prod", nil).response.StatusCode; got != 403 {
		t.Errorf("no API: status %d", got)
	}
	if err := r.Put(declare(functions{})); err != nil {
		t.Fatal(err)
	}
	r.dial()
}

// Everything at once, for the race detector.
func TestManyClientsWhileTheAPIIsReplaced(t *testing.T) {
	t.Parallel()
	connect, connected := recorded(ok)
	disconnect, disconnected := recorded(ok)
	fns := functions{"$connect": connect, "$disconnect": disconnect, "echo": returns(`{"statusCode":200,"body":"echo"}`)}
	r := start(t, twoWay(declare(fns)), gateway.Options{Invoker: fns})
	const clients, messages = 20, 20
	var all sync.WaitGroup
	for range clients {
		conn := r.dial()
		all.Go(func() {
			for range messages {
				send(t, conn, `{"action":"echo"}`)
				if got := receive(t, conn); got != "echo" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	for range 50 {
		if err := r.Put(twoWay(declare(fns))); err != nil {
			t.Fatal(err)
		}
		for _, info := range r.Connections(r.apiID) {
			if info.Stage != "prod" {
				t.Errorf("stage %q", info.Stage)
			}
		}
	}
	all.Wait()
	r.Delete(r.apiID)
	if len(connected) != clients || len(disconnected) != clients {
		t.Errorf("%d $connect and %d $disconnect for %d clients", len(connected), len(disconnected), clients)
	}
}
