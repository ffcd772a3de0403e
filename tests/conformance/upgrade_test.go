package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"
)

// upgradeClaims are of the three predefined routes (A1) and of what a client
// sees when it connects (A3).
func upgradeClaims() []claim {
	return []claim{
		{
			rows: "A1.pending", how: documented, check: []string{"upgrade"},
			says: "The upgrade waits for the $connect function: 101 comes only once it has answered",
			run: func(c *check, s *subject) {
				began := time.Now()
				s.dial(c, "main", orders("ms", "400"))
				if took := time.Since(began); took < 400*time.Millisecond {
					c.Errorf("connected after %v, before the function that takes 400ms answered", took)
				}
			},
		},
		{
			rows: "A1.optional", how: documented,
			says: "An API without $connect lets everyone connect, and one without $disconnect works too",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "bare", dialOptions{})
				if a := conn.ask(two()); a.RouteKey != "two" {
					c.Errorf("routeKey is %q, want two", a.RouteKey)
				}
			},
		},
		{
			rows: "A1.disconnect", how: documented,
			says: "$disconnect runs after the connection is closed, and what it answers is ignored",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				id := conn.connectionID()
				conn.Close(websocket.StatusNormalClosure, "")
				if got := s.event(c, id, "DISCONNECT").context().RouteKey; got != "$disconnect" {
					c.Errorf("routeKey is %q, want $disconnect", got)
				}
			},
		},
		{
			rows: "A1.default", how: documented,
			says: "$default runs for a message whose value matches no route key, and for one that is not JSON",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(object{"action": "no-such-route"})
				conn.sendText("not JSON")
				bodies := map[string]bool{}
				eventually(c, "both messages at $default", func() bool {
					for _, e := range s.events(c, conn.connectionID()) {
						if e.context().RouteKey == "$default" {
							bodies[e.text("body")] = true
						}
					}
					return bodies["not JSON"] && len(bodies) == 2
				})
			},
		},
		{
			rows: "A1.keys", how: documented,
			says:    "A custom route key must not begin with $",
			without: "a mistake in a program, which the component reports at preview (components)",
		},
		{
			rows: "A1.deploy", how: captured,
			says:    "A change of routes or integrations needs a deployment to the stage",
			without: "the component deploys every change at once, and the local cloud refuses stages that do not, by name",
		},

		{
			rows: "A3.2xx", how: captured, check: []string{"upgrade"},
			says: "A $connect function that answers 2xx lets the client in with 101",
			run: func(c *check, s *subject) {
				for _, status := range []int{200, 201, 204, 299} {
					if got := s.refused(c, "main", orders("status", strconv.Itoa(status))); got != 101 {
						c.Errorf("function answers %d: client gets %d, want 101", status, got)
					}
				}
			},
		},
		{
			rows: "A3.copied", how: captured, check: []string{"upgrade"},
			says: "Any other status of the $connect function is the status of the refused upgrade",
			run: func(c *check, s *subject) {
				for _, status := range []int{301, 400, 401, 403, 429, 501} {
					if got := s.refused(c, "main", orders("status", strconv.Itoa(status))); got != status {
						c.Errorf("function answers %d: client gets %d", status, got)
					}
				}
			},
		},
		{
			rows: "A3.crash", how: captured, check: []string{"upgrade"},
			says: "A $connect function that returns an error, panics or exits refuses the upgrade with 502",
			run: func(c *check, s *subject) {
				for _, order := range []string{"error", "panic", "exit"} {
					if got := s.refused(c, "late", orders("do", order, "status", "1")); got != http.StatusBadGateway {
						c.Errorf("function is ordered to %s: client gets %d, want 502", order, got)
					}
				}
			},
		},
		{
			rows: "A3.malformed", how: inferred,
			says: "A $connect function that answers null, or no proxy response, refuses the upgrade with 502",
			run: func(c *check, s *subject) {
				for _, order := range []string{"null", "malformed", "text"} {
					if got := s.refused(c, "main", orders("do", order)); got != http.StatusBadGateway {
						c.Errorf("function answers %s: client gets %d, want 502", order, got)
					}
				}
			},
		},
		{
			rows: "A3.late", how: inferred,
			says: "A $connect integration that exceeds its timeout refuses the upgrade with 504",
			run: func(c *check, s *subject) {
				if got := s.refused(c, "late", orders("ms", "2000")); got != http.StatusGatewayTimeout {
					c.Errorf("client gets %d, want 504", got)
				}
			},
		},
		{
			rows: "A3.unauthorized A4.identity", how: documented,
			says: "A request without the authorizer's identity source gets 401, and the function is not asked",
			run: func(c *check, s *subject) {
				o := orders("case", "unasked-"+c.Name())
				if got := s.refused(c, "guarded", o); got != http.StatusUnauthorized {
					c.Errorf("client gets %d, want 401", got)
				}
				// One that is asked comes later, and is noted.
				s.refused(c, "guarded", orders("token", "deny", "case", "asked-"+c.Name()))
				eventually(c, "a note of the authorizer", func() bool { return len(s.notes(c, "authorizer-asked-"+c.Name())) > 0 })
				if n := len(s.notes(c, "authorizer-unasked-"+c.Name())); n > 0 {
					c.Errorf("the authorizer was asked %d times, want never", n)
				}
			},
		},
		{
			rows: "A3.unauthorized", how: documented,
			says: `An authorizer that returns the error "Unauthorized" refuses the upgrade with 401`,
			run: func(c *check, s *subject) {
				if got := s.refused(c, "guarded", orders("token", "nobody")); got != http.StatusUnauthorized {
					c.Errorf("client gets %d, want 401", got)
				}
			},
		},
		{
			rows: "A3.denied", how: documented,
			says: "An authorizer whose policy denies refuses the upgrade with 403",
			run: func(c *check, s *subject) {
				if got := s.refused(c, "guarded", orders("token", "deny")); got != http.StatusForbidden {
					c.Errorf("client gets %d, want 403", got)
				}
			},
		},
		{
			rows: "A3.broken", how: inferred,
			says: "An authorizer that fails, panics or answers no policy refuses the upgrade with 500",
			run: func(c *check, s *subject) {
				for _, token := range []string{"error", "panic", "garbage"} {
					if got := s.refused(c, "guarded", orders("token", token)); got != http.StatusInternalServerError {
						c.Errorf("token %s: client gets %d, want 500", token, got)
					}
				}
			},
		},
		{
			rows: "A3.throttled C1.connections", how: captured, when: alone,
			says: "New connections beyond 500 a second are refused with 429",
			aws:  "it would hold up every other API of the account",
			run:  throttledConnections,
		},
		{
			rows: "A3.plain", how: captured,
			says: "A GET without an upgrade gets 426",
			run: func(c *check, s *subject) {
				if got := get(c, web(s.output(c, "mainEndpoint"))); got != http.StatusUpgradeRequired {
					c.Errorf("status is %d, want 426", got)
				}
			},
		},
		{
			rows: "A3.stage", how: remembered,
			says: "An upgrade to a stage that does not exist gets 403",
			run: func(c *check, s *subject) {
				endpoint := s.output(c, "mainEndpoint")
				_, response, err := websocket.Dial(c.Context(), endpoint[:strings.LastIndex(endpoint, "/")]+"/nowhere", nil)
				if err == nil || response == nil {
					c.Fatalf("error is %v, want a refusal", err)
				}
				if response.StatusCode != http.StatusForbidden {
					c.Errorf("status is %d, want 403", response.StatusCode)
				}
			},
		},
		{
			rows: "A3.body", how: inferred,
			says:    "The body of a refused upgrade was not observed, and browsers do not even see the status",
			without: "nobody knows what is right; clients must not look at it",
		},
	}
}

// get asks for a page and returns its status.
func get(c *check, address string) int {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// throttledConnections connects as fast as this machine can until it is told to
// slow down. A bucket of 500 that fills at 500 a second is empty soon after.
func throttledConnections(c *check, s *subject) {
	const most = 5000
	host := strings.TrimPrefix(s.output(c, "bareEndpoint"), "ws://")
	host, path, _ := strings.Cut(host, "/")
	request := "GET /" + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	var tried, throttled atomic.Int64
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	errEnough := errors.New("enough")
	for range 32 {
		g.Go(func() error {
			for tried.Add(1) <= most {
				conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
				if err != nil {
					return err
				}
				answer := make([]byte, len("HTTP/1.1 101"))
				_, err = conn.Write([]byte(request))
				if err == nil {
					_, err = io.ReadFull(conn, answer)
				}
				conn.Close()
				switch {
				case err != nil:
					return err
				case strings.HasSuffix(string(answer), " 429"):
					throttled.Add(1)
					return errEnough
				}
			}
			return nil
		})
	}
	began := time.Now()
	if err := g.Wait(); throttled.Load() == 0 {
		c.Errorf("%d connections in %v, none of them refused with 429 (%v)", min(tried.Load(), most), time.Since(began), err)
	}
	eventually(c, "connections that are let in again", func() bool {
		return s.refused(c, "bare", dialOptions{}) == http.StatusSwitchingProtocols
	})
	// One that is let in takes what has come; a second later the bucket is full, and
	// the cases that follow find enough.
	select {
	case <-time.After(time.Second):
	case <-c.Context().Done():
	}
}

// authorizerClaims are A4.
func authorizerClaims() []claim {
	return []claim{
		{
			rows: "A4.request C1.authorizer-size", how: documented,
			says: "An authorizer's result has at most 8 KB: a larger one refuses the upgrade with 500",
			run: func(c *check, s *subject) {
				if got := s.refused(c, "guarded", orders("token", "large")); got != http.StatusInternalServerError {
					c.Errorf("client gets %d, want 500", got)
				}
			},
		},
		{
			rows: "A4.event", how: documented,
			says: "An authorizer gets an event of type REQUEST with methodArn, headers, query string and the request context of the CONNECT",
			run: func(c *check, s *subject) {
				s.dial(c, "guarded", orders("token", "allow", "case", c.Name()))
				var events []event
				eventually(c, "a note of the authorizer", func() bool {
					events = s.events(c, "authorizer-"+c.Name())
					return len(events) > 0
				})
				e := events[0]
				for _, key := range []string{
					"type", "methodArn", "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters",
					"stageVariables", "requestContext",
				} {
					if _, has := e.fields[key]; !has {
						c.Errorf("there is no %s in %s", key, e.raw)
					}
				}
				context := e.context()
				if e.text("type") != "REQUEST" || context.EventType != "CONNECT" {
					c.Errorf("type is %q and eventType %q, want REQUEST and CONNECT", e.text("type"), context.EventType)
				}
				suffix := ":" + context.APIID + "/" + context.Stage + "/$connect"
				if arn := e.text("methodArn"); !strings.HasPrefix(arn, "arn:aws:execute-api:") || !strings.HasSuffix(arn, suffix) {
					c.Errorf("methodArn is %q, want arn:aws:execute-api:…%s", arn, suffix)
				}
			},
		},
		{
			rows: "A4.context A8.authorizer", how: captured,
			says: "principalId and context of the authorizer are requestContext.authorizer in every event of the connection; integrationLatency only in CONNECT",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "guarded", orders("token", "allow"))
				conn.ask(two())
				conn.Close(websocket.StatusNormalClosure, "")
				for eventType, latency := range map[string]bool{"CONNECT": true, "MESSAGE": false, "DISCONNECT": false} {
					got := s.event(c, conn.connectionID(), eventType).context().Authorizer
					if got["principalId"] != "someone" || got["tenant"] != "blue" {
						c.Errorf("%s: authorizer is %v, want principalId someone and tenant blue", eventType, got)
					}
					if _, has := got["integrationLatency"]; has != latency {
						c.Errorf("%s: integrationLatency is there: %v, want %v", eventType, has, latency)
					}
				}
			},
		},
	}
}

// subprotocolClaims are A7.
func subprotocolClaims() []claim {
	return []claim{
		{
			rows: "A7.chosen", how: documented,
			says: "A subprotocol is agreed on if the $connect function returns it as Sec-WebSocket-Protocol; it sees the offers in its headers",
			run: func(c *check, s *subject) {
				o := orders("do", "subprotocol", "name", "chat.v2")
				o.subprotocols = []string{"chat.v1", "chat.v2"}
				conn := s.dial(c, "main", o)
				if got := conn.Subprotocol(); got != "chat.v2" {
					c.Errorf("agreed on %q, want chat.v2", got)
				}
				offers := ""
				for name, value := range conn.connected().fields["headers"].(map[string]any) {
					if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
						offers = value.(string)
					}
				}
				if strings.ReplaceAll(offers, " ", "") != "chat.v1,chat.v2" {
					c.Errorf("the function is offered %q, want chat.v1,chat.v2", offers)
				}
			},
		},
		{
			rows: "A7.silent", how: inferred,
			says: "If the function names no subprotocol the upgrade succeeds without one",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{subprotocols: []string{"chat.v1"}})
				if header, ok := conn.response.Header["Sec-Websocket-Protocol"]; ok {
					c.Errorf("the upgrade has Sec-WebSocket-Protocol %q, want none", header)
				}
			},
		},
		{
			rows: "A7.bare", how: documented,
			says: "Without a $connect route no subprotocol can be agreed on",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "bare", dialOptions{subprotocols: []string{"chat.v1"}})
				if got := conn.Subprotocol(); got != "" {
					c.Errorf("agreed on %q, want none", got)
				}
			},
		},
		{
			rows: "A7.browsers", how: documented,
			says:    "Browsers write their offers with a space behind the comma",
			without: "a fact about browsers: the chat's own function trims (internal/handler)",
		},
	}
}

// jsonOf decodes a frame.
func jsonOf(c *check, frame string) map[string]any {
	c.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(frame), &fields); err != nil {
		c.Fatalf("frame %.300q is no object: %v", frame, err)
	}
	return fields
}
