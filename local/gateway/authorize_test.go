package gateway_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/chatstack/local/gateway"
)

// denied is an error that says its own type.
type denied struct{}

func (denied) Error() string {
	return "User: nobody is not authorized to perform: execute-api:ManageConnections"
}

func (denied) ErrorCode() string { return "AccessDeniedException" }

// skewed says its own status, too.
type skewed struct{}

func (skewed) Error() string { return "Signature expired" }

func (skewed) ErrorCode() string { return "RequestTimeTooSkewed" }

func (skewed) StatusCode() int { return http.StatusBadRequest }

func TestAuthorizeDecidesOnResourceAndBody(t *testing.T) {
	t.Parallel()
	var resource, body string
	var refusal error
	r := start(t, declare(functions{}), gateway.Options{Authorize: func(r *http.Request, arn string) error {
		all, err := io.ReadAll(r.Body)
		resource, body = arn, string(all)
		return errors.Join(err, refusal)
	}})
	conn := r.dial()
	id := r.onlyID()
	if err := r.post(t.Context(), id, "hello"); err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5/prod/POST/@connections/{connectionId}"; resource != want {
		t.Errorf("resource %s, want %s", resource, want)
	}
	if got := receive(t, conn); body != "hello" || got != "hello" {
		t.Errorf("Authorize saw %q, the client %q", body, got)
	}

	// A signature covers the whole body, so a part of it would not match.
	large := strings.Repeat("x", 200<<10)
	if got := failure(r.post(t.Context(), id, large)); got != "413 PayloadTooLargeException" || body != large {
		t.Errorf("a message of 200 KB: %s; Authorize saw %d bytes of it", got, len(body))
	}
	if got := failure(r.post(t.Context(), id, strings.Repeat("x", 11<<20))); got != "413 PayloadTooLargeException" || body != large {
		t.Errorf("a message of 11 MB: %s", got)
	}

	refusal = errors.New("no")
	if got := failure(r.post(t.Context(), id, "hello")); got != "403 ForbiddenException" {
		t.Errorf("got %s", got)
	}
	if _, body := r.call(http.MethodGet, "/prod/@connections/"+id, ""); body != `{"message":"no"}` {
		t.Errorf("body %s", body)
	}
	refusal = skewed{}
	if got := failure(r.post(t.Context(), id, "hello")); got != "400 RequestTimeTooSkewed" {
		t.Errorf("got %s", got)
	}
	refusal = denied{}
	err := r.post(t.Context(), id, "hello")
	if got := failure(err); got != "403 AccessDeniedException" || !strings.Contains(err.Error(), "nobody is not authorized") {
		t.Errorf("got %s: %v", got, err)
	}
}
