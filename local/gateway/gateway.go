package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"example.com/chatstack/local/clock"
)

// Options are what a [Gateway] needs from its surroundings.
type Options struct {
	// Invoker runs the functions of integrations. Required.
	Invoker Invoker

	// Log gets failures of functions and clients, never a message's content.
	// Default: nothing is logged.
	Log *slog.Logger

	// Clock gives times and ages. Default: one of the gateway's own, on which
	// only real time passes.
	Clock *clock.Clock

	// Random is where ids come from; it must be safe for concurrent use.
	// Default: crypto/rand.
	Random io.Reader

	// Limits default to those of AWS.
	Limits Limits

	// Authorize decides on each request to @connections, signed or not. resource is
	// the ARN that execute-api:ManageConnections must be allowed on. r is the
	// request with its whole body, which Authorize may read. The text of an error
	// is shown to the caller, with 403 and the type ForbiddenException, or those of
	// the error's StatusCode() int and ErrorCode() string methods if it has them.
	// (SDKs do not show the text of a ForbiddenException, whose model has none.)
	// Default: everyone may do everything.
	Authorize func(r *http.Request, resource string) error

	// PostFault is asked for every POST @connections that is allowed and well
	// formed, before the connection is looked up. It may wait. 0 goes on; 410,
	// 429 and 500 are answered as AWS answers them, and nothing is sent; any
	// other status is an internal error. ctx ends with the request. Default:
	// no faults.
	PostFault func(ctx context.Context, connectionID string) (status int)

	// LoseDisconnect is asked when the $disconnect of a connection is due; true
	// means that it never happens, as AWS does not guarantee it. Default: none
	// is lost.
	LoseDisconnect func(connectionID string) bool
}

// A Gateway runs WebSocket APIs. Its methods may be called concurrently.
type Gateway struct {
	options   Options
	ids       idSource
	throttles *throttles

	mu        sync.Mutex
	endpoints map[string]*endpoint
	closed    bool
}

// New returns a gateway without APIs.
func New(options Options) *Gateway {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Clock == nil {
		options.Clock = new(clock.Clock)
	}
	if options.Random == nil {
		options.Random = rand.Reader
	}
	options.Limits = options.Limits.withDefaults()
	return &Gateway{
		options:   options,
		ids:       idSource{options.Random},
		throttles: newThrottles(options.Limits),
		endpoints: make(map[string]*endpoint),
	}
}

// Put declares an API or replaces its declaration. Open connections stay open
// and see the new routes with their next message, except those to a stage that
// is gone, which close with 1001. What AWS would refuse, or what cannot be run
// here, is an error that names all of it, and changes nothing.
func (g *Gateway) Put(api API) error {
	d, err := deploy(api, g.options.Limits)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return fmt.Errorf("gateway: api %s: the gateway is closed", api.ID)
	}
	g.options.Log.Debug("api put", "apiId", api.ID, "name", api.Name, "routes", len(d.routes))
	if e, ok := g.endpoints[api.ID]; ok {
		e.redeploy(d)
		return nil
	}
	g.endpoints[api.ID] = newEndpoint(g, d)
	return nil
}

// Delete closes the connections of an API with 1001, runs $disconnect for
// them, and returns when nothing of the API runs any more. Functions that take
// longer than [Limits.Shutdown] are cancelled. An unknown id is ignored.
func (g *Gateway) Delete(apiID string) {
	g.mu.Lock()
	e := g.endpoints[apiID]
	delete(g.endpoints, apiID)
	g.mu.Unlock()
	if e != nil {
		ctx, cancel := context.WithTimeout(context.Background(), g.options.Limits.Shutdown)
		defer cancel()
		e.shutdown(ctx)
	}
}

// Close deletes every API, all at the same time, and refuses further ones.
// When ctx ends, what still runs is cancelled; Close nevertheless waits for it.
func (g *Gateway) Close(ctx context.Context) {
	g.mu.Lock()
	g.closed = true
	endpoints := g.endpoints
	g.endpoints = nil
	g.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, g.options.Limits.Shutdown)
	defer cancel()
	var all sync.WaitGroup
	for _, e := range endpoints {
		all.Go(func() { e.shutdown(ctx) })
	}
	all.Wait()
}

// Connections returns the open connections of an API, the oldest first.
func (g *Gateway) Connections(apiID string) []ConnectionInfo {
	e, ok := g.endpoint(apiID)
	if !ok {
		return nil
	}
	infos := e.infos()
	slices.SortFunc(infos, func(a, b ConnectionInfo) int { return a.ConnectedAt.Compare(b.ConnectedAt) })
	return infos
}

func (g *Gateway) endpoint(apiID string) (*endpoint, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.endpoints[apiID]
	return e, ok
}

// errShutdown is why functions of an API that went away are cancelled.
var errShutdown = errors.New("the API was deleted")
