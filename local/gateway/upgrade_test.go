package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/chatstack/local/gateway"
)

func TestUpgradeSwitchesOnlyAfterConnectHasAnswered(t *testing.T) {
	t.Parallel()
	running, goOn := make(chan struct{}), make(chan struct{})
	r := run(t, functions{"$connect": func(context.Context, []byte) (string, string, error) {
		close(running)
		<-goOn
		return `{"statusCode":200}`, "", nil
	}})
	client := r.request("/prod", nil)
	next(t, running)
	_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := client.reader.ReadByte(); err == nil {
		t.Fatalf("got %q while $connect was running", b)
	}
	if open := r.Connections(r.apiID); len(open) != 0 {
		t.Errorf("a connection is open while $connect is running: %v", open)
	}
	close(goOn)
	_ = client.SetReadDeadline(time.Now().Add(patience))
	client.readResponse()
	if got := client.response.StatusCode; got != 101 {
		t.Errorf("status %d", got)
	}
}

func TestUpgradeStatusIsThatOfConnect(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		connect function
		want    int
	}{
		"200":                     {returns(`{"statusCode":200}`), 101},
		"201":                     {returns(`{"statusCode":201}`), 101},
		"as text":                 {returns(`{"statusCode":"204"}`), 101},
		"301":                     {returns(`{"statusCode":301}`), 301},
		"400":                     {returns(`{"statusCode":400}`), 400},
		"401":                     {returns(`{"statusCode":401,"body":"who are you?"}`), 401},
		"403":                     {returns(`{"statusCode":403}`), 403},
		"429":                     {returns(`{"statusCode":429}`), 429},
		"501":                     {returns(`{"statusCode":501}`), 501},
		"function error is 502":   {crashes, 502},
		"null is 502":             {returns(`null`), 502},
		"nothing is 502":          {returns(``), 502},
		"text is 502":             {returns(`"200"`), 502},
		"no statusCode is 502":    {returns(`{"body":"hi"}`), 502},
		"StatusCode is 502":       {returns(`{"StatusCode":200}`), 502},
		"statusCode 42 is 502":    {returns(`{"statusCode":42}`), 502},
		"statusCode 101 is 502":   {returns(`{"statusCode":101}`), 502},
		"body of objects is 502":  {returns(`{"statusCode":200,"body":{}}`), 502},
		"list of headers is 502":  {returns(`{"statusCode":200,"headers":[]}`), 502},
		"forged header is 502":    {returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nX: y"}}`), 502},
		"failing service is 500":  {func(context.Context, []byte) (string, string, error) { return "", "", errors.New("throttled") }, 500},
		"integration timeout 504": {hangs, 504},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disconnect, disconnected := recorded(ok)
			fns := functions{"$connect": test.connect, "$disconnect": disconnect}
			api := declare(fns)
			if test.want == 504 {
				api = hurry("$connect", api)
			}
			r := start(t, api, gateway.Options{Invoker: fns, Limits: impatient})
			client := r.raw("/prod", nil)
			if got := client.response.StatusCode; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			_ = client.Close()
			r.Delete(r.apiID)
			want := 0
			if test.want == 101 {
				want = 1
			}
			if got := len(disconnected); got != want {
				t.Errorf("$disconnect ran %d times, want %d", got, want)
			}
		})
	}
}

func TestUpgradeWithoutConnectRouteIsAccepted(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	for _, path := range []string{"/prod", "/prod/", "/prod?token=x"} {
		if got := r.raw(path, nil).response.StatusCode; got != 101 {
			t.Errorf("%s: status %d", path, got)
		}
	}
}

func TestUpgradeRefusesWhatIsNoHandshake(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	tests := map[string]struct {
		path    string
		headers map[string]string
		want    int
	}{
		"plain GET is 426":      {"/prod", map[string]string{"Upgrade": "", "Connection": ""}, 426},
		"no Connection is 426":  {"/prod", map[string]string{"Connection": "keep-alive"}, 426},
		"old version is 426":    {"/prod", map[string]string{"Sec-WebSocket-Version": "8"}, 426},
		"no key is 400":         {"/prod", map[string]string{"Sec-WebSocket-Key": ""}, 400},
		"short key is 400":      {"/prod", map[string]string{"Sec-WebSocket-Key": "c2hvcnQ="}, 400},
		"unknown stage is 403":  {"/staging", nil, 403},
		"no stage is 403":       {"/", nil, 403},
		"path below is 403":     {"/prod/more", nil, 403},
		"odd case is accepted":  {"/prod", map[string]string{"Upgrade": "WebSocket", "Connection": "keep-alive, UPGRADE"}, 101},
		"origin is not checked": {"/prod", map[string]string{"Origin": "https://evil.example"}, 101},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.raw(test.path, test.headers).response.StatusCode; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
		})
	}
}

func TestURLMayHave4096Characters(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	for length, want := range map[int]int{4096: 101, 4097: 414} {
		path := "/prod?x="
		path += strings.Repeat("x", length-len("wss://"+r.server.Listener.Addr().String()+path))
		if got := r.raw(path, nil).response.StatusCode; got != want {
			t.Errorf("%d characters: status %d, want %d", length, got, want)
		}
	}
}

func TestRefusedUpgradeHasTheBodyOfAServiceFrame(t *testing.T) {
	t.Parallel()
	r := run(t, functions{"$connect": crashes})
	body, _ := io.ReadAll(r.raw("/prod", nil).response.Body)
	want := regexp.MustCompile(`^\{"message": "Internal server error", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}$`)
	if !want.Match(body) {
		t.Errorf("got %s", body)
	}
}

func TestServerThatCannotHandOverItsConnectionsIsAnError(t *testing.T) {
	t.Parallel()
	g := gateway.New(gateway.Options{})
	defer g.Close(t.Context())
	api := declare(functions{})
	if err := g.Put(api); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/prod", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	g.Handler(api.ID).ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || len(g.Connections(api.ID)) != 0 {
		t.Errorf("status %d, connections %v", w.Code, g.Connections(api.ID))
	}
}

func TestReservedPathsAnswerHealthChecks(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	for _, path := range []string{"/ping", "/sping"} {
		response, err := r.server.Client().Get(r.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, response.StatusCode)
		}
	}
}

func TestSubprotocolIsOnlyTheFunctionsOwn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ response, want string }{
		"none returned":  {`{"statusCode":200}`, ""},
		"other headers":  {`{"statusCode":200,"headers":{"X-Other":1}}`, ""},
		"returned":       {`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.v2"}}`, "chat.v2"},
		"in lower case":  {`{"statusCode":200,"headers":{"sec-websocket-protocol":"chat.v1"}}`, "chat.v1"},
		"as multi value": {`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["chat.v1"]}}`, "chat.v1"},
		"never offered":  {`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"other"}}`, "other"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connect, events := recorded(returns(test.response))
			r := run(t, functions{"$connect": connect})
			client := r.raw("/prod", map[string]string{"Sec-WebSocket-Protocol": "chat.v1, chat.v2"})
			if got := client.response.Header.Get("Sec-WebSocket-Protocol"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := client.response.Header.Get("X-Other"); got != "" {
				t.Errorf("another header of the function came through: %q", got)
			}
			if got := next(t, events).Headers["Sec-WebSocket-Protocol"]; got != "chat.v1, chat.v2" {
				t.Errorf("the event has %q", got)
			}
		})
	}
}

func TestCompressionIsNotNegotiated(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	conn, response, err := websocket.Dial(t.Context(), r.server.URL+"/prod",
		&websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if got := response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("negotiated %q", got)
	}
}

func TestClientThatVanishesDuringConnectIsDisconnected(t *testing.T) {
	t.Parallel()
	running, goOn := make(chan struct{}), make(chan struct{})
	disconnect, disconnected := recorded(ok)
	fns := functions{
		"$connect": func(context.Context, []byte) (string, string, error) {
			close(running)
			<-goOn
			return `{"statusCode":200}`, "", nil
		},
		"$disconnect": disconnect,
	}
	g := gateway.New(gateway.Options{Invoker: fns})
	api := declare(fns)
	if err := g.Put(api); err != nil {
		t.Fatal(err)
	}
	// The server's own context of the request tells when it has noticed.
	noticed := make(chan struct{})
	handler := g.Handler(api.ID)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stop := context.AfterFunc(r.Context(), func() { close(noticed) })
		defer stop()
		handler.ServeHTTP(w, r)
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, upgrade)
	next(t, running)
	_ = conn.Close()
	next(t, noticed)
	close(goOn)
	g.Delete(api.ID) // waits for all that runs
	if n := len(disconnected); n != 1 {
		t.Errorf("$disconnect ran %d times, want once", n)
	}
}
