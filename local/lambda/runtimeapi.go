package lambda

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A phase is where a runtime stands between two of its requests.
type phase int

const (
	initializing phase = iota // it has not asked for an invocation yet
	ready                     // it asks for one
	invoking                  // it has one
	answering                 // it sends its answer
	answered                  // it has answered, and not asked for the next yet
)

// A runtimeAPI serves the Runtime API, and what is needed of the Extensions API,
// to one process. It knows nothing of the process itself.
//
//	initializing → ready → invoking → answering → answered → ready → …
type runtimeAPI struct {
	cfg *Config

	// initialized is closed when the runtime first asks for an invocation.
	initialized chan struct{}
	// work holds the invocation for a request that asks for one.
	work chan *invocation

	mu          sync.Mutex
	phase       phase
	asking      bool        // a request for an invocation is open
	current     *invocation // while invoking, answering or answered
	initFailure *Output     // what the runtime said of its own initialization
	extensions  []string    // identifiers of registered extensions
}

// An invocation is one event on its way through one process.
type invocation struct {
	id       string
	payload  []byte
	traceID  string
	deadline time.Time

	// finished is closed when the runtime asks for the next invocation.
	finished chan struct{}

	// Guarded by the mutex of the runtimeAPI that has it.
	delivered bool    // the process has it, or may have
	output    *Output // what the process answered
}

func newRuntimeAPI(cfg *Config) *runtimeAPI {
	return &runtimeAPI{
		cfg:         cfg,
		initialized: make(chan struct{}),
		work:        make(chan *invocation, 1),
	}
}

func (a *runtimeAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.extensionEvent)
	return mux
}

// offer gives an initialized runtime that has finished everything an invocation.
func (a *runtimeAPI) offer(inv *invocation) {
	a.mu.Lock()
	a.phase, a.current = invoking, inv
	a.mu.Unlock()
	a.work <- inv // never waits: there is one at a time
}

// withdraw takes back an invocation that the runtime has not got.
func (a *runtimeAPI) withdraw() bool {
	select {
	case <-a.work:
		return true
	default:
		return false
	}
}

// outcome is what the process answered so far, or nil.
func (a *runtimeAPI) outcome(inv *invocation) *Output {
	a.mu.Lock()
	defer a.mu.Unlock()
	return inv.output
}

// next answers when there is an invocation. Asking also says that the one before
// is finished.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if !a.ask() {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition failed: the invocation in progress has not been answered")
		return
	}
	select {
	case inv := <-a.work:
		a.mu.Lock()
		a.asking = false
		inv.delivered = true
		a.mu.Unlock()
		a.send(w, inv)
	case <-r.Context().Done():
		// The process is gone, or has only given up this request: what is on
		// offer stays so.
		a.mu.Lock()
		a.asking = false
		a.mu.Unlock()
	}
}

// ask notes that the runtime is ready for an invocation, if it may be now.
func (a *runtimeAPI) ask() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.asking:
		return false
	case a.phase == initializing:
		a.phase = ready
		close(a.initialized)
	case a.phase == answered:
		a.phase = ready
		close(a.current.finished)
		a.current = nil
	case a.phase == ready, a.phase == invoking && !a.current.delivered:
		// It gave up an earlier request and asks again.
	default:
		return false
	}
	a.asking = true
	return true
}

func (a *runtimeAPI) send(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", a.cfg.ARN)
	h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	// An error means that the process is gone, which is noticed elsewhere.
	_, _ = w.Write(inv.payload)
}

// initError takes what went wrong before the first invocation. The process is
// expected to exit after it.
func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the body could not be read: "+err.Error())
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != initializing {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition failed: the runtime has been initialized")
		return
	}
	a.initFailure = &Output{Payload: body, FunctionError: unhandled}
	accept(w)
}

// initOutcome is what the runtime said of a failed initialization, or nil.
func (a *runtimeAPI) initOutcome() *Output {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.initFailure
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	body, err := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, kind})
	if err != nil {
		panic(err) // two strings can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
