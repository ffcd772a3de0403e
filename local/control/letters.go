package control

import (
	"context"
	"net/http"

	"example.com/chatstack/local/cloud"
)

func (s *Server) letters(w http.ResponseWriter, r *http.Request) {
	letters, err := s.Cloud.DeadLetters(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, letters)
}

func (s *Server) clearLetters(w http.ResponseWriter, _ *http.Request) {
	if err := s.Cloud.ClearDeadLetters(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// DeadLetters asks the cloud for what its event source mappings gave up, the
// newest first.
func (a Address) DeadLetters(ctx context.Context) ([]cloud.Letter, error) {
	var list []cloud.Letter
	err := a.call(ctx, http.MethodGet, "dlq", nil, &list)
	return list, err
}

// ClearDeadLetters empties the cloud's queues.
func (a Address) ClearDeadLetters(ctx context.Context) error {
	return a.call(ctx, http.MethodDelete, "dlq", nil, nil)
}
