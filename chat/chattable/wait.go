package chattable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/chatstack/chat"
)

// A RejectedError says why a request was rejected, in a sentence for a person.
type RejectedError struct{ Reason string }

func (e *RejectedError) Error() string { return e.Reason }

// waitEvery is how often it is looked whether a request has been dealt with.
const waitEvery = 100 * time.Millisecond

// await waits until a request is gone, and returns a RejectedError if it has an
// error instead.
func (t *Table) await(ctx context.Context, request item) error {
	next := time.NewTicker(waitEvery)
	defer next.Stop()
	for {
		i, err := t.getEvenExpired(ctx, request)
		switch {
		case errors.Is(err, chat.ErrGone):
			return nil
		case err != nil:
			return err
		case textOf(i, "error") != "":
			return &RejectedError{Reason: textOf(i, "error")}
		}
		select {
		case <-ctx.Done():
			return wrap("wait for", request, fmt.Errorf("not done yet: %w", context.Cause(ctx)))
		case <-next.C:
		}
	}
}
