package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/gobwas/ws"

	"example.com/chatstack/local/gateway"
)

// neverWas is a well-formed id.
const neverWas = "R1kmxc2VNjMCFIA="

// sdk is AWS's own client.
func (r *rig) sdk(stage string) *management.Client {
	return management.New(management.Options{
		BaseEndpoint:     aws.String(r.server.URL + "/" + stage),
		Region:           "eu-central-1",
		Credentials:      credentials.NewStaticCredentialsProvider("AKID", "SECRET", "TOKEN"),
		HTTPClient:       r.server.Client(),
		RetryMaxAttempts: 1,
	})
}

func (r *rig) post(ctx context.Context, id, text string) error {
	_, err := r.sdk("prod").PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: &id, Data: []byte(text)})
	return err
}

// failure reads an SDK's error as its status and code.
func failure(err error) string {
	if err == nil {
		return "none"
	}
	var response interface{ HTTPStatusCode() int }
	var api smithy.APIError
	if !errors.As(err, &response) || !errors.As(err, &api) {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", response.HTTPStatusCode(), api.ErrorCode())
}

func TestPostSendsATextFrame(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	conn := r.dial()
	id := r.onlyID()
	for _, text := range []string{"hello", "", "ünï", strings.Repeat("x", 128<<10)} {
		if err := r.post(t.Context(), id, text); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, conn); got != text {
			t.Errorf("got %.40q of %d bytes, want %d", got, len(got), len(text))
		}
	}
}

func TestPostsOfOneSenderArriveInOrder(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	conn := r.dial()
	id := r.onlyID()
	for i := range 50 {
		if err := r.post(t.Context(), id, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		if got := receive(t, conn); got != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", got, i)
		}
	}
}

func TestPostAbove32KBIsSentInFragments(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	client := r.raw("/prod", nil)
	if err := r.post(t.Context(), r.onlyID(), strings.Repeat("x", 64<<10+1)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []ws.Header{
		{OpCode: ws.OpText, Length: 32 << 10},
		{OpCode: ws.OpContinuation, Length: 32 << 10},
		{OpCode: ws.OpContinuation, Length: 1, Fin: true},
	} {
		if got := client.readFrame().Header; got != want {
			t.Errorf("frame %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestGetTellsOfTheConnectionInISOTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(1736441024, 5e6)))
		r := startInMemory(t, declare(functions{}), gateway.Options{})
		conn := r.dial()
		time.Sleep(90 * time.Second)
		send(t, conn, "x")
		synctest.Wait()
		request := httptest.NewRequest(http.MethodGet, "/prod/@connections/"+r.Connections(r.api.ID)[0].ID, nil)
		got := r.do(request).Body.String()
		want := `{"connectedAt":"2025-01-09T16:43:44.005Z","identity":{"sourceIp":"127.0.0.1","userAgent":"Go-http-client/1.1"},` +
			`"lastActiveAt":"2025-01-09T16:45:14.005Z"}`
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestGetIsWhatTheSDKUnderstands(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	r.raw("/prod", map[string]string{"User-Agent": "tests/1"})
	info := r.Connections(r.apiID)[0]
	got, err := r.sdk("prod").GetConnection(t.Context(), &management.GetConnectionInput{ConnectionId: &info.ID})
	if err != nil {
		t.Fatal(err)
	}
	if !got.ConnectedAt.Equal(info.ConnectedAt.Truncate(time.Millisecond)) || !got.LastActiveAt.Equal(info.LastActiveAt.Truncate(time.Millisecond)) ||
		*got.Identity.SourceIp != "127.0.0.1" || *got.Identity.UserAgent != "tests/1" {
		t.Errorf("the SDK got %+v, %+v", got, got.Identity)
	}
}

func TestDeleteClosesTheConnectionAndRunsDisconnect(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(ok)
	r := run(t, functions{"$disconnect": disconnect})
	conn := r.dial()
	id := r.onlyID()
	if err := r.post(t.Context(), id, "last words"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.sdk("prod").DeleteConnection(t.Context(), &management.DeleteConnectionInput{ConnectionId: &id}); err != nil {
		t.Fatal(err)
	}
	if got := failure(r.post(t.Context(), id, "x")); got != "410 GoneException" {
		t.Errorf("a post after the delete: %s", got)
	}
	if got := receive(t, conn); got != "last words" {
		t.Errorf("got %q", got)
	}
	const want = "1000 Connection Closed Normally"
	if got := closedWith(t, conn); got != want {
		t.Errorf("the client sees %q", got)
	}
	if got := next(t, disconnected).closed(); got != want {
		t.Errorf("$disconnect sees %q", got)
	}
}

func TestGoneIsWhatTheSDKKnowsAsGoneException(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	ctx, id := t.Context(), aws.String(neverWas)
	_, get := r.sdk("prod").GetConnection(ctx, &management.GetConnectionInput{ConnectionId: id})
	_, remove := r.sdk("prod").DeleteConnection(ctx, &management.DeleteConnectionInput{ConnectionId: id})
	for name, err := range map[string]error{"POST": r.post(ctx, neverWas, "x"), "GET": get, "DELETE": remove} {
		var gone *types.GoneException
		if !errors.As(err, &gone) || failure(err) != "410 GoneException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	response, body := r.call(http.MethodPost, "/prod/@connections/"+neverWas, "x")
	if got := response.Header.Get("x-amzn-ErrorType"); got != "GoneException" || body != "" {
		t.Errorf("x-amzn-ErrorType %q, body %q", got, body)
	}
}

func TestConnectionIsGoneWhileConnectRuns(t *testing.T) {
	t.Parallel()
	ids, goOn := make(chan string, 1), make(chan struct{})
	fns := functions{"$connect": func(_ context.Context, payload []byte) (string, string, error) {
		var e event
		_ = json.Unmarshal(payload, &e)
		ids <- e.RequestContext.ConnectionID
		<-goOn
		return `{"statusCode":200}`, "", nil
	}}
	r := run(t, fns)
	client := r.request("/prod", nil)
	id := next(t, ids)
	if got := failure(r.post(t.Context(), id, "welcome")); got != "410 GoneException" {
		t.Errorf("got %s", got)
	}
	close(goOn)
	client.readResponse()
	if err := r.post(t.Context(), id, "welcome"); err != nil {
		t.Errorf("as soon as the client sees 101: %v", err)
	}
}

func TestConnectionIsGoneWhileTheAuthorizerRuns(t *testing.T) {
	t.Parallel()
	authorizer, events := recorded(ok)
	goOn := make(chan struct{})
	fns := functions{"authorizer": func(ctx context.Context, payload []byte) (string, string, error) {
		_, _, _ = authorizer(ctx, payload)
		<-goOn
		return policy("Allow", "*", "*", "{}"), "", nil
	}}
	r := start(t, guarded(fns), gateway.Options{Invoker: fns})
	client := r.request("/prod", nil)
	id := next(t, events).RequestContext.ConnectionID
	if got := failure(r.post(t.Context(), id, "welcome")); got != "410 GoneException" {
		t.Errorf("got %s", got)
	}
	close(goOn)
	client.readResponse()
}

func TestConnectionOfAnotherStageIsGone(t *testing.T) {
	t.Parallel()
	api := declare(functions{})
	api.Stages["beta"] = gateway.Stage{}
	r := start(t, api, gateway.Options{})
	r.dial()
	id := r.onlyID()
	_, err := r.sdk("beta").PostToConnection(t.Context(), &management.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
	if got := failure(err); got != "410 GoneException" {
		t.Errorf("another stage: %s", got)
	}
	_, err = r.sdk("nowhere").PostToConnection(t.Context(), &management.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
	if got := failure(err); got != "403 ForbiddenException" {
		t.Errorf("unknown stage: %s", got)
	}
}

func TestPostsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	r.dial()
	id := r.onlyID()
	tests := map[string]struct{ id, text, want string }{
		"malformed id":   {"no-such-id", "x", "400 BadRequestException"},
		"id without =":   {strings.TrimSuffix(neverWas, "="), "x", "400 BadRequestException"},
		"id of 12 bytes": {"AAAAAAAAAAAAAAAA", "x", "400 BadRequestException"},
		"128 KB + 1":     {id, strings.Repeat("x", 128<<10+1), "413 PayloadTooLargeException"},
		"not UTF-8":      {id, "\xff", "400 BadRequestException"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := failure(r.post(t.Context(), test.id, test.text)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// call makes a request that nobody has signed.
func (r *rig) call(method, path, body string) (*http.Response, string) {
	r.t.Helper()
	request, err := http.NewRequest(method, r.server.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.server.Client().Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(all)
}

func TestEveryEncodingOfAConnectionIDIsAccepted(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	conn := r.dial()
	id := r.onlyID()
	var all strings.Builder
	for _, b := range []byte(id) {
		fmt.Fprintf(&all, "%%%02X", b)
	}
	for _, path := range []string{
		"/prod/@connections/" + id,
		"/prod/@connections/" + strings.ReplaceAll(id, "=", "%3D"),
		"/prod/%40connections/" + strings.ReplaceAll(id, "=", "%3d"),
		"/prod/%40connections/" + all.String(),
	} {
		if response, _ := r.call(http.MethodPost, path, path); response.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, response.StatusCode)
			continue
		}
		if got := receive(t, conn); got != path {
			t.Errorf("got %q, want %q", got, path)
		}
	}
}

func TestManagementStatusCodes(t *testing.T) {
	t.Parallel()
	r := run(t, functions{})
	r.dial()
	path := "/prod/@connections/" + r.onlyID()
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{http.MethodPost, path, 200, ""},
		{http.MethodGet, path, 200, ""},
		{http.MethodPut, path, 403, "ForbiddenException"},
		{http.MethodPost, "/prod/@connections", 403, "ForbiddenException"},
		{http.MethodPost, "/prod/@connections/", 403, "ForbiddenException"},
		{http.MethodPost, path + "/more", 403, "ForbiddenException"},
		{http.MethodDelete, path, 204, ""},
		{http.MethodDelete, path, 410, "GoneException"},
	} {
		response, body := r.call(test.method, test.path, "")
		if got := response.Header.Get("x-amzn-ErrorType"); response.StatusCode != test.status || got != test.code {
			t.Errorf("%s %s: %d %s %s, want %d %s", test.method, test.path, response.StatusCode, got, body, test.status, test.code)
		}
		if test.method == http.MethodPost && test.status == 200 && body != "" {
			t.Errorf("a post was answered by %q", body)
		}
	}
}
