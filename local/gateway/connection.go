package gateway

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// A connection is one client's. Its life:
//
//	newConnection → $connect runs → 101, attach → serve → close → $disconnect
//
// One goroutine reads frames, one writes them, and each message that is with
// its function has one.
type connection struct {
	endpoint    *endpoint
	id          rawID
	stage       string
	domainName  string
	identity    identity
	connectedAt time.Time
	authorizer  parameters[any] // what an authorizer told of the client, or nil
	latency     time.Duration   // of the authorizer
	log         *slog.Logger

	frames *frameReader
	outbox *outbox
	slots  chan struct{} // one for each message that may be with its function

	lastActive atomic.Int64 // Unix nanoseconds

	mu        sync.Mutex
	conn      net.Conn      // nil until the connection is open
	status    *closeStatus  // why it closes; nil while it is open
	stopTimer func() bool   // of the age limits
	closing   chan struct{} // closed once status is set
}

// A closeStatus is why a connection closed, as the $disconnect event tells it.
type closeStatus struct {
	code   ws.StatusCode
	reason string
}

// The statuses with a text that was seen on AWS. The others have none.
var (
	goingAway       = closeStatus{ws.StatusGoingAway, "Going away"}
	closedNormally  = closeStatus{ws.StatusNormalClosure, "Connection Closed Normally"}
	statusNotSet    = closeStatus{ws.StatusNoStatusRcvd, "Client-side close frame status not set"}
	vanished        = closeStatus{ws.StatusAbnormalClosure, ""}
	protocolError   = closeStatus{ws.StatusProtocolError, ""}
	unsupportedData = closeStatus{ws.StatusUnsupportedData, ""}
	invalidPayload  = closeStatus{ws.StatusInvalidFramePayloadData, ""}
	messageTooBig   = closeStatus{ws.StatusMessageTooBig, ""}
)

func (e *endpoint) newConnection(r *http.Request, stage string) *connection {
	now := e.options.Clock.Now()
	c := &connection{
		endpoint:    e,
		id:          e.ids.connection(),
		stage:       stage,
		domainName:  r.Host,
		identity:    identity{UserAgent: r.UserAgent(), SourceIP: sourceIP(r)},
		connectedAt: now,
		slots:       make(chan struct{}, e.options.Limits.InFlight),
		outbox:      newOutbox(e.options.Limits),
		closing:     make(chan struct{}),
	}
	c.log = e.options.Log.With("apiId", e.apiID, "connectionId", c.id.String())
	c.lastActive.Store(now.UnixNano())
	return c
}

// attach gives the open connection its socket.
func (c *connection) attach(conn net.Conn, buffered *bufio.Reader) {
	limits := c.endpoint.options.Limits
	c.frames = newFrameReader(buffered, limits, c.pong)
	c.outbox.attach(conn)
	c.touch()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	if c.status != nil { // closed before it was open
		c.expectEnd()
	}
	c.watch()
}

// serve reads messages until the connection closes, then runs $disconnect.
func (c *connection) serve() {
	written := make(chan struct{})
	c.endpoint.running.Go(func() {
		defer close(written)
		if err := c.outbox.run(); err != nil {
			// The reader notices, and decides what it means.
			_ = c.conn.Close()
		}
	})
	c.log.Debug("connection opened")

	for {
		message, err := c.frames.next()
		if err != nil {
			c.end(err)
			break
		}
		if !c.receive(message) {
			c.frames.drain()
			break
		}
	}
	<-written
	_ = c.conn.Close()

	c.disconnect(*c.status)
}

// end closes the connection for what the reader met.
func (c *connection) end(err error) {
	var byClient clientClose
	var violation violation
	switch {
	case errors.As(err, &byClient):
		c.close(closeStatus(byClient))
	case errors.As(err, &violation):
		c.log.Warn("client violates the protocol or a limit", "error", err)
		c.close(violation.status)
		c.frames.drain()
	default: // the socket ended without a close frame
		c.close(vanished)
		_ = c.conn.Close()
	}
}

// close begins the end of the connection: it is no longer reachable, and the
// client is sent a close frame behind all that was sent before. Only the first
// call has an effect, and reports true. It does not wait; serve ends then.
func (c *connection) close(status closeStatus) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != nil {
		return false
	}
	c.status = &status
	if c.stopTimer != nil {
		c.stopTimer()
	}
	c.endpoint.remove(c)
	if status == vanished {
		c.outbox.abandon()
	} else {
		c.outbox.finish(closeFrame(status))
	}
	close(c.closing)
	if c.conn != nil {
		c.expectEnd()
	}
	return true
}

// expectEnd gives the client time to answer the close frame, no more. c.mu is
// held.
func (c *connection) expectEnd() {
	_ = c.conn.SetDeadline(time.Now().Add(c.endpoint.options.Limits.CloseHandshake))
}

// disconnect runs the $disconnect route, whose response nobody waits for.
func (c *connection) disconnect(status closeStatus) {
	c.log.Debug("connection closed", "code", status.code, "reason", status.reason)
	e := c.endpoint
	route, ok := e.deployment.Load().routes[disconnectRoute]
	if !ok {
		return
	}
	if lose := e.options.LoseDisconnect; lose != nil && lose(c.id.String()) {
		c.log.Info("$disconnect lost on purpose")
		return
	}
	event := c.disconnectEvent(e.ids.request(), e.options.Clock.Now(), status)
	if _, err := e.call(c.callee(route), event.encode()); err != nil {
		c.log.Warn("$disconnect failed", "error", err)
	}
}

func (c *connection) info() ConnectionInfo {
	return ConnectionInfo{
		ID:           c.id.String(),
		Stage:        c.stage,
		SourceIP:     c.identity.SourceIP,
		UserAgent:    c.identity.UserAgent,
		ConnectedAt:  c.connectedAt,
		LastActiveAt: time.Unix(0, c.lastActive.Load()),
	}
}
