package connections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.uber.org/goleak"

	"example.com/chatstack/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An api is an @connections API that answers each connection's posts by a
// script of statuses; what is not in the script is answered 200.
type api struct {
	*httptest.Server
	mu      sync.Mutex
	script  map[string][]int
	frames  map[string][]string
	posts   map[string]int // and closes
	closed  []string
	before  func(id string) // called before each answer
	dialled atomic.Int64
}

func newAPI(t *testing.T) *api {
	a := &api{
		script: map[string][]int{}, frames: map[string][]string{}, posts: map[string]int{},
		before: func(string) {},
	}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			a.dialled.Add(1)
		}
	}
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutPrefix(r.URL.Path, "/prod/@connections/")
	frame, err := io.ReadAll(r.Body)
	if !ok || err != nil || r.Method != http.MethodPost && r.Method != http.MethodDelete || !strings.Contains(r.Header.Get("Authorization"), "/execute-api/") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	a.before(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.posts[id]++
	status := http.StatusOK
	if script := a.script[id]; len(script) > 0 {
		status, a.script[id] = script[0], script[1:]
	}
	switch status {
	case http.StatusOK:
		if r.Method == http.MethodDelete {
			a.closed = append(a.closed, id)
			status = http.StatusNoContent
			break
		}
		a.frames[id] = append(a.frames[id], string(frame))
	case http.StatusGone:
		w.Header().Set("X-Amzn-ErrorType", "GoneException")
	case bareGone:
		status = http.StatusGone
	case hangUp:
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// Answers beside the HTTP statuses.
const (
	bareGone = -1 // 410 without its type in a header
	hangUp   = -2 // the TCP connection is cut
)

func (a *api) poster(t *testing.T, opts Options) *Poster {
	t.Helper()
	if opts.Backoff == 0 {
		opts.Backoff = time.Millisecond
	}
	config := aws.Config{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "token"),
	}
	return New(config, a.URL+"/prod", opts)
}

func sorted(ids []string) []string {
	slices.Sort(ids)
	return ids
}

func TestPost(t *testing.T) {
	a := newAPI(t)
	p := a.poster(t, Options{})
	ids := []string{"R1kmxc2VNjMCFIA=", "a-b_c=", "plain"}
	frame := []byte(`{"event":"channel_message","content":"é"}`)
	outcome := p.Post(t.Context(), slices.Values(ids), frame)
	if outcome.Delivered != 3 || outcome.Err != nil || outcome.Gone != nil || outcome.Undelivered != nil {
		t.Errorf("outcome %+v", outcome)
	}
	for _, id := range ids {
		if got := a.frames[id]; !slices.Equal(got, []string{string(frame)}) {
			t.Errorf("%s got %q", id, got)
		}
	}
}

func TestAnIDThatIsAPathIsGoneWithoutAPost(t *testing.T) {
	a := newAPI(t)
	ids := []string{"a/b", "../x", "/", "@connections/x"}
	outcome := a.poster(t, Options{}).Post(t.Context(), slices.Values(ids), []byte("{}"))
	if !slices.Equal(sorted(outcome.Gone), sorted(ids)) || len(a.posts) != 0 {
		t.Errorf("outcome %+v after posts %v", outcome, a.posts)
	}
}

func TestPostToNobody(t *testing.T) {
	p := newAPI(t).poster(t, Options{})
	outcome := p.Post(t.Context(), slices.Values([]string{}), []byte("{}"))
	if outcome.Delivered != 0 || outcome.Err != nil {
		t.Errorf("outcome %+v", outcome)
	}
}

// The classes of answers, each after what may precede it.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []int
		want   string // delivered, gone or undelivered
		posts  int
	}{
		{"delivered", nil, "delivered", 1},
		{"gone", []int{410}, "gone", 1},
		{"gone without its type", []int{bareGone}, "gone", 1},
		{"malformed id", []int{400}, "gone", 1},
		{"429 passes", []int{429, 429}, "delivered", 3},
		{"500 passes", []int{500, 502, 503, 504}, "delivered", 5},
		{"cut connection passes", []int{hangUp}, "delivered", 2},
		{"gone after a throttle", []int{429, 410}, "gone", 2},
		{"429 does not pass", []int{429, 429, 429, 429, 429, 429, 429}, "undelivered", 6},
		{"500 does not pass", []int{500, 500, 500, 500, 500, 500, 500}, "undelivered", 6},
		{"403 is not tried again", []int{403}, "undelivered", 1},
		{"413 is not tried again", []int{413}, "undelivered", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAPI(t)
			a.script["x"] = tt.script
			outcome := a.poster(t, Options{}).Post(t.Context(), slices.Values([]string{"x"}), []byte("{}"))
			got := map[string]int{"delivered": outcome.Delivered, "gone": len(outcome.Gone), "undelivered": len(outcome.Undelivered)}
			if got[tt.want] != 1 || got["delivered"]+got["gone"]+got["undelivered"] != 1 {
				t.Errorf("outcome %+v, want it %s", outcome, tt.want)
			}
			if (outcome.Err != nil) != (tt.want == "undelivered") {
				t.Errorf("error %v", outcome.Err)
			}
			if a.posts["x"] != tt.posts {
				t.Errorf("%d posts, want %d", a.posts["x"], tt.posts)
			}
		})
	}
}

// Defect 3 of the 2018 example: every error but 410 was swallowed once the SDK
// had tried again, and the frame was lost without a word.
func TestDefect3NothingIsLostInSilence(t *testing.T) {
	a := newAPI(t)
	var ids, delivered, gone, undelivered []string
	for i := range 200 {
		id := fmt.Sprintf("c%03d", i)
		ids = append(ids, id)
		switch i % 5 {
		case 0:
			a.script[id] = []int{410}
			gone = append(gone, id)
		case 1:
			a.script[id] = []int{500, 429, 500, 429, 500, 429}
			undelivered = append(undelivered, id)
		case 2:
			a.script[id] = []int{429, hangUp}
			delivered = append(delivered, id)
		default:
			delivered = append(delivered, id)
		}
	}
	outcome := a.poster(t, Options{}).Post(t.Context(), slices.Values(ids), []byte("{}"))
	if outcome.Delivered != len(delivered) || !slices.Equal(sorted(outcome.Gone), gone) || !slices.Equal(sorted(outcome.Undelivered), undelivered) {
		t.Errorf("delivered %d of %d, gone %v, undelivered %v", outcome.Delivered, len(delivered), outcome.Gone, outcome.Undelivered)
	}
	for _, id := range delivered {
		if len(a.frames[id]) != 1 {
			t.Errorf("%s got %d frames", id, len(a.frames[id]))
		}
	}
}

func TestConcurrencyIsBoundedAndConnectionsAreReused(t *testing.T) {
	const concurrency = 16
	a := newAPI(t)
	var now, most atomic.Int64
	a.before = func(string) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
	}
	p := a.poster(t, Options{Concurrency: concurrency})
	var wg sync.WaitGroup
	for range 4 { // the bound holds for all calls together
		wg.Go(func() {
			outcome := p.Post(t.Context(), func(yield func(string) bool) {
				for i := range 200 {
					if !yield(fmt.Sprint(i)) {
						return
					}
				}
			}, []byte("{}"))
			if outcome.Delivered != 200 {
				t.Errorf("outcome %+v", outcome)
			}
		})
	}
	wg.Wait()
	if got := most.Load(); got > concurrency || got < 2 {
		t.Errorf("%d posts at a time, want at most %d", got, concurrency)
	}
	if got := a.dialled.Load(); got > concurrency {
		t.Errorf("%d connections opened for 800 posts, want at most %d", got, concurrency)
	}
}

func TestIDsAreTakenAsTheyAreNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := inMemory(Options{Concurrency: 4}, func(string) int { <-release; return http.StatusOK })
		taken := 0
		done := make(chan chat.Outcome)
		go func() {
			done <- p.Post(t.Context(), func(yield func(string) bool) {
				for i := range 100 {
					taken++
					if !yield(fmt.Sprint(i)) {
						return
					}
				}
			}, []byte("{}"))
		}()
		synctest.Wait() // for all to wait
		if taken != 5 { // four under way and one waiting
			t.Errorf("%d ids taken while four posts hang", taken)
		}
		close(release)
		if outcome := <-done; outcome.Delivered != 100 {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestTheEndOfTheContextStopsEverythingAndNamesWhatIsLeft(t *testing.T) {
	a := newAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	p := a.poster(t, Options{Concurrency: 4, Backoff: time.Hour, Attempts: 100})
	for i := range 100 {
		a.script[fmt.Sprint(i)] = []int{429, 429}
	}
	a.before = func(id string) {
		if id == "3" {
			cancel() // four posts are under way or wait for an hour
		}
	}
	taken := 0
	outcome := p.Post(ctx, func(yield func(string) bool) {
		for i := range 100 {
			taken++
			if !yield(fmt.Sprint(i)) {
				return
			}
		}
	}, []byte("{}"))
	if taken == 100 {
		t.Error("went on taking ids")
	}
	if outcome.Delivered+len(outcome.Gone)+len(outcome.Undelivered) != taken {
		t.Errorf("of %d ids taken, the outcome is %+v", taken, outcome)
	}
	if outcome.Err == nil {
		t.Error("no error")
	}
}

func TestNoAttemptThatTheDeadlineWouldCut(t *testing.T) {
	a := newAPI(t)
	a.script["x"] = slices.Repeat([]int{500}, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	p := a.poster(t, Options{Backoff: 1000 * time.Hour, Attempts: 100})
	outcome := p.Post(ctx, slices.Values([]string{"x"}), []byte("{}"))
	if !slices.Equal(outcome.Undelivered, []string{"x"}) || ctx.Err() != nil {
		t.Errorf("outcome %+v, context %v", outcome, ctx.Err())
	}
}

func TestAnAttemptThatHangsIsGivenUp(t *testing.T) {
	a := newAPI(t)
	hang := make(chan struct{})
	var first atomic.Bool
	a.before = func(string) {
		if first.CompareAndSwap(false, true) {
			<-hang
		}
	}
	p := a.poster(t, Options{AttemptTimeout: 50 * time.Millisecond})
	outcome := p.Post(t.Context(), slices.Values([]string{"x"}), []byte("{}"))
	close(hang)
	if outcome.Delivered != 1 {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestNoServer(t *testing.T) {
	a := newAPI(t)
	a.Close()
	outcome := a.poster(t, Options{}).Post(t.Context(), slices.Values([]string{"x"}), []byte("{}"))
	if !slices.Equal(outcome.Undelivered, []string{"x"}) || outcome.Err == nil || errors.Is(outcome.Err, chat.ErrGone) {
		t.Errorf("outcome %+v", outcome)
	}
}

// BenchmarkPost delivers a frame of 200 bytes to b.N connections over loopback
// HTTP, signed. It prints the rate, and as a multiple of the 10,000 requests a
// second that an account has for all of API Gateway by default: above 1, one
// function can use up the quota alone.
func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	config := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "token")}
	p := New(config, server.URL+"/prod", Options{})
	frame := []byte(strings.Repeat("x", 200))
	b.ResetTimer()
	p.Post(b.Context(), func(yield func(string) bool) {
		for range b.N {
			if !yield("R1kmxc2VNjMCFIA=") {
				return
			}
		}
	}, frame)
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "posts/s")
	b.ReportMetric(rate/10_000, "×quota")
}
