package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"example.com/chatstack/local/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// A function stands for a Lambda function.
type function func(ctx context.Context, event []byte) (out, functionError string, err error)

// functions are an Invoker; a function's ARN is the key of its route.
type functions map[string]function

func (f functions) Invoke(ctx context.Context, arn, _ string, payload []byte) ([]byte, string, error) {
	fn, ok := f[arn]
	if !ok {
		return nil, "", fmt.Errorf("no function %s", arn)
	}
	out, functionError, err := fn(ctx, payload)
	return []byte(out), functionError, err
}

// returns makes a function that returns out.
func returns(out string) function {
	return func(context.Context, []byte) (string, string, error) { return out, "", nil }
}

// ok is what most functions return.
var ok = returns(`{"statusCode":200}`)

// crashes is a function that fails.
func crashes(context.Context, []byte) (string, string, error) {
	return `{"errorMessage":"boom","errorType":"errorString"}`, "Unhandled", nil
}

// hangs runs until it is cancelled.
func hangs(ctx context.Context, _ []byte) (string, string, error) {
	<-ctx.Done()
	return "", "", ctx.Err()
}

// recorded makes a function that also sends its events into the channel.
func recorded(fn function) (function, <-chan event) {
	events := make(chan event, 1000)
	return func(ctx context.Context, payload []byte) (string, string, error) {
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			return "", "", err
		}
		e.raw = payload
		events <- e
		return fn(ctx, payload)
	}, events
}

// An event has what tests look at.
type event struct {
	raw            []byte
	Headers        map[string]string
	RequestContext struct {
		RouteKey             string
		MessageID            string
		RequestID            string
		ConnectionID         string
		DisconnectStatusCode int
		DisconnectReason     *string
		Stage                string
	}
	StageVariables map[string]string
	Body           string
}

// closed reads a $disconnect event as code and reason.
func (e event) closed() string {
	if e.RequestContext.DisconnectReason == nil {
		return "no reason"
	}
	return fmt.Sprintf("%d %s", e.RequestContext.DisconnectStatusCode, *e.RequestContext.DisconnectReason)
}

// next waits for something from a channel.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// declare makes an API named demo with a stage named prod and a one-way route
// for each function.
func declare(fns functions) gateway.API {
	api := gateway.API{
		ID: "a1b2c3d4e5", Name: "demo", Region: "eu-central-1", AccountID: "000000000000",
		RouteSelectionExpression: "$request.body.action",
		Stages:                   map[string]gateway.Stage{"prod": {}},
		Integrations:             make(map[string]gateway.Integration),
	}
	for key := range fns {
		api.Integrations["to "+key] = gateway.Integration{Type: "AWS_PROXY", FunctionARN: key}
		api.Routes = append(api.Routes, gateway.Route{Key: key, Target: "to " + key})
	}
	return api
}

// twoWay makes every route of an API two-way.
func twoWay(api gateway.API) gateway.API {
	for i := range api.Routes {
		api.Routes[i].HasRouteResponse = true
		api.Routes[i].RouteResponseSelectionExpression = "$default"
	}
	return api
}

// hurry sets the integration timeout of a route to the shortest.
func hurry(key string, api gateway.API) gateway.API {
	integration := api.Integrations["to "+key]
	integration.Timeout = 50 * time.Millisecond
	api.Integrations["to "+key] = integration
	return api
}

// A rig is a gateway with one API behind a server.
type rig struct {
	*gateway.Gateway
	t      testing.TB
	apiID  string
	server *httptest.Server
}

func start(t testing.TB, api gateway.API, options gateway.Options) *rig {
	t.Helper()
	g := gateway.New(options)
	if err := g.Put(api); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(g.Handler(api.ID))
	server.Listener = gateway.KeepSpelling(server.Config, server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { g.Close(context.Background()) })
	return &rig{Gateway: g, t: t, apiID: api.ID, server: server}
}

// run starts an API whose routes are the functions.
func run(t *testing.T, fns functions) *rig {
	t.Helper()
	return start(t, declare(fns), gateway.Options{Invoker: fns})
}

// impatient bounds tests with clients that never answer a close frame and
// functions that never return.
var impatient = gateway.Limits{CloseHandshake: 50 * time.Millisecond, Shutdown: 2 * time.Second}

// dial connects a client that is not of this project.
func (r *rig) dial() *websocket.Conn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, r.server.URL+"/prod", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	return conn
}

func send(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, data, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if kind != websocket.MessageText {
		t.Fatalf("got a %v message", kind)
	}
	return string(data)
}

// closedWith waits for the server's close frame, as code and reason.
func closedWith(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			var status websocket.CloseError
			if !errors.As(err, &status) {
				t.Fatalf("no close frame: %v", err)
			}
			return fmt.Sprintf("%d %s", status.Code, status.Reason)
		}
	}
}

// onlyID returns the id of the only open connection.
func (r *rig) onlyID() string {
	r.t.Helper()
	infos := r.Connections(r.apiID)
	if len(infos) != 1 {
		r.t.Fatalf("%d connections are open, not 1", len(infos))
	}
	return infos[0].ID
}

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
}
