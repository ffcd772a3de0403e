package gateway

import (
	"context"
	"sync"
	"sync/atomic"
)

// An endpoint is an API that is being served: its current deployment, its open
// connections, and everything that runs for them.
type endpoint struct {
	apiID      string
	options    *Options
	ids        idSource
	throttles  *throttles
	deployment atomic.Pointer[deployment]

	// ctx is that of every invocation. It ends after the connections.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu          sync.RWMutex
	connections map[string]*connection
	closing     bool

	// running counts upgrades, connections, what writes to them, and
	// invocations. It is added to only by enter, by what is itself counted, and
	// for a connection that has not ended and therefore is.
	running sync.WaitGroup
}

func newEndpoint(g *Gateway, d *deployment) *endpoint {
	e := &endpoint{
		apiID:       d.api.ID,
		options:     &g.options,
		ids:         g.ids,
		throttles:   g.throttles,
		connections: make(map[string]*connection),
	}
	e.deployment.Store(d)
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	return e
}

// enter counts an upgrade in. It reports false if the endpoint shuts down;
// otherwise the caller calls leave at its end.
func (e *endpoint) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return false
	}
	e.running.Add(1)
	return true
}

func (e *endpoint) leave() { e.running.Done() }

// add makes a connection reachable. It reports false if the endpoint shuts down
// or the connection's stage is gone.
func (e *endpoint) add(c *connection) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.deployment.Load().stages[c.stage]; !ok || e.closing {
		return false
	}
	e.connections[c.id.String()] = c
	return true
}

func (e *endpoint) remove(c *connection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.connections, c.id.String())
}

// connection finds an open connection of a stage.
func (e *endpoint) connection(stage, id string) (*connection, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c, ok := e.connections[id]
	return c, ok && c.stage == stage
}

func (e *endpoint) infos() []ConnectionInfo {
	e.mu.RLock()
	defer e.mu.RUnlock()
	infos := make([]ConnectionInfo, 0, len(e.connections))
	for _, c := range e.connections {
		infos = append(infos, c.info())
	}
	return infos
}

// redeploy swaps the deployment and closes the connections whose stage it does
// not have.
func (e *endpoint) redeploy(d *deployment) {
	var orphans []*connection
	e.mu.Lock()
	e.deployment.Store(d)
	for _, c := range e.connections {
		if _, ok := d.stages[c.stage]; !ok {
			orphans = append(orphans, c)
		}
	}
	e.mu.Unlock()
	for _, c := range orphans {
		c.close(goingAway)
	}
}

// shutdown closes every connection, gives what runs until the end of ctx, then
// cancels it, and returns when nothing runs any more.
func (e *endpoint) shutdown(ctx context.Context) {
	e.mu.Lock()
	e.closing = true
	open := make([]*connection, 0, len(e.connections))
	for _, c := range e.connections {
		open = append(open, c)
	}
	e.mu.Unlock()
	for _, c := range open {
		c.close(goingAway)
	}

	finished := make(chan struct{})
	go func() {
		e.running.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	e.cancel(errShutdown)
	<-finished
}
