package connections

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// Close is [chat.Poster].Close. A 429 is not the client's doing here, so it is
// tried as often as anything that may pass.
func (p *Poster) Close(ctx context.Context, id string) error {
	if !isID(id) {
		return nil
	}
	if err := p.take(ctx); err != nil {
		return fmt.Errorf("close %s: %w", id, err)
	}
	defer func() { <-p.slots }()
	backoff := p.opts.Backoff
	for attempt := 1; ; attempt++ {
		result, err := p.attemptClose(ctx, id)
		switch {
		case result == delivered || result == gone:
			p.slow.remove(id)
			return nil
		case result == failed || attempt == p.opts.Attempts:
			return fmt.Errorf("close %s: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("close %s: %w", id, err)
		case <-time.After(rand.N(backoff)):
		}
		backoff *= 2
	}
}

func (p *Poster) attemptClose(ctx context.Context, id string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.AttemptTimeout)
	defer cancel()
	_, err := p.api.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: aws.String(id)})
	return classify(err), err
}
