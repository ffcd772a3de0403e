package gateway

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// A connection is one client's. Its life:
//
//	newConnection → $connect runs → 101, attach → serve → close → $disconnect
//
// One goroutine reads frames, one writes them while there are some to write, and
// each message that is with its function has one.
type connection struct {
	endpoint    *endpoint
	id          rawID
	stage       string
	domainName  string
	identity    identity
	connectedAt time.Time
	authorizer  parameters[any] // what an authorizer told of the client, or nil
	latency     time.Duration   // of the authorizer

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
		domainName:  strings.Clone(r.Host), // not the whole request
		identity:    identity{UserAgent: strings.Clone(r.UserAgent()), SourceIP: sourceIP(r)},
		connectedAt: now,
		slots:       make(chan struct{}, e.options.Limits.InFlight),
		outbox:      newOutbox(&e.options.Limits, e.running.Go),
		closing:     make(chan struct{}),
	}
	c.lastActive.Store(now.UnixNano())
	return c
}

// log is made when it is needed: most connections have little to say.
func (c *connection) log() *slog.Logger {
	return c.endpoint.options.Log.With("apiId", c.endpoint.apiID, "connectionId", c.id.String())
}

// attach gives the open connection its socket.
func (c *connection) attach(conn net.Conn, ahead *bufio.Reader) {
	c.frames = newFrameReader(conn, ahead, &c.endpoint.options.Limits, c.pong)
	c.outbox.attach(conn)
	c.touch()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	c.watch()
	c.log().Debug("connection opened") // not in serve, whose goroutine would keep the stack that it takes
}

// serve reads messages until the connection closes, then runs $disconnect.
func (c *connection) serve() {
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
	<-c.outbox.done
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
		c.log().Warn("client violates the protocol or a limit", "error", err)
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
	return true
}

// disconnect runs the $disconnect route, whose response nobody waits for.
func (c *connection) disconnect(status closeStatus) {
	c.log().Debug("connection closed", "code", status.code, "reason", status.reason)
	e := c.endpoint
	route, ok := e.deployment.Load().routes[disconnectRoute]
	if !ok {
		return
	}
	if lose := e.options.LoseDisconnect; lose != nil && lose(c.id.String()) {
		c.log().Info("$disconnect lost on purpose")
		return
	}
	event := c.disconnectEvent(e.ids.request(), e.options.Clock.Now(), status)
	if _, err := e.call(c.callee(route), event.encode()); err != nil {
		c.log().Warn("$disconnect failed", "error", err)
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
