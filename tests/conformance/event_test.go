package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// requestContextKeys are what the requestContext of each event has, in AWS's
// order.
var requestContextKeys = map[string][]string{
	"CONNECT": {
		"routeKey", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage", "connectedAt",
		"requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
	},
	"MESSAGE": {
		"routeKey", "messageId", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage", "connectedAt",
		"requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
	},
	"DISCONNECT": {
		"routeKey", "disconnectStatusCode", "eventType", "extendedRequestId", "requestTime", "messageDirection", "disconnectReason",
		"stage", "connectedAt", "requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
	},
}

// life connects, sends a message and closes, and returns the three events.
func life(c *check, s *subject, o dialOptions) (events map[string]event) {
	c.Helper()
	conn := s.dial(c, "main", o)
	conn.ask(two())
	conn.Close(websocket.StatusNormalClosure, "bye")
	events = map[string]event{"CONNECT": conn.connected()}
	for _, eventType := range []string{"MESSAGE", "DISCONNECT"} {
		events[eventType] = s.event(c, conn.connectionID(), eventType)
	}
	return events
}

// topLevel holds the three events to the keys that each has.
func topLevel(key string, want ...string) func(c *check, s *subject) {
	return func(c *check, s *subject) {
		for eventType, e := range life(c, s, orders("room", "a")) {
			if _, has := e.fields[key]; has != slices.Contains(want, eventType) {
				c.Errorf("%s has %s: %v, want %v", eventType, key, has, slices.Contains(want, eventType))
			}
		}
	}
}

// inContext holds a field of requestContext in the three events.
func inContext(holds func(c *check, eventType string, context requestContext)) func(c *check, s *subject) {
	return func(c *check, s *subject) {
		for eventType, e := range life(c, s, dialOptions{}) {
			holds(c, eventType, e.context())
		}
	}
}

var awsID = regexp.MustCompile(`^[A-Za-z0-9_-]{15,}=$`)

// eventClaims are of the events that functions get (A8).
func eventClaims() []claim {
	return []claim{
		{
			rows: "A8.headers A8.body", how: captured, check: []string{"events"},
			says: "Only CONNECT has the client's headers, only MESSAGE a body",
			run: func(c *check, s *subject) {
				events := life(c, s, orders("room", "a"))
				for eventType, want := range map[string][]string{
					"CONNECT": {
						"headers", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters",
						"queryStringParameters", "requestContext",
					},
					"MESSAGE":    {"body", "isBase64Encoded", "requestContext"},
					"DISCONNECT": {"headers", "isBase64Encoded", "multiValueHeaders", "requestContext"},
				} {
					if diff := cmp.Diff(want, events[eventType].has()); diff != "" {
						c.Errorf("keys of %s (-want +got):\n%s", eventType, diff)
					}
				}
			},
		},
		{
			rows: "A8.headers", how: captured, check: []string{"events"},
			says: "DISCONNECT has exactly the headers Host, x-api-key, X-Forwarded-For and x-restapi, all but Host empty",
			run: func(c *check, s *subject) {
				e := life(c, s, dialOptions{})["DISCONNECT"]
				headers, _ := e.fields["headers"].(map[string]any)
				want := map[string]any{"Host": e.context().DomainName, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
				if diff := cmp.Diff(want, headers); diff != "" {
					c.Errorf("headers (-want +got):\n%s", diff)
				}
			},
		},
		{
			rows: "A8.query", how: captured, check: []string{"events"},
			says: "Only CONNECT has query string parameters, and only if the URL had some",
			run: func(c *check, s *subject) {
				for _, o := range []dialOptions{{}, orders("room", "a b+c&d")} {
					e := s.dial(c, "main", o).connected()
					if got, want := e.text("queryStringParameters", "room"), o.query.Get("room"); got != want {
						c.Errorf("room is %q, want %q", got, want)
					}
					if _, has := e.fields["queryStringParameters"]; has != (o.query != nil) {
						c.Errorf("queryStringParameters are there: %v", has)
					}
				}
				for eventType, e := range life(c, s, orders("room", "a")) {
					if _, has := e.fields["queryStringParameters"]; has != (eventType == "CONNECT") {
						c.Errorf("%s has queryStringParameters: %v", eventType, has)
					}
				}
			},
		},
		{
			rows: "A8.body", how: captured,
			says: "The body is the message as it was sent, byte for byte",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				message := "{ \"action\" : \"one\",\n\t\"case\":\"" + conn.key + "-body\", \"héllo\":\"<&>\\u00e9\" }"
				conn.sendText(message)
				if got := s.event(c, conn.key+"-body", "MESSAGE").text("body"); got != message {
					c.Errorf("body is %q, want %q", got, message)
				}
			},
		},
		{
			rows: "A8.base64", how: captured,
			says: "isBase64Encoded is false in every event",
			run: func(c *check, s *subject) {
				for eventType, e := range life(c, s, dialOptions{}) {
					if got := e.fields["isBase64Encoded"]; got != false {
						c.Errorf("%s: isBase64Encoded is %v, want false", eventType, got)
					}
				}
			},
		},
		{
			rows: "A8.never", how: captured,
			says: "No event has path, httpMethod or resource",
			run: func(c *check, s *subject) {
				for _, key := range []string{"path", "httpMethod", "resource"} {
					topLevel(key)(c, s)
				}
			},
		},
		{
			rows: "A8.stageVariables", how: remembered,
			says: "There are no stageVariables if the stage defines none",
			run:  topLevel("stageVariables"),
		},
		{
			rows: "A8.connect-headers", how: captured,
			says: "CONNECT's headers have Host, Sec-WebSocket-Key and -Version, X-Amzn-Trace-Id, X-Forwarded-For, -Port and -Proto, and neither Connection nor Upgrade",
			run: func(c *check, s *subject) {
				headers, _ := s.dial(c, "main", dialOptions{}).connected().fields["headers"].(map[string]any)
				spelled := map[string]string{} // as the client or the service does
				for name := range headers {
					spelled[strings.ToLower(name)] = name
				}
				for _, name := range []string{"host", "sec-websocket-key", "sec-websocket-version"} {
					if spelled[name] == "" {
						c.Errorf("there is no header %s in %v", name, headers)
					}
				}
				for _, name := range []string{"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"} {
					if value, _ := headers[name].(string); value == "" {
						c.Errorf("there is no header %s in %v", name, headers)
					}
				}
				trace, _ := headers["X-Amzn-Trace-Id"].(string)
				if !strings.HasPrefix(trace, "Root=1-") {
					c.Errorf("X-Amzn-Trace-Id is %q, want Root=1-…", trace)
				}
				for _, name := range []string{"connection", "upgrade"} {
					if spelled[name] != "" {
						c.Errorf("there is a header %s", name)
					}
				}
			},
		},
		{
			rows: "A8.connect-headers", how: captured,
			says: "CONNECT's headers keep the client's case",
			run: func(c *check, s *subject) {
				w := s.wire(c, "main", "x-MiXed-cAsE", "kept")
				headers, _ := s.event(c, w.key, "CONNECT").fields["headers"].(map[string]any)
				if headers["x-MiXed-cAsE"] != "kept" {
					c.Errorf("there is no header x-MiXed-cAsE in %v", headers)
				}
			},
		},
		{
			rows: "A8.connect-headers", how: captured,
			says: "X-Forwarded-Port is 443 and X-Forwarded-Proto https",
			run: func(c *check, s *subject) {
				e := s.dial(c, "main", dialOptions{}).connected()
				if port, proto := e.text("headers", "X-Forwarded-Port"), e.text("headers", "X-Forwarded-Proto"); port != "443" || proto != "https" {
					c.Errorf("X-Forwarded-Port is %q and X-Forwarded-Proto %q, want 443 and https", port, proto)
				}
			},
		},
		{
			rows: "A8.store", how: captured,
			says:    "What is needed later of query string and headers must be stored at $connect",
			without: "follows from the keys of MESSAGE",
		},
		{
			rows: "A8.context", how: captured,
			says: "requestContext has AWS's fields in AWS's order, and no others",
			run: func(c *check, s *subject) {
				for eventType, e := range life(c, s, dialOptions{}) {
					var decoded struct{ RequestContext json.RawMessage }
					if err := json.Unmarshal([]byte(e.raw), &decoded); err != nil {
						c.Fatal(err)
					}
					if diff := cmp.Diff(requestContextKeys[eventType], keysInOrder(c, decoded.RequestContext)); diff != "" {
						c.Errorf("requestContext of %s (-want +got):\n%s", eventType, diff)
					}
				}
			},
		},
		{
			rows: "A8.messageId", how: captured,
			says: "Every MESSAGE has a messageId of its own",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				seen := map[string]bool{}
				for range 3 {
					conn.ask(two())
				}
				for _, e := range s.events(c, conn.connectionID()) {
					if e.context().EventType == "MESSAGE" {
						if id := e.context().MessageID; !awsID.MatchString(id) {
							c.Errorf("messageId is %q", id)
						}
						seen[e.context().MessageID] = true
					}
				}
				if len(seen) != 3 {
					c.Errorf("3 messages have %d ids", len(seen))
				}
			},
		},
		{
			rows: "A8.disconnectStatusCode A8.disconnectReason", how: captured, check: []string{"events"},
			says: "DISCONNECT has the code, a number, and the reason with which the client closed",
			run: func(c *check, s *subject) {
				got := life(c, s, dialOptions{})["DISCONNECT"].context()
				if got.DisconnectStatusCode != 1000 || got.DisconnectReason == nil || *got.DisconnectReason != "bye" {
					c.Errorf("code is %d and reason %v, want 1000 and bye", got.DisconnectStatusCode, got.DisconnectReason)
				}
			},
		},
		{
			rows: "A8.eventType", how: captured,
			says: "eventType is CONNECT, MESSAGE or DISCONNECT, and routeKey the route that was selected",
			run: inContext(func(c *check, eventType string, got requestContext) {
				want := map[string]string{"CONNECT": "$connect", "MESSAGE": "two", "DISCONNECT": "$disconnect"}[eventType]
				if got.RouteKey != want {
					c.Errorf("%s: routeKey is %q, want %q", eventType, got.RouteKey, want)
				}
			}),
		},
		{
			rows: "A8.extendedRequestId A8.requestId", how: captured,
			says: "extendedRequestId equals requestId",
			run: inContext(func(c *check, eventType string, got requestContext) {
				if !awsID.MatchString(got.RequestID) || got.ExtendedRequestID != got.RequestID {
					c.Errorf("%s: requestId is %q and extendedRequestId %q", eventType, got.RequestID, got.ExtendedRequestID)
				}
			}),
		},
		{
			rows: "A8.requestTime A8.requestTimeEpoch", how: captured,
			says: "requestTime is written 19/Feb/2024:07:11:42 +0000 and is requestTimeEpoch, in milliseconds, to the second",
			run: inContext(func(c *check, eventType string, got requestContext) {
				at, err := time.Parse("02/Jan/2006:15:04:05 -0700", got.RequestTime)
				if err != nil || !strings.HasSuffix(got.RequestTime, " +0000") {
					c.Fatalf("%s: requestTime is %q: %v", eventType, got.RequestTime, err)
				}
				if at.Unix() != got.RequestTimeEpoch/1000 {
					c.Errorf("%s: requestTime is %s and requestTimeEpoch %d", eventType, got.RequestTime, got.RequestTimeEpoch)
				}
			}),
		},
		{
			rows: "A8.messageDirection", how: captured,
			says: "messageDirection is IN in every event",
			run: inContext(func(c *check, eventType string, got requestContext) {
				if got.MessageDirection != "IN" {
					c.Errorf("%s: messageDirection is %q", eventType, got.MessageDirection)
				}
			}),
		},
		{
			rows: "A8.stage A8.domainName A8.apiId", how: captured,
			says: "stage, apiId and domainName are those of the endpoint",
			run: func(c *check, s *subject) {
				endpoint := s.output(c, "mainEndpoint")
				for eventType, e := range life(c, s, dialOptions{}) {
					got := e.context()
					if got.Stage != endpoint[strings.LastIndex(endpoint, "/")+1:] || got.APIID != s.output(c, "apiId") {
						c.Errorf("%s: stage %q of API %q at %s", eventType, got.Stage, got.APIID, endpoint)
					}
					if s.cloud == nil && "wss://"+got.DomainName+"/"+got.Stage != endpoint {
						c.Errorf("%s: domainName is %q at %s", eventType, got.DomainName, endpoint)
					}
				}
			},
		},
		{
			rows: "A8.connectedAt", how: captured,
			says: "connectedAt is in milliseconds, the same in every event, and requestTimeEpoch of CONNECT or a millisecond before",
			run: func(c *check, s *subject) {
				events := life(c, s, dialOptions{})
				at := events["CONNECT"].context()
				if later := at.RequestTimeEpoch - at.ConnectedAt; later < 0 || later > 1 {
					c.Errorf("connectedAt is %d and requestTimeEpoch %d", at.ConnectedAt, at.RequestTimeEpoch)
				}
				for eventType, e := range events {
					if e.context().ConnectedAt != at.ConnectedAt {
						c.Errorf("%s: connectedAt is %d, at CONNECT it is %d", eventType, e.context().ConnectedAt, at.ConnectedAt)
					}
				}
				if age := time.Since(time.UnixMilli(at.ConnectedAt)).Abs(); age > 5*time.Minute {
					c.Errorf("connectedAt is %v away from now", age)
				}
			},
		},
		{
			rows: "A8.identity", how: captured,
			says: "identity has sourceIp, and userAgent only if the client sends one",
			run: func(c *check, s *subject) {
				for agent, want := range map[string][]string{"": {"sourceIp"}, "suite/1": {"sourceIp", "userAgent"}} {
					e := s.dial(c, "main", dialOptions{headers: http.Header{"User-Agent": {agent}}}).connected()
					if diff := cmp.Diff(want, e.has("requestContext", "identity")); diff != "" {
						c.Errorf("user agent %q (-want +got):\n%s", agent, diff)
					}
					if got := e.text("requestContext", "identity", "userAgent"); got != agent {
						c.Errorf("userAgent is %q, want %q", got, agent)
					}
				}
			},
		},
		{
			rows: "A8.connectionId", how: captured, check: []string{"ids"},
			says: "Connection ids are base64url ending in =, sometimes with - or _, and each is another's",
			run: func(c *check, s *subject) {
				seen, odd := map[string]bool{}, false
				for range 64 { // without - and _ in all of them once in 10^12
					conn := s.dial(c, "bare", dialOptions{})
					id := conn.ask(two("quiet", true)).ConnectionID
					conn.CloseNow()
					if !awsID.MatchString(id) || seen[id] {
						c.Errorf("connectionId is %q", id)
					}
					seen[id] = true
					odd = odd || strings.ContainsAny(id, "-_")
				}
				if !odd {
					c.Errorf("none of %d connection ids has - or _", len(seen))
				}
			},
		},
		{
			rows: "A8.account", how: captured,
			says: "requestContext has no accountId",
			run: func(c *check, s *subject) {
				for eventType, e := range life(c, s, dialOptions{}) {
					if slices.Contains(e.has("requestContext"), "accountId") {
						c.Errorf("%s has accountId", eventType)
					}
				}
			},
		},
		{
			rows: "A8.go", how: source,
			says:    "aws-lambda-go's struct for these events marshals to keys that AWS does not send",
			without: "a fact about a library; the local cloud has types of its own (local/gateway)",
		},
	}
}

// keysInOrder lists the keys of a JSON object as they stand there.
func keysInOrder(c *check, object []byte) []string {
	c.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	var keys []string
	if _, err := decoder.Token(); err != nil {
		c.Fatal(err)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			c.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			c.Fatal(err)
		}
		keys = append(keys, key.(string))
	}
	return keys
}
