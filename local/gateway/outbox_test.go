package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"

	"example.com/chatstack/local/gateway"
)

func TestSlowClientIsRefusedPostsAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	limits := gateway.Limits{SendBuffer: 200 << 10, CloseHandshake: 50 * time.Millisecond}
	r := start(t, declare(functions{}), gateway.Options{Limits: limits})
	slow := r.raw("/prod", nil) // never reads
	slowID := r.onlyID()
	other := r.dial()
	var otherID string
	for _, info := range r.Connections(r.apiID) {
		if info.ID != slowID {
			otherID = info.ID
		}
	}

	// Fill the sockets' buffers, then the gateway's own.
	text := strings.Repeat("x", 128<<10)
	var err error
	sent := 0
	for ; err == nil; sent++ {
		if sent > 1000 {
			t.Fatal("128 MB were taken for a client that does not read")
		}
		err = r.post(t.Context(), slowID, text)
	}
	var limit *types.LimitExceededException
	if !errors.As(err, &limit) || failure(err) != "429 LimitExceededException" {
		t.Fatalf("got %v", err)
	}
	if err := r.post(t.Context(), otherID, "hello"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, other); got != "hello" {
		t.Errorf("got %q", got)
	}
	// Once it reads, all that was accepted is there, and it is written to again.
	for range sent - 1 {
		for fin := false; !fin; {
			fin = slow.readFrame().Header.Fin
		}
	}
	eventually(t, "a post is accepted again", func() bool { return r.post(t.Context(), slowID, "x") == nil })
}

func TestClientThatNeverReadsVanishes(t *testing.T) {
	t.Parallel()
	disconnect, disconnected := recorded(ok)
	fns := functions{"$disconnect": disconnect}
	limits := gateway.Limits{SendBuffer: 64 << 20, Stall: 50 * time.Millisecond}
	r := start(t, declare(fns), gateway.Options{Invoker: fns, Limits: limits})
	r.raw("/prod", nil)
	id := r.onlyID()
	text := strings.Repeat("x", 128<<10)
	eventually(t, "the connection is gone", func() bool { return r.post(t.Context(), id, text) != nil })
	if got := next(t, disconnected).closed(); got != "1006 " {
		t.Errorf("$disconnect sees %q", got)
	}
}
