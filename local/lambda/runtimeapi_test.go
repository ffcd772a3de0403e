package lambda

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/chatstack/internal/uuid"
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
	s := &server{t: t, api: api, http: httptest.NewUnstartedServer(nil)}
	s.http.Config = api.server(slog.New(slog.DiscardHandler))
	s.http.Start()
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

func testInvocation(id string) *invocation {
	inv := newInvocation(id, "trace", []byte(`{}`))
	inv.deadline = time.Unix(1700000000, 0)
	return inv
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
		return s.api.asking > 0
	})
	s.api.offer(inv)
	return <-asked
}

func TestRuntimeAPIStatesAsOnAWS(t *testing.T) {
	s := newServer(t)
	s.want("an answer to nothing", 400, "InvalidRequestID", "POST", answerPath("a", "response"), "1")

	inv := testInvocation("a")
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
	if h := s.want("asking before answering", 200, "", "GET", nextPath, ""); h.Get("Lambda-Runtime-Aws-Request-Id") != "a" {
		t.Errorf("it got %v", h)
	}
	s.want("another's id", 400, "InvalidRequestID", "POST", answerPath("b", "response"), "1")
	s.want("the answer", 202, "", "POST", answerPath("a", "response"), `"done"`)
	s.want("a second answer", 403, "InvalidStateTransition", "POST", answerPath("a", "response"), "1")
	s.want("an error after the answer", 403, "InvalidStateTransition", "POST", answerPath("a", "error"), "{}")
	select {
	case <-inv.finished:
		t.Error("finished before the runtime asked for more")
	default:
	}

	next := testInvocation("b")
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
	inv := testInvocation("a")
	s.deliver(inv)
	s.want("too large", 413, "RequestEntityTooLarge", "POST", answerPath("a", "response"), strings.Repeat("x", maxResponse+1))
	if got := errorOf(t, *s.api.outcome(inv)); got.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("%+v", got)
	}
	s.deliver(testInvocation("b")) // the runtime may go on
}

func TestErrorHeaderMayBeAMebibyte(t *testing.T) {
	s := newServer(t)
	inv := testInvocation("a")
	s.deliver(inv)
	s.want("the answer", 202, "", "POST", answerPath("a", "error"), `{"errorMessage":"m","errorType":"t"}`,
		"Lambda-Runtime-Function-Xray-Error-Cause", strings.Repeat("x", 1<<20), "Another", strings.Repeat("x", 1<<20))
	if out := s.api.outcome(inv); out == nil || out.FunctionError == "" {
		t.Errorf("%+v", out)
	}
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
		inv := testInvocation(id)
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
		return s.api.asking == 0
	})
	s.api.offer(testInvocation("a"))
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
	api.offer(testInvocation("a"))
	if !api.withdraw() {
		t.Error("not withdrawn")
	}
}

func TestExtensionForSIGTERM(t *testing.T) {
	s := newServer(t)
	s.want("no name", 403, "Extension.InvalidExtensionName", "POST", registerPath, `{"events":null}`)
	s.want("events", 403, "Extension.InvalidEventType", "POST", registerPath, `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "x")
	s.want("no JSON", 403, "InvalidRequestFormat", "POST", registerPath, `{`, "Lambda-Extension-Name", "x")
	s.want("too large", 413, "RequestEntityTooLarge", "POST", registerPath, strings.Repeat(" ", maxResponse+1), "Lambda-Extension-Name", "x")
	s.want("no extension", 403, "Extension.MissingExtensionIdentifier", "GET", eventPath, "")
	s.want("no identifier", 403, "Extension.InvalidExtensionIdentifier", "GET", eventPath, "", "Lambda-Extension-Identifier", "x")
	s.want("unknown extension", 403, "Extension.UnknownExtensionIdentifier", "GET", eventPath, "", "Lambda-Extension-Identifier", uuid.New())
	if s.api.wantsSIGTERM() {
		t.Error("SIGTERM for nobody")
	}
	h := s.want("registration", 200, "", "POST", registerPath, `{"events":null}`, "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	id := h.Get("Lambda-Extension-Identifier")
	if id == "" || !s.api.wantsSIGTERM() {
		t.Errorf("identifier %q", id)
	}
	s.want("the same name", 403, "Extension.InvalidExtensionState", "POST", registerPath, `{}`, "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	for i := range maxExtensions - 1 {
		s.want("more", 200, "", "POST", registerPath, `{"events":[]}`, "Lambda-Extension-Name", strconv.Itoa(i))
	}
	s.want("too many", 403, "Extension.TooManyExtensions", "POST", registerPath, `{}`, "Lambda-Extension-Name", "x")
	client := &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest("GET", s.http.URL+eventPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Lambda-Extension-Identifier", id)
	if _, err := client.Do(req); err == nil {
		t.Error("an event came")
	}
	s.deliver(testInvocation("a"))
	s.want("late registration", 403, "Extension.RegistrationClosed", "POST", registerPath, "{}", "Lambda-Extension-Name", "x")
}

func TestRuntimeThatAsksAgainBeforeItAnswersGetsTheSame(t *testing.T) {
	s := newServer(t)
	inv := testInvocation("a")
	s.deliver(inv)
	for range 2 {
		if h := s.want("asking again", 200, "", "GET", nextPath, ""); h.Get("Lambda-Runtime-Aws-Request-Id") != "a" {
			t.Errorf("headers %v", h)
		}
	}
	s.want("the answer", 202, "", "POST", answerPath("a", "response"), `1`)
	s.deliver(testInvocation("b"))
	if !isClosed(inv.finished) {
		t.Error("the first is not finished")
	}
}

func TestHEADTakesNoInvocation(t *testing.T) {
	s := newServer(t)
	s.want("HEAD", 405, "", "HEAD", nextPath, "")
	s.deliver(testInvocation("a"))
}

func TestRefusalsInTheWordsOfAWS(t *testing.T) {
	s := newServer(t)
	body := func(method, path, body string) string {
		req, err := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.http.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(data))
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s", what, got)
		}
	}
	is("wrong id", body("POST", answerPath("x", "response"), "1"), `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	s.deliver(testInvocation("a"))
	is("late init error", body("POST", initPath, "{}"),
		`{"errorMessage":"State transition from Running to InitError failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`)
	is("too large", body("POST", answerPath("a", "response"), strings.Repeat("x", maxResponse+1)),
		`{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`)
	is("second answer", body("POST", answerPath("a", "response"), "1"),
		`{"errorMessage":"State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`)
	is("error after it", body("POST", answerPath("a", "error"), "1"),
		`{"errorMessage":"State transition from RuntimeResponseSentState to InvocationErrorResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`)
	s.deliver(testInvocation("b"))
	is("the answer", body("POST", answerPath("b", "response"), "1"), `{"status":"OK"}`)
}

func TestNothingFollowsAnInitError(t *testing.T) {
	s := newServer(t)
	s.want("init error", 202, "", "POST", initPath, `{}`)
	s.want("another", 403, "InvalidStateTransition", "POST", initPath, `{}`)
	s.want("asking for work", 403, "InvalidStateTransition", "GET", nextPath, "")
	s.want("registration", 403, "Extension.RegistrationClosed", "POST", registerPath, `{}`, "Lambda-Extension-Name", "x")
}

func TestInitErrorTooLarge(t *testing.T) {
	s := newServer(t)
	s.want("init error", 413, "RequestEntityTooLarge", "POST", initPath, strings.Repeat("x", maxResponse+1))
}

func TestAnswerThatBreaksOffMayBeRepeated(t *testing.T) {
	s := newServer(t)
	inv := testInvocation("a")
	s.deliver(inv)
	for name, body := range map[string]string{
		"by its length": "Content-Length: 100\r\n\r\n\"half",
		"chunked":       "Transfer-Encoding: chunked\r\n\r\n5\r\n\"half\r\n",
	} {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST "+answerPath("a", "response")+" HTTP/1.1\r\nHost: x\r\n"+body); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), `"errorType":"TruncatedHTTPRequest"`) {
			t.Errorf("%s: %s %v", name, answer, err)
		}
	}
	if out := s.api.outcome(inv); out != nil {
		t.Errorf("outcome %s", out.Payload)
	}
	s.want("the whole answer", 202, "", "POST", answerPath("a", "response"), `1`)
}
