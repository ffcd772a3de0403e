package lambda

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A phase is where a runtime stands between two of its requests.
type phase int

const (
	initializing phase = iota // it has not asked for an invocation yet
	initFailed                // it has said that it never will
	ready                     // it asks for one
	invoking                  // it has one, or is about to
	answering                 // it sends its answer
	answered                  // it has answered, and not asked for the next yet
)

// String names a phase as AWS's errors do.
func (p phase) String() string {
	return [...]string{"Started", "InitError", "Ready", "Running", "InvocationResponse", "RuntimeResponseSentState"}[p]
}

// A runtimeAPI serves the Runtime API, and what is needed of the Extensions API,
// to one process. It knows nothing of the process itself.
//
//	initializing → ready → invoking → answering → answered → ready → …
type runtimeAPI struct {
	cfg *Config

	// initialized is closed when the runtime first asks for an invocation, or
	// says that it will not.
	initialized chan struct{}
	// offered wakes a request that asks for an invocation when there is one.
	offered chan struct{}

	mu          sync.Mutex
	phase       phase
	asking      int         // open requests for an invocation
	current     *invocation // while invoking, answering or answered
	initFailure *Output     // what the runtime said of its own initialization
	extensions  []extension // registered ones
}

// An invocation is one event on its way through one process.
type invocation struct {
	id       string
	payload  []byte
	traceID  string
	deadline time.Time

	// delivered is closed when the process has it, or may have.
	delivered chan struct{}
	// finished is closed when the runtime asks for the next invocation.
	finished chan struct{}

	output *Output // what the process answered; guarded by the mutex of the runtimeAPI that has it
}

func newInvocation(id, traceID string, payload []byte) *invocation {
	return &invocation{
		id: id, traceID: traceID, payload: payload,
		delivered: make(chan struct{}), finished: make(chan struct{}),
	}
}

func newRuntimeAPI(cfg *Config) *runtimeAPI {
	return &runtimeAPI{
		cfg:         cfg,
		initialized: make(chan struct{}),
		offered:     make(chan struct{}, 1),
	}
}

// maxHeaderBytes of a runtime's request. The description of an error for X-Ray may
// be 1 MiB alone, which is Go's limit for all headers.
const maxHeaderBytes = 4 << 20

func (a *runtimeAPI) server(log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:        a.handler(),
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
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
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			// To Go's ServeMux HEAD is a GET: it would take an invocation and
			// not get its event.
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// offer gives an initialized runtime that has finished everything an invocation.
func (a *runtimeAPI) offer(inv *invocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase, a.current = invoking, inv
	a.wake()
}

// wake lets a request that waits for an invocation look for it.
func (a *runtimeAPI) wake() {
	select {
	case a.offered <- struct{}{}:
	default: // one is about to
	}
}

// onOffer is an invocation that the runtime has not got, or nil. a.mu is held.
func (a *runtimeAPI) onOffer() *invocation {
	if a.phase != invoking || isClosed(a.current.delivered) {
		return nil
	}
	return a.current
}

// withdraw takes back an invocation that the runtime has not got.
func (a *runtimeAPI) withdraw() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onOffer() == nil {
		return false
	}
	a.phase, a.current = ready, nil
	return true
}

// outcome is what the process answered so far, or nil.
func (a *runtimeAPI) outcome(inv *invocation) *Output {
	a.mu.Lock()
	defer a.mu.Unlock()
	return inv.output
}

// next answers when there is an invocation. Asking also says that the one before
// is finished. A runtime that has one, and has not answered it, gets it again.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	inv, ok := a.ask(w)
	if !ok {
		return
	}
	if inv == nil {
		inv = a.awaitWork(r.Context().Done())
	}
	if inv != nil {
		a.send(w, inv)
	}
}

// ask notes that the runtime is ready for an invocation, if it may be now. It
// returns the one that the runtime has and has not answered, if there is one.
func (a *runtimeAPI) ask(w http.ResponseWriter) (*invocation, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.phase == initializing:
		a.phase = ready
		close(a.initialized)
	case a.phase == answered:
		a.phase = ready
		close(a.current.finished)
		a.current = nil
	case a.phase == invoking && isClosed(a.current.delivered):
		return a.current, true
	case a.phase == ready, a.phase == invoking:
		// It gave up an earlier request and asks again, or asks twice.
	default:
		a.refuseTransition(w, ready.String())
		return nil, false
	}
	a.asking++
	return nil, true
}

// awaitWork waits for an invocation. It returns nil if the request ends before:
// the process is gone, or has only given it up, and what is on offer stays so.
func (a *runtimeAPI) awaitWork(given <-chan struct{}) *invocation {
	for {
		select {
		case <-a.offered:
		case <-given:
		}
		if inv, over := a.takeOffer(isClosed(given)); over {
			return inv
		}
	}
}

// takeOffer hands what is on offer, if anything is, to a request that is not
// given up, and says whether the request is over.
func (a *runtimeAPI) takeOffer(given bool) (inv *invocation, over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	inv = a.onOffer()
	switch {
	case given:
		if a.asking--; inv != nil {
			a.wake() // there may be another to take it
		}
		return nil, true
	case inv != nil:
		a.asking--
		close(inv.delivered)
	}
	return inv, inv != nil
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
	body, err := readBody(w, r)
	if err != nil {
		refuseBody(w, err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != initializing {
		a.refuseTransition(w, initFailed.String())
		return
	}
	a.phase = initFailed
	a.initFailure = &Output{Payload: body, FunctionError: unhandled}
	close(a.initialized)
	accept(w)
}

// initOutcome is what the runtime said of a failed initialization, or nil.
func (a *runtimeAPI) initOutcome() *Output {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.initFailure
}
