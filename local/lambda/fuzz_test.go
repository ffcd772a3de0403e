package lambda

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/chatstack/internal/uuid"
)

// A fuzzed is a Runtime API with what is sent to it.
type fuzzed struct {
	t       *testing.T
	api     *runtimeAPI
	handler http.Handler
	current *invocation
	answers int // that had the right id
}

// send sends one request. One that would wait is given up at once, unless it waits
// for what is there.
func (f *fuzzed) send(method, path, header string, body []byte) *httptest.ResponseRecorder {
	req := httptest.NewRequest("GET", "http://x/", bytes.NewReader(body))
	req.Method, req.URL.Path = method, path
	for _, name := range []string{"Lambda-Extension-Name", "Lambda-Extension-Identifier", "Content-Type"} {
		req.Header.Set(name, header)
	}
	req.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": {header}, "Lambda-Runtime-Function-Error-Body": {header}}
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	if f.api.phase != invoking || method != "GET" {
		cancel()
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, req.WithContext(ctx))
	return w
}

// offer gives the runtime an invocation if it has none and may have one.
func (f *fuzzed) offer() {
	if f.api.phase == ready && f.api.current == nil {
		f.current = newInvocation(uuid.New(), "trace", []byte(`{}`))
		f.answers = 0
		f.api.offer(f.current)
	}
}

// right answers the invocation in progress, if there is one.
func (f *fuzzed) right(kind, header string, body []byte) {
	if f.current != nil && f.api.current == f.current && isClosed(f.current.delivered) {
		f.send("POST", answerPath(f.current.id, kind), header, body)
		f.answers++
	}
}

// check fails if something was accepted that must not be.
func (f *fuzzed) check() {
	f.t.Helper()
	if f.current == nil {
		return
	}
	if f.current.output != nil && f.answers == 0 {
		f.t.Fatal("an answer with another id was taken")
	}
	if isClosed(f.current.finished) && f.current.output == nil {
		f.t.Fatal("finished before it was answered")
	}
}

// goOn plays a runtime that behaves.
func (f *fuzzed) goOn() {
	f.t.Helper()
	if f.api.phase == initFailed {
		return // it would have exited
	}
	if f.api.phase == initializing || f.api.phase == answered {
		f.send("GET", nextPath, "", nil)
	}
	f.offer()
	got := f.send("GET", nextPath, "", nil)
	id := got.Header().Get("Lambda-Runtime-Aws-Request-Id")
	if got.Code != http.StatusOK || id != f.current.id {
		f.t.Fatalf("asking for work in phase %v: %d %s", f.api.phase, got.Code, got.Body)
	}
	if got := f.send("POST", answerPath(id, "response"), "", []byte(`"done"`)); got.Code != http.StatusAccepted {
		f.t.Fatalf("answering: %d %s", got.Code, got.Body)
	}
	f.send("GET", nextPath, "", nil)
	if !isClosed(f.current.finished) {
		f.t.Fatal("not finished")
	}
}

// Whatever a process sends, nothing panics, no answer with another id is taken, and
// a runtime that behaves can go on.
func FuzzRuntimeAPI(f *testing.F) {
	f.Add([]byte("nonrn"), "PUT", nextPath, "a", []byte(`{}`))
	f.Add([]byte("*nrnonexenrixr"), "POST", answerPath("a", "response"), "b", []byte(`{"errorMessage":"m"}`))
	f.Add([]byte("*innro"), "POST", initPath, "", []byte(nil))
	f.Add([]byte("*no*w*no*r*n"), "HEAD", nextPath, "x", []byte("[]"))
	f.Add([]byte("*xgn*g"), "POST", registerPath, "name", []byte(`{"events":null}`))
	f.Add([]byte("no*n*r*"), "POST", "//2018-06-01/../2018-06-01/runtime/invocation//response", "%", []byte("null"))
	f.Fuzz(func(t *testing.T, steps []byte, method, path, header string, body []byte) {
		api := newRuntimeAPI(config().withDefaults())
		z := &fuzzed{t: t, api: api, handler: api.handler()}
		for _, step := range steps[:min(len(steps), 100)] {
			switch step {
			case 'n':
				z.send("GET", nextPath, header, body)
			case 'o':
				z.offer()
			case 'w':
				if z.api.withdraw() {
					z.current = nil
				}
			case 'r':
				z.right("response", header, body)
			case 'e':
				z.right("error", header, body)
			case 'i':
				z.send("POST", initPath, header, body)
			case 'x':
				z.send("POST", registerPath, header, body)
			case 'g':
				// Blocks for an extension that is known, and header never is one.
				z.send("GET", eventPath, header, body)
			default:
				z.send(method, path, header, body)
			}
			z.check()
		}
		z.goOn()
	})
}
