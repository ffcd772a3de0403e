// Package connections delivers the chat's frames through the @connections API
// of API Gateway, one POST a connection and frame, and closes connections.
//
// It decides what an answer means: delivered, gone for good, to be tried again,
// or not to be had. What to do about it is the chat's business.
package connections

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"example.com/chatstack/chat"
)

// Options say how a Poster works. The zero value of each is fit for use.
type Options struct {
	// Concurrency is how many posts are under way at a time; 0 means 64. With
	// 10 ms a post that is 6,400 a second, well under the account's 10,000 for
	// all of API Gateway.
	Concurrency int
	// Attempts is how often a frame is posted to a connection before it counts
	// as undelivered; 0 means 6.
	Attempts int
	// Backoff is the longest pause before the second attempt; it doubles with
	// each. The pause itself is random between zero and that ("full jitter").
	// 0 means 100 ms.
	Backoff time.Duration
	// AttemptTimeout bounds one attempt; 0 means 3 s.
	AttemptTimeout time.Duration
	// Patience bounds the time in which a frame is posted again to a connection
	// that has no room for it, or that alone is not reached: from the first
	// attempt, or the last time that the frame reached anybody. 0 means 500 ms.
	Patience time.Duration
}

// A Poster is a [chat.Poster] over one API and stage. It may be used by several
// goroutines at once.
type Poster struct {
	api  *apigatewaymanagementapi.Client
	opts Options
	// slots bounds the posts of all calls together.
	slots chan struct{}
	slow  slow
}

// New makes a poster for the stage at endpoint, such as
// https://API.execute-api.REGION.amazonaws.com/STAGE, with the credentials and
// the Region of config. Make one a process: it holds the connections that make
// a post cheap.
func New(config aws.Config, endpoint string, opts Options) *Poster {
	if opts.Concurrency == 0 {
		opts.Concurrency = 64
	}
	if opts.Attempts == 0 {
		opts.Attempts = 6
	}
	if opts.Backoff == 0 {
		opts.Backoff = 100 * time.Millisecond
	}
	if opts.AttemptTimeout == 0 {
		opts.AttemptTimeout = 3 * time.Second
	}
	if opts.Patience == 0 {
		opts.Patience = 500 * time.Millisecond
	}
	api := apigatewaymanagementapi.NewFromConfig(config, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(endpoint)
		o.HTTPClient = newHTTPClient(opts.Concurrency)
		// The attempts here are the only ones: the SDK's own would multiply
		// them, and pause without regard to what else is to be posted.
		o.Retryer = aws.NopRetryer{}
	})
	return &Poster{api: api, opts: opts, slots: make(chan struct{}, opts.Concurrency)}
}

var _ chat.Poster = (*Poster)(nil)

// Post is [chat.Poster].Post.
func (p *Poster) Post(ctx context.Context, ids iter.Seq[string], frame []byte) chat.Outcome {
	c := call{Poster: p, frame: frame}
	var wg sync.WaitGroup
	for id := range ids {
		if err := p.take(ctx); err != nil {
			c.settle(id, failed, err)
			break
		}
		wg.Go(func() {
			defer func() { <-p.slots }()
			result, err := c.post(ctx, id)
			c.settle(id, result, err)
		})
	}
	wg.Wait()
	c.remember()
	return c.outcome
}

// take waits for a free slot, and takes none once ctx has ended.
func (p *Poster) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Poster) attempt(ctx context.Context, id string, frame []byte) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.AttemptTimeout)
	defer cancel()
	_, err := p.api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String(id),
		Data:         frame,
	})
	return classify(err), err
}
