package control

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "the-token"
	queue = "aws:sqs/queue:Queue"
	api   = "aws:apigatewayv2/api:Api"
	stage = "aws:apigatewayv2/stage:Stage"
)

var since = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// serve serves the control API of a cloud of its own.
func serve(t *testing.T) (*Server, Address) {
	t.Helper()
	running, err := cloud.Open(t.Context(), cloud.Options{
		Dir: t.TempDir(), Engine: dynamo.EngineOptions{Endpoint: dynamotest.Endpoint(t)}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	server := &Server{Cloud: running, Page: "http://page/", Token: token, Since: since, Stop: func() {}}
	mux := http.NewServeMux()
	mux.Handle("/control/", server.Handler())
	mux.HandleFunc("GET /endpoints.json", server.Endpoints)
	listener := httptest.NewServer(mux)
	t.Cleanup(listener.Close)
	return server, Address{URL: listener.URL, Token: token}
}

func put(t *testing.T, s *Server, typ, name string, in cloud.Properties) *cloud.Resource {
	t.Helper()
	r, err := s.Cloud.Put(t.Context(), cloud.Resource{URN: "urn:" + typ + name, Type: typ, Inputs: in})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryCallAsksForTheToken(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	server.Stop = func() { t.Error("stopped without the token") }
	letters := put(t, server, queue, "q", cloud.Properties{"name": "q"})
	for name, given := range map[string]string{"none": "", "another": "Bearer other", "without Bearer": token} {
		for _, call := range [][2]string{{"GET", "status"}, {"POST", "keep"}, {"POST", "shutdown"}, {"POST", "clock"}, {"DELETE", "faults"}, {"GET", "iam"}, {"DELETE", "dlq"}, {"POST", "token"}, {"GET", "else"}} {
			req, err := http.NewRequest(call[0], address.URL+"/control/"+call[1], strings.NewReader("[]"))
			if err != nil {
				t.Fatal(err)
			}
			if given != "" {
				req.Header.Set("Authorization", given)
			}
			req.Close = true
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized || strings.Contains(string(body), token) {
				t.Errorf("%s with token %q: %d %s", call[1], name, resp.StatusCode, body)
			}
		}
	}
	if server.Cloud.Get(queue, letters.ID) == nil {
		t.Error("a resource was deleted without the token")
	}
}

func TestStatusTellsWhatRuns(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	put(t, server, queue, "q", cloud.Properties{"name": "q"})
	got, err := address.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &Status{
		Since: since, Page: "http://page/", Client: server.Cloud.Client(),
		Overview: cloud.Overview{Region: "us-east-1", Queues: []cloud.Queue{{Name: "q"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestKeepDeletesWhatIsNotListed(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	kept := put(t, server, queue, "kept", cloud.Properties{"name": "kept"})
	left := put(t, server, queue, "left", cloud.Properties{"name": "left"})
	if err := address.Keep(t.Context(), []Reference{{Type: queue, ID: kept.ID}, {Type: "another", ID: left.ID}}); err != nil {
		t.Fatal(err)
	}
	if server.Cloud.Get(queue, kept.ID) == nil {
		t.Error("what was listed is gone")
	}
	if server.Cloud.Get(queue, left.ID) != nil {
		t.Error("what was not listed is still there")
	}
}

func TestKeepWithoutAListDeletesNothing(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	q := put(t, server, queue, "q", cloud.Properties{"name": "q"})
	for _, body := range []string{"{}", "null", `"all"`} {
		err := address.call(t.Context(), http.MethodPost, "keep", json.RawMessage(body), nil)
		if err == nil || !strings.Contains(err.Error(), "a list of {type, id} is expected") {
			t.Errorf("%s: %v, want a refusal", body, err)
		}
	}
	if server.Cloud.Get(queue, q.ID) == nil {
		t.Error("a resource is gone")
	}
}

func TestShutdownStopsTheCloudAfterItsAnswer(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	stopped, stop := context.WithCancel(t.Context())
	server.Stop = stop
	if err := address.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-stopped.Done()
}

func TestEndpointsAreThoseOfTheStagesAndNeedNoToken(t *testing.T) {
	t.Parallel()
	server, address := serve(t)
	get := func() string {
		req, err := http.NewRequest(http.MethodGet, address.URL+"/endpoints.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if got := get(); got != "{\"endpoints\":[]}\n" {
		t.Errorf("before the first deployment: %s", got)
	}
	a := put(t, server, api, "a", cloud.Properties{"name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
	s := put(t, server, stage, "s", cloud.Properties{"apiId": a.ID, "name": "local", "autoDeploy": true})
	want := `{"endpoints":[{"name":"chat","stage":"local","endpoint":"` + s.Outputs["invokeUrl"].(string) + `"}]}` + "\n"
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
}

func TestACloudThatDoesNotAnswerIsAnError(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err := Address{URL: gone.URL}.Status(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the local cloud does not answer") {
		t.Errorf("%v", err)
	}
}

func TestACloudOfAnotherBuildIsToBeReplaced(t *testing.T) {
	t.Parallel()
	older := httptest.NewServer(http.NewServeMux())
	t.Cleanup(older.Close)
	_, err := Address{URL: older.URL}.Advanced(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not know clock: `chatstack up` replaces it") {
		t.Errorf("%v", err)
	}
}

func TestAddressFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "cloud.json")

	t.Run("none is no address", func(t *testing.T) {
		if a, err := ReadAddress(file); a != nil || err != nil {
			t.Errorf("%v, %v", a, err)
		}
	})
	t.Run("what is written is read, by its owner alone", func(t *testing.T) {
		want := &Address{PID: 7, URL: "http://127.0.0.1:1", Token: token, ProviderPort: 2, Build: "b"}
		for range 2 { // the second time over the first
			if err := want.Write(file); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadAddress(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("address (-want +got):\n%s", diff)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
	})
	for name, content := range map[string]string{"empty": "", "half written": `{"pid":7,"url":"http://12`, "of no cloud": `{}`} {
		t.Run(name+" is no address", func(t *testing.T) {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if a, err := ReadAddress(file); a != nil || err != nil {
				t.Errorf("%v, %v", a, err)
			}
		})
	}
}
