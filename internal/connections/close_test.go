package connections

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestCloseCloses(t *testing.T) {
	a := newAPI(t)
	p := a.poster(t, Options{})
	for id, script := range map[string][]int{
		"open=":     nil,
		"throttled": {http.StatusTooManyRequests, http.StatusTooManyRequests},
		"faulty":    {http.StatusInternalServerError, hangUp},
	} {
		a.script[id] = script
		if err := p.Close(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if !slices.Contains(a.closed, id) {
			t.Errorf("%s is not closed", id)
		}
	}
}

func TestClosingWhatDoesNotExistIsDone(t *testing.T) {
	a := newAPI(t)
	p := a.poster(t, Options{})
	a.script["gone"] = []int{http.StatusGone}
	a.script["bare"] = []int{bareGone}
	a.script["no id"] = []int{http.StatusBadRequest}
	for _, id := range []string{"gone", "bare", "no id", "no/id"} {
		if err := p.Close(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(a.closed) != 0 || a.posts["no/id"] != 0 {
		t.Errorf("closed %v, asked %v", a.closed, a.posts)
	}
}

func TestCloseSaysWhatItCouldNotDo(t *testing.T) {
	a := newAPI(t)
	p := a.poster(t, Options{Attempts: 3})
	a.script["forbidden"] = []int{http.StatusForbidden}
	a.script["faulty"] = []int{500, 500, 500, 500}
	for id, attempts := range map[string]int{"forbidden": 1, "faulty": 3} {
		if err := p.Close(t.Context(), id); err == nil || a.posts[id] != attempts {
			t.Errorf("%s: %v after %d attempts, want %d", id, err, a.posts[id], attempts)
		}
	}
}

func TestCloseEndsWithItsContext(t *testing.T) {
	a := newAPI(t)
	p := a.poster(t, Options{Backoff: time.Hour})
	a.script["busy"] = []int{429, 429, 429, 429, 429, 429}
	ctx, cancel := context.WithCancel(t.Context())
	var attempts atomic.Int32
	a.before = func(string) { attempts.Add(1); cancel() }
	for range 2 { // the second one once it has ended
		if err := p.Close(ctx, "busy"); err == nil || attempts.Load() != 1 {
			t.Errorf("%v after %d attempts, want an error after 1", err, attempts.Load())
		}
	}
}
