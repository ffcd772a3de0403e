package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

func TestPostFaultIsAnsweredAsAWSWouldAndSendsNothing(t *testing.T) {
	t.Parallel()
	var status int
	var asked string
	r := start(t, declare(functions{}), gateway.Options{PostFault: func(_ context.Context, id string) int {
		asked = id
		return status
	}})
	conn := r.dial()
	id := r.onlyID()
	for _, test := range []struct {
		status int
		want   string
	}{
		{410, "410 GoneException"},
		{429, "429 LimitExceededException"},
		{500, "500 InternalServerErrorException"},
		{418, "500 InternalServerErrorException"},
		{0, "none"},
	} {
		status, asked = test.status, ""
		if got := failure(r.post(t.Context(), id, "only the last")); got != test.want {
			t.Errorf("fault %d: %s, want %s", test.status, got, test.want)
		}
		if asked != id {
			t.Errorf("asked for %q, want %s", asked, id)
		}
	}
	if got := receive(t, conn); got != "only the last" {
		t.Errorf("got %q", got)
	}
	if infos := r.Connections(r.apiID); len(infos) != 1 {
		t.Errorf("%d connections after faults", len(infos))
	}
}

func TestPostFaultIsNotAskedForWhatIsRefusedAnyway(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	r := start(t, declare(functions{}), gateway.Options{
		PostFault: func(context.Context, string) int {
			t.Error("asked")
			return 0
		},
		Authorize: func(*http.Request, string) error { return refusal },
	})
	r.dial()
	path := "/prod/@connections/" + r.onlyID()
	r.call("POST", path, "x")
	refusal = nil
	r.call("POST", "/prod/@connections/malformed", "x")
	r.call("POST", path, "\xff")
	r.call("GET", path, "")
	r.call("DELETE", path, "")
}

func TestLostDisconnectNeverHappens(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect}
	var lost string
	r := start(t, declare(fns), gateway.Options{Invoker: fns, LoseDisconnect: func(id string) bool { return id == lost }})
	conn := r.dial()
	lost = r.onlyID()
	_ = conn.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the connection is gone", func() bool { return len(r.Connections(r.apiID)) == 0 })
	other := r.dial()
	kept := r.onlyID()
	_ = other.Close(websocket.StatusNormalClosure, "")
	r.Delete(r.apiID) // waits for all that runs
	if got := next(t, disconnected).RequestContext.ConnectionID; got != kept || len(disconnected) != 0 {
		t.Errorf("$disconnect of %s and of %d others, want that of %s only", got, len(disconnected), kept)
	}
}

// sources are an Invoker that answers every function, and records in whose name
// each is called.
type sources chan string

func (s sources) Invoke(_ context.Context, arn, sourceARN string, _ []byte) ([]byte, string, error) {
	s <- arn + " by " + sourceARN
	return []byte(`{"statusCode":200}`), "", nil
}

func TestFunctionsAreInvokedInTheNameOfStageAndRoute(t *testing.T) {
	t.Parallel()
	invoked := make(sources, 10)
	r := start(t, declare(functions{"$connect": nil, "$default": nil, "$disconnect": nil, "join": nil}), gateway.Options{Invoker: invoked})
	conn := r.dial()
	send(t, conn, `{"action":"join"}`)
	const api = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5"
	wantNext := func(want string) {
		t.Helper()
		if got := next(t, invoked); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	wantNext("$connect by " + api + "/prod/$connect")
	wantNext("join by " + api + "/prod/join")
	send(t, conn, `x`)
	wantNext("$default by " + api + "/prod/$default")
	_ = conn.Close(websocket.StatusNormalClosure, "")
	wantNext("$disconnect by " + api + "/prod/$disconnect")
}
