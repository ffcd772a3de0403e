package control

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"example.com/chatstack/local/fault"
)

func (s *Server) faults(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.Cloud.Faults().List())
}

func (s *Server) addFault(w http.ResponseWriter, r *http.Request) {
	var rule fault.Rule
	if !read(w, r, &rule) {
		return
	}
	added, err := s.Cloud.Faults().Add(rule)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, http.StatusCreated, added)
}

func (s *Server) removeFault(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !s.Cloud.Faults().Remove(id) {
		others := "none is in force"
		if rules := s.Cloud.Faults().List(); len(rules) > 0 {
			var ids []string
			for _, rule := range rules {
				ids = append(ids, rule.ID)
			}
			others = "in force are " + strings.Join(ids, ", ")
		}
		http.Error(w, fmt.Sprintf("there is no fault rule %s: %s", id, others), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) clearFaults(w http.ResponseWriter, _ *http.Request) {
	s.Cloud.Faults().Clear()
	w.WriteHeader(http.StatusNoContent)
}

// Faults asks the cloud for the fault rules in force.
func (a Address) Faults(ctx context.Context) ([]fault.Rule, error) {
	var rules []fault.Rule
	err := a.call(ctx, http.MethodGet, "faults", nil, &rules)
	return rules, err
}

// AddFault puts a rule into force, and returns it as it is then.
func (a Address) AddFault(ctx context.Context, rule fault.Rule) (fault.Rule, error) {
	var added fault.Rule
	err := a.call(ctx, http.MethodPost, "faults", rule, &added)
	return added, err
}

// RemoveFault takes one rule out of force.
func (a Address) RemoveFault(ctx context.Context, id string) error {
	return a.call(ctx, http.MethodDelete, "faults/"+url.PathEscape(id), nil, nil)
}

// ClearFaults takes every rule out of force.
func (a Address) ClearFaults(ctx context.Context) error {
	return a.call(ctx, http.MethodDelete, "faults", nil, nil)
}
