package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// An upgradeRequest is what the $connect event tells of the request.
type upgradeRequest struct {
	requestID rawID
	headers   values
	query     values
}

// upgrade answers a request to open a connection: it runs $connect, if there is
// one, and only then switches protocols.
func (e *endpoint) upgrade(w http.ResponseWriter, r *http.Request, stage string) {
	if !e.enter() {
		fail(w, http.StatusForbidden, "ForbiddenException", string(forbidden))
		return
	}
	defer e.leave()
	c := e.newConnection(r, stage)
	request := upgradeRequest{
		requestID: e.ids.request(),
		headers:   eventHeaders(r, c.identity.SourceIP, e.ids.trace(c.connectedAt)),
		query:     values(r.URL.Query()),
	}
	refuse := func(status int, why notice) {
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		w.WriteHeader(status)
		_, _ = w.Write(why.encode(c.id, request.requestID))
	}

	if status, message := checkHandshake(r); status != 0 {
		refuse(status, notice(message))
		return
	}
	if !e.throttles.connects.Allow() {
		refuse(http.StatusTooManyRequests, tooManyRequests)
		return
	}
	status, why, subprotocol := e.connect(c, request)
	if status != http.StatusSwitchingProtocols {
		refuse(status, why)
		return
	}
	if r.Context().Err() != nil {
		c.log().Info("client vanished during $connect")
		c.disconnect(vanished)
		w.WriteHeader(http.StatusBadRequest) // to one who has only stopped writing
		return
	}
	// Reachable before the client sees 101, so that nobody who hears of the
	// connection from the client is told that it is gone.
	if !e.add(c) {
		refuse(http.StatusForbidden, forbidden)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		e.remove(c)
		c.log().Error("connection cannot be taken over from the HTTP server", "error", err)
		refuse(http.StatusInternalServerError, internalServerError)
		return
	}
	conn = unwrap(conn)
	_ = conn.SetWriteDeadline(time.Now().Add(e.options.Limits.Stall))
	if _, err := conn.Write(switchingProtocols(r.Header.Get("Sec-Websocket-Key"), subprotocol)); err != nil {
		e.remove(c)
		_ = conn.Close()
		c.log().Info("client vanished during the upgrade", "error", err)
		c.disconnect(vanished)
		return
	}
	c.attach(conn, buffered.Reader)
	e.running.Go(c.serve)
}

// connect runs the $connect route, behind its authorizer. The status is 101, or
// that of a refusal.
func (e *endpoint) connect(c *connection, request upgradeRequest) (status int, why notice, subprotocol string) {
	d := e.deployment.Load()
	route, ok := d.routes[connectRoute]
	if !ok {
		return http.StatusSwitchingProtocols, "", ""
	}
	if !d.stages[c.stage].takes(connectRoute) {
		return http.StatusTooManyRequests, tooManyRequests, ""
	}
	if route.authorizer != nil {
		if err := c.authorize(route.authorizer, route, request); err != nil {
			status, why = refusal(err)
			c.log().Warn("connection refused", "authorizerId", route.authorizer.id, "status", status, "error", err)
			return status, why, ""
		}
	}
	response, err := c.exchange(route, c.connectEvent(request))
	switch {
	case errors.Is(err, errTimeout):
		status, why = http.StatusGatewayTimeout, requestTimedOut
	case errors.Is(err, errFunction), errors.Is(err, errMalformed):
		status, why = http.StatusBadGateway, internalServerError
	case err != nil:
		status, why = http.StatusInternalServerError, internalServerError
	case response.statusCode < 200 || response.statusCode > 599: // no final status
		status, why = http.StatusBadGateway, internalServerError
		err = fmt.Errorf("%w: statusCode is %d", errMalformed, response.statusCode)
	case response.statusCode < 300:
		return http.StatusSwitchingProtocols, "", response.subprotocol
	default:
		return response.statusCode, notice(http.StatusText(response.statusCode)), ""
	}
	c.log().Warn("$connect failed", "status", status, "error", err)
	return status, why, ""
}
