package dynamo_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

// beforeDelete returns the base URL of an engine that does something before each
// DeleteItem.
func beforeDelete(t *testing.T, engine string, do func()) string {
	t.Helper()
	target, err := url.Parse(engine)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem") {
			do()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func dynoxide(t *testing.T) string {
	t.Helper()
	path, err := dynamotest.Tools().Dynoxide(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStartedEngineKeepsItsTablesInItsFile(t *testing.T) {
	t.Parallel()
	var said atomic.Bool
	opts := dynamo.EngineOptions{
		Path: dynoxide(t), Database: filepath.Join(t.TempDir(), "table.db"),
		Output: func(string) { said.Store(true) },
	}
	engine, err := dynamo.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, engine.Endpoint())
	table := r.create().TableName
	r.put(table, "kept", nil)
	engine.Close()
	select {
	case <-engine.Done():
	default:
		t.Error("Done is open after Close")
	}
	if !said.Load() {
		t.Error("Output got nothing of what the engine prints")
	}

	again, err := dynamo.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := newRigOn(t, again.Endpoint()).left(table); got != "kept" {
		t.Errorf("after a restart the table holds %q, want the item", got)
	}
}

func TestAnEngineThatIsGivenIsNotStopped(t *testing.T) {
	t.Parallel()
	endpoint := dynamotest.Endpoint(t)
	engine, err := dynamo.Start(t.Context(), dynamo.EngineOptions{Endpoint: endpoint, Path: "/not/used"})
	if err != nil {
		t.Fatal(err)
	}
	if engine.Endpoint() != endpoint || engine.Done() != nil {
		t.Errorf("endpoint %s, done %v; want %s, nil", engine.Endpoint(), engine.Done(), endpoint)
	}
	engine.Close()
	newRigOn(t, endpoint).table()
}

func TestAnEngineThatIsGivenMayComeUpLater(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte(`{"TableNames":[]}`))
	}))
	t.Cleanup(server.Close)
	if _, err := dynamo.Start(t.Context(), dynamo.EngineOptions{Endpoint: server.URL}); err != nil {
		t.Error(err)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	listener.Close()
	for name, test := range map[string]struct {
		opts dynamo.EngineOptions
		says string
	}{
		"an endpoint without a scheme":      {dynamo.EngineOptions{Endpoint: "localhost:8000"}, `"localhost:8000" is not a URL: give it as http://HOST:PORT`},
		"an endpoint without a host":        {dynamo.EngineOptions{Endpoint: "http://"}, `"http://" is not a URL`},
		"an endpoint where nobody listens":  {dynamo.EngineOptions{Endpoint: nobody}, "no DynamoDB at the endpoint " + nobody},
		"an endpoint that is a web page":    {dynamo.EngineOptions{Endpoint: page.URL}, "what answers is no DynamoDB"},
		"a program that is not there":       {dynamo.EngineOptions{Path: "/not/there"}, "/not/there"},
		"a program that ends at once":       {dynamo.EngineOptions{Path: "/bin/false"}, "it ended at once"},
		"a database that cannot be written": {dynamo.EngineOptions{Path: dynoxide(t), Database: "/proc/table.db"}, "it ended at once"},
		"a program that is no table engine": {dynamo.EngineOptions{Path: "/usr/bin/tail"}, "start the table engine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			engine, err := dynamo.Start(ctx, test.opts)
			if err == nil {
				engine.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q, want %q in it", err, test.says)
			}
		})
	}
}
