package control

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"example.com/chatstack/local/cloud"
)

// A Server answers the control API of one cloud, under /control/.
type Server struct {
	Cloud *cloud.Cloud
	Page  string // URL of the chat page
	Token string
	Since time.Time
	Stop  context.CancelFunc // ends the cloud's process
}

// Handler returns the API:
//
//	GET  /control/status     what runs (Status)
//	POST /control/keep       a list of References: delete every resource that is not among them
//	POST /control/shutdown   stop everything and end
//
// Each call carries "Authorization: Bearer TOKEN", which a page in a browser
// does not know.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control/status", s.status)
	mux.HandleFunc("POST /control/keep", s.keep)
	mux.HandleFunc("POST /control/shutdown", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		s.Stop()
	})
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
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(Status{Since: s.Since, Page: s.Page, Client: s.Cloud.Client(), Overview: s.Cloud.Overview()})
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

// Endpoints answers /endpoints.json, from which the chat page learns what it
// can connect to.
func (s *Server) Endpoints(w http.ResponseWriter, r *http.Request) {
	type endpoint struct {
		Name     string `json:"name"`
		Stage    string `json:"stage"`
		Endpoint string `json:"endpoint"`
	}
	list := []endpoint{}
	for _, api := range s.Cloud.Overview().APIs {
		list = append(list, endpoint{api.Name, api.Stage, api.Endpoint})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]any{"endpoints": list})
}
