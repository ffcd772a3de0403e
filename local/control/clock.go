package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/chatstack/local/cloud"
)

// A passed tells how much time was let pass, and an advance asks for more; as Go
// writes durations: "2h10m0s".
type (
	passed struct {
		Advanced string `json:"advanced"`
	}
	advance struct {
		Advance string `json:"advance"`
	}
)

// by returns how much time is to be let pass where advanced has been already.
func (a advance) by(advanced time.Duration) (time.Duration, error) {
	if a.Advance == "" {
		return 0, errors.New(`advance is missing: {"advance": "10m"} lets ten minutes pass`)
	}
	d, err := time.ParseDuration(a.Advance)
	switch {
	case err != nil:
		return 0, fmt.Errorf("advance is %q: a duration is a number and its unit, as 10m or 1h30m", a.Advance)
	case d <= 0:
		return 0, fmt.Errorf("advance is %q: time passes forwards only; a reset takes back what was let pass", a.Advance)
	case d > cloud.MaxAdvanced-advanced:
		return 0, fmt.Errorf("advance is %q: at most %.0fh can be let pass in all, and %v were", a.Advance, cloud.MaxAdvanced.Hours(), advanced)
	}
	return d, nil
}

func (s *Server) clock(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, passed{s.Cloud.Advanced().String()})
}

func (s *Server) advanceClock(w http.ResponseWriter, r *http.Request) {
	var asked advance
	if !read(w, r, &asked) {
		return
	}
	d, err := asked.by(s.Cloud.Advanced())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.Cloud.Advance(r.Context(), d); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.clock(w, r)
}

func (s *Server) resetClock(w http.ResponseWriter, r *http.Request) {
	s.Cloud.ResetClock()
	s.clock(w, r)
}

// Advanced asks the cloud how much time was let pass since the last reset.
func (a Address) Advanced(ctx context.Context) (time.Duration, error) {
	return a.callClock(ctx, http.MethodGet, nil)
}

// Advance lets d pass for the cloud, and returns how much was let pass in all.
func (a Address) Advance(ctx context.Context, d time.Duration) (time.Duration, error) {
	return a.callClock(ctx, http.MethodPost, advance{d.String()})
}

// ResetClock takes back all the time that was let pass.
func (a Address) ResetClock(ctx context.Context) error {
	_, err := a.callClock(ctx, http.MethodDelete, nil)
	return err
}

func (a Address) callClock(ctx context.Context, method string, in any) (time.Duration, error) {
	var out passed
	if err := a.call(ctx, method, "clock", in, &out); err != nil {
		return 0, err
	}
	advanced, err := time.ParseDuration(out.Advanced)
	if err != nil {
		return 0, fmt.Errorf("local cloud: clock: %w", err)
	}
	return advanced, nil
}
