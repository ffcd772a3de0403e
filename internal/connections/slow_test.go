package connections

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"example.com/chatstack/chat"
)

// An httpClient answers requests without a network, for tests in a bubble.
type httpClient func(id string) int

func (c httpClient) Do(r *http.Request) (*http.Response, error) {
	status := c(path.Base(r.URL.Path))
	if status == hangUp {
		return nil, errors.New("connection reset")
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// inMemory makes a poster whose posts get the statuses that answer gives.
func inMemory(opts Options, answer func(id string) int) *Poster {
	config := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	p := New(config, "https://api.example.com/prod", opts)
	options := p.api.Options()
	p.api = apigatewaymanagementapi.New(options, func(o *apigatewaymanagementapi.Options) { o.HTTPClient = httpClient(answer) })
	return p
}

func numbered(n int) (ids []string) {
	for i := range n {
		ids = append(ids, strconv.Itoa(i))
	}
	return ids
}

// A client that does not read costs the others no time once it is known, and
// little before.
func TestSlowConnectionHoldsUpNobody(t *testing.T) {
	for _, tt := range []struct {
		name         string
		status       int
		others       int
		first, later time.Duration // at most
	}{
		{"beside others", http.StatusTooManyRequests, 10, 600 * time.Millisecond, 0},
		{"alone", http.StatusTooManyRequests, 0, 600 * time.Millisecond, 0},
		{"beside others, with another error", http.StatusInternalServerError, 10, 600 * time.Millisecond, 600 * time.Millisecond},
		{"beside others, cut", hangUp, 10, 600 * time.Millisecond, 600 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ids := append(numbered(tt.others), "slow")
				p := inMemory(Options{}, func(id string) int {
					if id == "slow" {
						return tt.status
					}
					return http.StatusOK
				})
				for i := range 20 {
					began := time.Now()
					outcome := p.Post(t.Context(), slices.Values(ids), []byte("{}"))
					took, most := time.Since(began), tt.later
					if i == 0 {
						most = tt.first
					}
					if took > most {
						t.Errorf("frame %d took %v, want at most %v", i, took, most)
					}
					want := chat.Outcome{Delivered: tt.others, Undelivered: []string{"slow"}, Err: outcome.Err}
					if tt.status == http.StatusTooManyRequests {
						want.Busy = 1
						if i > 0 { // known by now
							want = chat.Outcome{Delivered: tt.others, Slow: 1, Err: outcome.Err}
						}
					}
					if !reflect.DeepEqual(outcome, want) || outcome.Err == nil {
						t.Errorf("frame %d: outcome %+v, want %+v", i, outcome, want)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

func TestSlowConnectionIsForgiven(t *testing.T) {
	for name, forgive := range map[string]func(post func() chat.Outcome, reads *bool){
		"as soon as a frame reaches it": func(post func() chat.Outcome, reads *bool) {
			*reads = true
			post()
			*reads = false
		},
		"after a while without frames": func(func() chat.Outcome, *bool) { time.Sleep(slowFor) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, reads := 0, false
				p := inMemory(Options{}, func(string) int {
					if posts++; !reads {
						return http.StatusTooManyRequests
					}
					return http.StatusOK
				})
				post := func() chat.Outcome {
					posts = 0
					return p.Post(t.Context(), slices.Values([]string{"slow"}), []byte("{}"))
				}
				post()
				if post(); posts != 1 {
					t.Fatalf("%d posts once it is known to be slow", posts)
				}
				forgive(post, &reads)
				if post(); posts < 2 {
					t.Errorf("%d post to a connection that is slow anew", posts)
				}
			})
		})
	}
	t.Run("those that are gone do not pile up", func(t *testing.T) {
		var s slow
		now := time.Unix(0, 0)
		for i := range 1000 {
			s.add(fmt.Sprint(i), now)
			now = now.Add(time.Second)
		}
		if n := len(s.until); n > 2*int(slowFor/time.Second)+2 {
			t.Errorf("%d are remembered", n)
		}
	})
}

// If more are refused than could all be slow, it is the account's rate that is
// used up: nobody is to blame, and everyone is tried as long as before.
func TestThrottlingIsNoSlowConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := make(chan string, 1e6)
		p := inMemory(Options{}, func(id string) int {
			posts <- id
			return http.StatusTooManyRequests
		})
		ids := numbered(chat.FewConnections + 1)
		for range 2 {
			outcome := p.Post(t.Context(), slices.Values(ids), []byte("{}"))
			if outcome.Busy != len(ids) || len(outcome.Undelivered) != len(ids) {
				t.Errorf("%d busy and %d undelivered of %d", outcome.Busy, len(outcome.Undelivered), len(ids))
			}
			if n := len(posts); n < 2*len(ids) {
				t.Errorf("%d posts to %d connections", n, len(ids))
			}
			for len(posts) > 0 {
				<-posts
			}
		}
	})
	t.Run("as long as some are reached, the others are tried", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			// One post under way for the refused, one for the others.
			p := inMemory(Options{Concurrency: 2, Attempts: 1000, Backoff: time.Millisecond}, func(id string) int {
				time.Sleep(100 * time.Millisecond)
				if id == "0" && time.Since(began) < 900*time.Millisecond {
					return http.StatusTooManyRequests
				}
				return http.StatusOK
			})
			outcome := p.Post(t.Context(), slices.Values(numbered(20)), []byte("{}"))
			if outcome.Delivered != 20 {
				t.Errorf("outcome %+v", outcome)
			}
		})
	})
}
