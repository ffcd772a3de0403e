package control

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/tokens"
)

// A Server answers the control API of one cloud, under /control/.
type Server struct {
	Cloud *cloud.Cloud
	Page  string // URL of the chat page
	Token string
	// Issuer signs tokens for stages that take those of this machine.
	Issuer *tokens.Issuer
	Since  time.Time
	Stop   context.CancelFunc // ends the cloud's process
}

// Handler returns the API, for the chatstack command and for tests in any
// language. Each call carries "Authorization: Bearer TOKEN", which a page in a
// browser does not know; address and token lie in cloud.json.
//
//	GET    /control/status       what runs (Status)
//	POST   /control/keep         a list of References: delete every resource that is not among them
//	POST   /control/shutdown     stop everything and end
//
//	GET    /control/clock        {"advanced": "2h10m0s"}: how much time was let pass in all
//	POST   /control/clock        {"advance": "10m"}: let time pass; answers as GET once what is due has begun
//	DELETE /control/clock        take it all back; answers as GET
//
//	GET    /control/faults       the fault rules in force (a list of fault.Rule), with how often each was asked and struck
//	POST   /control/faults       a fault.Rule: put it into force; answers 201 with the rule, its id and seed
//	DELETE /control/faults       take every rule out of force
//	DELETE /control/faults/{id}  take one rule out of force; 404 where there is none
//
//	GET    /control/iam          for each function what its role allows and what was used of it (a list of Access)
//	GET    /control/dlq          the dead letters, the newest first, and the records they speak of (a list of cloud.Letter)
//	DELETE /control/dlq          empty the queues
//
//	POST   /control/token        a tokens.Request: a token that the stages take (tokens.Token); 409 where none does
//
// Bodies are JSON, in both directions; durations are text, as "50ms" or "1h30m".
// A request that is not understood whole (an unknown field, a value that is none)
// is answered with 400 and does nothing; every refusal is a sentence in plain
// text.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /control/status":    s.status,
		"POST /control/keep":     s.keep,
		"POST /control/shutdown": s.shutdown,

		"GET /control/clock":    s.clock,
		"POST /control/clock":   s.advanceClock,
		"DELETE /control/clock": s.resetClock,

		"GET /control/faults":         s.faults,
		"POST /control/faults":        s.addFault,
		"DELETE /control/faults":      s.clearFaults,
		"DELETE /control/faults/{id}": s.removeFault,

		"GET /control/iam":    s.access,
		"GET /control/dlq":    s.letters,
		"DELETE /control/dlq": s.clearLetters,

		"POST /control/token": s.token,
	} {
		mux.HandleFunc(pattern, handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+s.Token)) != 1 {
			http.Error(w, "the control API asks for the token in cloud.json: Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, Status{Since: s.Since, Page: s.Page, Client: s.Cloud.Client(), Overview: s.Cloud.Overview()})
}

func (s *Server) shutdown(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	s.Stop()
}

func (s *Server) keep(w http.ResponseWriter, r *http.Request) {
	var list []Reference
	err := json.NewDecoder(r.Body).Decode(&list)
	if err == nil && list == nil {
		err = errors.New("it is null") // which would delete everything
	}
	if err != nil {
		http.Error(w, "a list of {type, id} is expected: "+err.Error(), http.StatusBadRequest)
		return
	}
	kept := map[Reference]bool{}
	for _, ref := range list {
		kept[ref] = true
	}
	err = s.Cloud.Keep(r.Context(), func(typ, id string) bool { return kept[Reference{typ, id}] })
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// takesOwnTokens reports whether one connects to a stage with tokens of this
// machine.
func (s *Server) takesOwnTokens(api cloud.API) bool {
	return api.Identity != nil && api.Identity.URL == s.url()
}

// Endpoints answers /endpoints.json, from which the chat page learns what it
// can connect to, and "identity":"local" where it needs a token of POST /token.
func (s *Server) Endpoints(w http.ResponseWriter, r *http.Request) {
	type endpoint struct {
		Name     string `json:"name"`
		Stage    string `json:"stage"`
		Endpoint string `json:"endpoint"`
		Identity string `json:"identity,omitempty"`
	}
	list := []endpoint{}
	for _, api := range s.Cloud.Overview().APIs {
		one := endpoint{Name: api.Name, Stage: api.Stage, Endpoint: api.Endpoint}
		if s.takesOwnTokens(api) {
			one.Identity = "local"
		}
		list = append(list, one)
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, http.StatusOK, map[string]any{"endpoints": list})
}
