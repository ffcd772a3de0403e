package lambda

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// response takes what the function returned.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, "InvocationResponse", func(body []byte) *Output {
		// A function that streams its response says at its end whether it failed
		// on the way.
		if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
			return streamFailure(kind, r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		}
		return &Output{Payload: body}
	})
}

// failure takes the error that the function returned, or its panic.
func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, "InvocationErrorResponse", func(body []byte) *Output {
		return &Output{Payload: body, FunctionError: unhandled}
	})
}

func streamFailure(kind, encoded string) *Output {
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !json.Valid(body) {
		return (&failure{Type: kind}).output()
	}
	return &Output{Payload: body, FunctionError: unhandled}
}

// answer reads an answer to the invocation in progress and keeps what output makes
// of it.
func (a *runtimeAPI) answer(w http.ResponseWriter, r *http.Request, kind string, output func(body []byte) *Output) {
	inv, ok := a.beginAnswer(w, r.PathValue("id"), kind)
	if !ok {
		return
	}
	body, err := readBody(w, r)
	switch {
	case err == nil:
		a.endAnswer(inv, output(body))
		accept(w)
		return
	case isTooLarge(err):
		a.endAnswer(inv, responseTooLarge().output())
	default:
		a.endAnswer(inv, nil) // it may try again
	}
	refuseBody(w, err)
}

func (a *runtimeAPI) beginAnswer(w http.ResponseWriter, id, kind string) (*invocation, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == nil || a.current.id != id || !isClosed(a.current.delivered):
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil, false
	case a.phase != invoking:
		a.refuseTransition(w, kind)
		return nil, false
	}
	a.phase = answering
	return a.current, true
}

// endAnswer keeps an answer; nil says that none came.
func (a *runtimeAPI) endAnswer(inv *invocation, output *Output) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if output == nil {
		a.phase = invoking
		return
	}
	a.phase, inv.output = answered, output
}
