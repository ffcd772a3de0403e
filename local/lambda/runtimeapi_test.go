package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A server is a Runtime API without a process.
type server struct {
	t    *testing.T
	api  *runtimeAPI
	http *httptest.Server
}

func newServer(t *testing.T) *server {
	t.Helper()
	t.Parallel()
	api := newRuntimeAPI(config().withDefaults())
	s := &server{t: t, api: api, http: httptest.NewServer(api.handler())}
	t.Cleanup(func() {
		s.http.CloseClientConnections() // ends requests that would wait for ever
		s.http.Close()
		s.http.Client().CloseIdleConnections()
	})
	return s
}

// send returns status, errorType and headers of an answer.
func (s *server) send(method, path, body string, headers ...string) (int, string, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var e struct{ ErrorType string }
	_ = json.Unmarshal(data, &e)
	return resp.StatusCode, e.ErrorType, resp.Header
}

func (s *server) want(what string, status int, kind string, method, path, body string, headers ...string) http.Header {
	s.t.Helper()
	gotStatus, gotKind, h := s.send(method, path, body, headers...)
	if gotStatus != status || gotKind != kind {
		s.t.Errorf("%s: %d %s, not %d %s", what, gotStatus, gotKind, status, kind)
	}
	return h
}

const (
	nextPath     = "/2018-06-01/runtime/invocation/next"
	registerPath = "/2020-01-01/extension/register"
	eventPath    = "/2020-01-01/extension/event/next"
	initPath     = "/2018-06-01/runtime/init/error"
)

func answerPath(id, kind string) string { return "/2018-06-01/runtime/invocation/" + id + "/" + kind }

func newInvocation(id string) *invocation {
	return &invocation{id: id, payload: []byte(`{}`), deadline: time.Unix(1700000000, 0), traceID: "trace", finished: make(chan struct{})}
}

// deliver has the runtime take an invocation.
func (s *server) deliver(inv *invocation) http.Header {
	s.t.Helper()
	asked := make(chan http.Header, 1)
	go func() {
		resp, err := s.http.Client().Get(s.http.URL + nextPath)
		if err != nil {
			s.t.Error(err)
			asked <- nil
			return
		}
		defer resp.Body.Close()
		asked <- resp.Header
	}()
	waitFor(s.t, "the runtime asks", func() bool {
		s.api.mu.Lock()
		defer s.api.mu.Unlock()
		return s.api.asking
	})
	s.api.offer(inv)
	return <-asked
}

func TestRuntimeAPIStatesAsOnAWS(t *testing.T) {
	s := newServer(t)
	s.want("an answer to nothing", 400, "InvalidRequestID", "POST", answerPath("a", "response"), "1")

	inv := newInvocation("a")
	h := s.deliver(inv)
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "a",
		"Lambda-Runtime-Deadline-Ms":          "1700000000000",
		"Lambda-Runtime-Invoked-Function-Arn": testARN,
		"Lambda-Runtime-Trace-Id":             "trace",
		"Content-Type":                        "application/json",
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	s.want("asking before answering", 403, "InvalidStateTransition", "GET", nextPath, "")
	s.want("another's id", 400, "InvalidRequestID", "POST", answerPath("b", "response"), "1")
	s.want("the answer", 202, "", "POST", answerPath("a", "response"), `"done"`)
	s.want("a second answer", 403, "InvalidStateTransition", "POST", answerPath("a", "response"), "1")
	s.want("an error after the answer", 403, "InvalidStateTransition", "POST", answerPath("a", "error"), "{}")
	select {
	case <-inv.finished:
		t.Error("finished before the runtime asked for more")
	default:
	}

	next := newInvocation("b")
	s.deliver(next)
	<-inv.finished
	if out := s.api.outcome(inv); string(out.Payload) != `"done"` || out.FunctionError != "" {
		t.Errorf("outcome %+v", out)
	}
	s.want("the id of the one before", 400, "InvalidRequestID", "POST", answerPath("a", "response"), "1")
	s.want("an error", 202, "", "POST", answerPath("b", "error"), `{"errorMessage":"m"}`)
	if out := s.api.outcome(next); string(out.Payload) != `{"errorMessage":"m"}` || out.FunctionError != unhandled {
		t.Errorf("outcome %+v", out)
	}
	s.want("an init error after init", 403, "InvalidStateTransition", "POST", initPath, "{}")
	s.want("no such path", 404, "", "GET", "/2018-06-01/runtime/other", "")
}

func TestResponseTooLargeAsOnAWS(t *testing.T) {
	s := newServer(t)
	inv := newInvocation("a")
	s.deliver(inv)
	s.want("too large", 413, "RequestEntityTooLarge", "POST", answerPath("a", "response"), strings.Repeat("x", maxResponse+1))
	if got := errorOf(t, *s.api.outcome(inv)); got.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("%+v", got)
	}
	s.deliver(newInvocation("b")) // the runtime may go on
}

func TestInitErrorIsKept(t *testing.T) {
	s := newServer(t)
	s.want("init error", 202, "", "POST", initPath, `{"errorMessage":"m","errorType":"t"}`)
	if got, want := errorOf(t, *s.api.initOutcome()), (failure{"t", "m"}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestStreamedErrorTrailers(t *testing.T) {
	s := newServer(t)
	for id, row := range map[string]struct {
		body string
		want failure
	}{
		"a": {"eyJlcnJvck1lc3NhZ2UiOiJtIiwiZXJyb3JUeXBlIjoidCJ9", failure{"t", "m"}},
		"b": {"not base64!", failure{"Broken", ""}},
		"c": {"bm8gSlNPTg==", failure{"Broken", ""}},
	} {
		inv := newInvocation(id)
		s.deliver(inv)
		req, err := http.NewRequest("POST", s.http.URL+answerPath(id, "response"), io.NopCloser(strings.NewReader("half")))
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{
			"Lambda-Runtime-Function-Error-Type": {"Broken"},
			"Lambda-Runtime-Function-Error-Body": {row.body},
		}
		resp, err := s.http.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := errorOf(t, *s.api.outcome(inv)); resp.StatusCode != 202 || got != row.want {
			t.Errorf("%s: %d %+v", id, resp.StatusCode, got)
		}
	}
}

func TestRuntimeThatAsksAgainGetsWhatIsOffered(t *testing.T) {
	s := newServer(t)
	client := &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Get(s.http.URL + nextPath); err == nil {
		t.Fatal("answered without an invocation")
	}
	waitFor(t, "the request is given up", func() bool {
		s.api.mu.Lock()
		defer s.api.mu.Unlock()
		return !s.api.asking
	})
	s.api.offer(newInvocation("a"))
	h := s.want("asking again", 200, "", "GET", nextPath, "")
	if h.Get("Lambda-Runtime-Aws-Request-Id") != "a" {
		t.Errorf("headers %v", h)
	}
	if s.api.withdraw() {
		t.Error("withdrawn after it was delivered")
	}
}

func TestWhatWasNotDeliveredCanBeWithdrawn(t *testing.T) {
	t.Parallel()
	api := newRuntimeAPI(config().withDefaults())
	api.offer(newInvocation("a"))
	if !api.withdraw() {
		t.Error("not withdrawn")
	}
}

func TestExtensionForSIGTERM(t *testing.T) {
	s := newServer(t)
	s.want("no name", 400, "Extension.InvalidExtensionName", "POST", registerPath, `{"events":null}`)
	s.want("events", 403, "Extension.InvalidEventType", "POST", registerPath, `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "x")
	s.want("no JSON", 400, "InvalidRequest", "POST", registerPath, `{`, "Lambda-Extension-Name", "x")
	s.want("unknown extension", 403, "Extension.UnknownExtensionIdentifier", "GET", eventPath, "")
	if s.api.wantsSIGTERM() {
		t.Error("SIGTERM for nobody")
	}
	h := s.want("registration", 200, "", "POST", registerPath, `{"events":null}`, "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	id := h.Get("Lambda-Extension-Identifier")
	if id == "" || !s.api.wantsSIGTERM() {
		t.Errorf("identifier %q", id)
	}
	client := &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest("GET", s.http.URL+eventPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Lambda-Extension-Identifier", id)
	if _, err := client.Do(req); err == nil {
		t.Error("an event came")
	}
	s.deliver(newInvocation("a"))
	s.want("late registration", 403, "Extension.RegistrationClosed", "POST", registerPath, "", "Lambda-Extension-Name", "x")
}

// Whatever a runtime sends, it gets an answer and leaves the API in a state from
// which an answer with the right id, or the next request for work, goes on.
func FuzzRuntimeAPI(f *testing.F) {
	f.Add([]byte("nra"), "a", []byte(`{}`))
	f.Add([]byte("rrnenixr"), "b", []byte(`{"errorMessage":"m"}`))
	f.Add([]byte("innro"), "", []byte(nil))
	f.Fuzz(func(t *testing.T, steps []byte, id string, body []byte) {
		api := newRuntimeAPI(config().withDefaults())
		handler := api.handler()
		send := func(method, path string) int {
			req := httptest.NewRequest(method, "http://x/", bytes.NewReader(body))
			req.URL.Path = path
			// A request that would wait is given up at once.
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req.WithContext(ctx))
			return w.Code
		}
		var current *invocation
		for _, step := range steps {
			switch step {
			case 'n':
				send("GET", nextPath)
			case 'o':
				if api.phase == ready && current == nil {
					current = newInvocation("a")
					api.offer(current)
				}
			case 'r':
				send("POST", answerPath(id, "response"))
			case 'e':
				send("POST", answerPath(id, "error"))
			case 'a':
				send("POST", answerPath("a", "response"))
			case 'i':
				send("POST", initPath)
			case 'x':
				send("POST", registerPath)
			}
			if current != nil && current.output != nil && !current.delivered {
				t.Fatal("answered before it was delivered")
			}
			if current != nil && api.current != current {
				if current.output == nil {
					t.Fatal("forgotten before it was answered")
				}
				<-current.finished
				current = nil
			}
		}
	})
}
