package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/coder/websocket"
)

// A called is how a call of the @connections API through the SDK ended.
type called struct {
	status int
	err    error
	got    *apigatewaymanagementapi.GetConnectionOutput
}

// management is a client of an API's @connections.
func (s *subject) management(c *check, api string) *apigatewaymanagementapi.Client {
	c.Helper()
	endpoint := web(s.output(c, api+"Endpoint"))
	return apigatewaymanagementapi.NewFromConfig(s.cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(endpoint)
	})
}

// call makes one call about a connection of the API main.
func (s *subject) call(c *check, method, id, body string) called {
	c.Helper()
	client := s.management(c, "main")
	var result called
	switch method {
	case http.MethodPost:
		_, result.err = client.PostToConnection(c.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(body)})
	case http.MethodGet:
		result.got, result.err = client.GetConnection(c.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	case http.MethodDelete:
		_, result.err = client.DeleteConnection(c.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	}
	var response *smithyhttp.ResponseError
	if errors.As(result.err, &response) {
		result.status = response.HTTPStatusCode()
	}
	return result
}

// post sends a frame that must arrive.
func (s *subject) post(c *check, id, body string) {
	c.Helper()
	if got := s.call(c, http.MethodPost, id, body); got.err != nil {
		c.Fatalf("post to %s: %v", id, got.err)
	}
}

// A raw request is one that the SDK would not make.
type rawRequest struct {
	method  string
	path    string // below the endpoint, as it goes on the wire
	body    string
	service string              // that the signature is for; empty: execute-api
	at      time.Time           // that it is signed at; zero: now
	keys    *aws.Credentials    // nil: the configured ones
	mend    func(*http.Request) // after it was signed
	plain   bool                // it is not signed
}

// A rawResponse is the answer.
type rawResponse struct {
	status int
	header http.Header
	body   string
}

func (s *subject) raw(c *check, r rawRequest) rawResponse {
	c.Helper()
	address := web(s.output(c, "mainEndpoint"))
	parsed, err := url.Parse(address)
	if err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.Context(), r.method, address, bytes.NewReader([]byte(r.body)))
	if err != nil {
		c.Fatal(err)
	}
	req.URL = &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Opaque: "//" + parsed.Host + parsed.Path + r.path}
	if !r.plain {
		s.sign(c, req, r)
	}
	if r.mend != nil {
		r.mend(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return rawResponse{resp.StatusCode, resp.Header, string(body)}
}

func (s *subject) sign(c *check, req *http.Request, r rawRequest) {
	c.Helper()
	keys, err := s.cfg.Credentials.Retrieve(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if r.keys != nil {
		keys = *r.keys
	}
	service, at := r.service, r.at
	if service == "" {
		service = "execute-api"
	}
	if at.IsZero() {
		at = time.Now()
	}
	sum := sha256.Sum256([]byte(r.body))
	if err := v4.NewSigner().SignHTTP(c.Context(), keys, req, hex.EncodeToString(sum[:]), service, s.cfg.Region, at); err != nil {
		c.Fatal(err)
	}
}

// connectionPath is what the SDK makes of a connection's id.
func connectionPath(id string) string {
	return "/@connections/" + strings.ReplaceAll(id, "=", "%3D")
}

// forbidden holds an answer to a request that may not be made.
func (got rawResponse) forbidden(c *check, why string) {
	c.Helper()
	if got.status != http.StatusForbidden {
		c.Errorf("%s: status is %d, want 403 (%s)", why, got.status, got.body)
	}
}

// gone is a connection that was closed.
func gone(c *check, s *subject) string {
	c.Helper()
	conn := s.dial(c, "main", dialOptions{})
	id := conn.connectionID()
	conn.Close(websocket.StatusNormalClosure, "")
	s.disconnected(c, conn.key)
	return id
}

var isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// managementClaims are of the @connections API (B).
func managementClaims() []claim {
	statusOf := func(method, body string, id func(*check, *subject) string, status int, says string) func(c *check, s *subject) {
		return func(c *check, s *subject) {
			if got := s.call(c, method, id(c, s), body); got.status != status {
				c.Errorf("%s: status is %d, want %d: %s (%v)", method, got.status, status, says, got.err)
			}
		}
	}
	return []claim{
		{
			rows: "B1.methods", how: source,
			says: "POST, GET and DELETE of {endpoint}/@connections/{id} send a frame, tell of a connection and close it",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				id := conn.connectionID()
				s.post(c, id, "hello")
				if frame := conn.receive(); frame != "hello" {
					c.Errorf("frame is %q, want hello", frame)
				}
				for _, method := range []string{http.MethodGet, http.MethodDelete} {
					if got := s.call(c, method, id, ""); got.err != nil {
						c.Errorf("%s: %v", method, got.err)
					}
				}
				conn.closed()
			},
		},
		{
			rows: "B1.encoding", how: tried, check: []string{"ids"},
			says: "The id may be escaped or not: @ and %40, = and %3D are the same",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				id := conn.connectionID()
				for _, path := range []string{
					"/@connections/" + id, "/%40connections/" + id,
					"/@connections/" + strings.ReplaceAll(id, "=", "%3D"), "/%40connections/" + strings.ReplaceAll(id, "=", "%3d"),
				} {
					if got := s.raw(c, rawRequest{method: http.MethodPost, path: path, body: path}); got.status != http.StatusOK {
						c.Errorf("%s: status is %d (%s)", path, got.status, got.body)
						continue
					}
					if frame := conn.receive(); frame != path {
						c.Errorf("frame is %q, want %q", frame, path)
					}
				}
			},
		},
		{
			rows: "B1.signed", how: tried, check: []string{"strict"},
			says: "The signature is for the service execute-api: one for another gets 403",
			run: func(c *check, s *subject) {
				id := s.dial(c, "main", dialOptions{}).connectionID()
				s.raw(c, rawRequest{method: http.MethodGet, path: connectionPath(id), service: "lambda"}).forbidden(c, "service lambda")
			},
		},
		{
			rows: "B1.get", how: source,
			says: "GET answers connectedAt, lastActiveAt and identity with sourceIp and userAgent, its times as ISO 8601",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{headers: http.Header{"User-Agent": {"suite/1"}}})
				got := s.raw(c, rawRequest{method: http.MethodGet, path: connectionPath(conn.connectionID())})
				var answer struct {
					ConnectedAt, LastActiveAt string
					Identity                  struct{ SourceIP, UserAgent string }
				}
				if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != http.StatusOK {
					c.Fatalf("answered %d %s: %v", got.status, got.body, err)
				}
				if !isoTime.MatchString(answer.ConnectedAt) || !isoTime.MatchString(answer.LastActiveAt) {
					c.Errorf("connectedAt is %q and lastActiveAt %q", answer.ConnectedAt, answer.LastActiveAt)
				}
				if answer.Identity.SourceIP == "" || answer.Identity.UserAgent != "suite/1" {
					c.Errorf("identity is %+v", answer.Identity)
				}
				// And so the SDK reads it.
				if read := s.call(c, http.MethodGet, conn.connectionID(), ""); read.err != nil || read.got.ConnectedAt == nil {
					c.Errorf("the SDK reads %+v: %v", read.got, read.err)
				}
			},
		},
		{
			rows: "B2.post", how: captured,
			says: "A POST that is sent answers 200 with an empty body",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				got := s.raw(c, rawRequest{method: http.MethodPost, path: connectionPath(conn.connectionID()), body: "hello"})
				if got.status != http.StatusOK || got.body != "" {
					c.Errorf("answered %d %q, want 200 and nothing", got.status, got.body)
				}
			},
		},
		{
			rows: "B2.get", how: source,
			says: "A GET of a connection that is open answers 200 with JSON",
			run: func(c *check, s *subject) {
				got := s.raw(c, rawRequest{method: http.MethodGet, path: connectionPath(s.dial(c, "main", dialOptions{}).connectionID())})
				if got.status != http.StatusOK || !json.Valid([]byte(got.body)) {
					c.Errorf("answered %d %q", got.status, got.body)
				}
			},
		},
		{
			rows: "B2.delete", how: captured,
			says: "A DELETE answers 204",
			run: func(c *check, s *subject) {
				got := s.raw(c, rawRequest{method: http.MethodDelete, path: connectionPath(s.dial(c, "main", dialOptions{}).connectionID())})
				if got.status != http.StatusNoContent {
					c.Errorf("answered %d, want 204", got.status)
				}
			},
		},
		{
			rows: "B2.gone B3.header", how: captured,
			says: "A connection that is closed answers 410 with x-amzn-ErrorType GoneException, which the SDK makes a GoneException of",
			run: func(c *check, s *subject) {
				id := gone(c, s)
				for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
					got := s.raw(c, rawRequest{method: method, path: connectionPath(id)})
					if got.status != http.StatusGone || !strings.HasPrefix(got.header.Get("x-amzn-ErrorType"), "GoneException") {
						c.Errorf("%s: answered %d with x-amzn-ErrorType %q", method, got.status, got.header.Get("x-amzn-ErrorType"))
					}
					var typed *types.GoneException
					if call := s.call(c, method, id, "hello"); !errors.As(call.err, &typed) {
						c.Errorf("%s: error is %v, want a GoneException", method, call.err)
					}
				}
			},
		},
		{
			rows: "B2.gone", how: captured,
			says: "An id that is well-formed but never was one answers 410",
			run: statusOf(http.MethodPost, "hello", func(*check, *subject) string { return "R0oXAdfD0kwCH6w=" },
				http.StatusGone, "never existed"),
		},
		{
			rows: "B2.malformed", how: captured,
			says: "An id that is none answers 400 BadRequestException",
			run: func(c *check, s *subject) {
				for _, id := range []string{"hello", "not-an-id", "11111111-2222-3333-4444-555555555555"} {
					got := s.raw(c, rawRequest{method: http.MethodPost, path: connectionPath(id), body: "hello"})
					if got.status != http.StatusBadRequest || !strings.HasPrefix(got.header.Get("x-amzn-ErrorType"), "BadRequestException") {
						c.Errorf("%q: answered %d with x-amzn-ErrorType %q", id, got.status, got.header.Get("x-amzn-ErrorType"))
					}
				}
			},
		},
		{
			rows: "B2.forbidden", how: source, check: []string{"strict"},
			says: "A request that is not signed answers 403",
			run: func(c *check, s *subject) {
				id := s.dial(c, "main", dialOptions{}).connectionID()
				for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
					s.raw(c, rawRequest{method: method, path: connectionPath(id), plain: true}).forbidden(c, method+" without a signature")
				}
			},
		},
		{
			rows: "B2.forbidden", how: source, check: []string{"strict"},
			says: "A signature that is wrong, by its key, its body, its path or its age, answers 403",
			run: func(c *check, s *subject) {
				path := connectionPath(s.dial(c, "main", dialOptions{}).connectionID())
				for why, r := range map[string]rawRequest{
					"unknown key": {keys: &aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "unknown"}},
					"an hour old": {at: time.Now().Add(-time.Hour)},
					"another body": {body: "signed", mend: func(req *http.Request) {
						req.Body = io.NopCloser(strings.NewReader("mended"))
					}},
					"no date": {mend: func(req *http.Request) { req.Header.Del("X-Amz-Date") }},
					"another signature": {mend: func(req *http.Request) {
						signed := req.Header.Get("Authorization")
						req.Header.Set("Authorization", signed[:len(signed)-4]+"0000")
					}},
				} {
					r.method, r.path = http.MethodPost, path
					s.raw(c, r).forbidden(c, why)
				}
			},
		},
		{
			rows: "B2.forbidden B4.action", how: documented,
			says: "A function whose role does not allow execute-api:ManageConnections gets 403, ForbiddenException or AccessDeniedException",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
					got := conn.ask(to("narrow", "do", "post", "name", method, "body", "hello")).outcome(c)
					if got.Status != http.StatusForbidden || got.Code != "ForbiddenException" && got.Code != "AccessDeniedException" {
						c.Errorf("%s: the call ends with %+v, want 403", method, got)
					}
				}
				stillOpen(conn)
			},
		},
		{
			rows: "B2.forbidden", how: source,
			says: "A wrong stage in the endpoint answers 403",
			run: func(c *check, s *subject) {
				endpoint := web(s.output(c, "mainEndpoint"))
				client := apigatewaymanagementapi.NewFromConfig(s.cfg, func(o *apigatewaymanagementapi.Options) {
					o.BaseEndpoint = aws.String(endpoint[:strings.LastIndex(endpoint, "/")] + "/nowhere")
				})
				id := s.dial(c, "main", dialOptions{}).connectionID()
				_, err := client.PostToConnection(c.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
				var response *smithyhttp.ResponseError
				if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusForbidden {
					c.Errorf("error is %v, want 403", err)
				}
			},
		},
		{
			rows: "B2.large", how: source,
			says: "A payload of more than 128 KB answers 413 PayloadTooLargeException",
			run: func(c *check, s *subject) {
				id := s.dial(c, "main", dialOptions{}).connectionID()
				var large *types.PayloadTooLargeException
				if got := s.call(c, http.MethodPost, id, strings.Repeat("x", 200<<10)); got.status != 413 || !errors.As(got.err, &large) {
					c.Errorf("error is %v, want 413", got.err)
				}
			},
		},
		{
			rows: "B2.throttled", how: source,
			says: "A client that does not read, or too many posts, answer 429 LimitExceededException",
			run:  func(c *check, s *subject) { slowClient(c, s) },
			aws:  "how much the service buffers for a client is not documented, and filling it costs",
		},
		{
			rows: "B2.connecting", how: documented, check: []string{"connecting"},
			says: "A POST while $connect still runs answers 410, with the header that makes it a GoneException",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", orders("do", "post", "name", http.MethodPost, "body", "welcome"))
				var got outcome
				if err := json.Unmarshal(conn.connected().result, &got); err != nil {
					c.Fatal(err)
				}
				if got.Status != http.StatusGone || got.Code != "GoneException" {
					c.Errorf("the call ends with %+v, want 410 GoneException", got)
				}
				stillOpen(conn) // and no welcome comes first
			},
		},
		{
			rows: "B2.old", how: captured,
			says:    "Claims of 2019 that an unknown id gives 403 and a raw @ 504 conflict with newer captures",
			without: "not a claim: the newer ones have their cases",
		},
		{
			rows: "B3.retry", how: tried,
			says: "The SDK tries 429 and 500 to 504 three times, and 400, 403, 410 and 413 once",
			run: func(c *check, s *subject) {
				var requests atomic.Int64
				client := s.management(c, "main")
				counted := func(o *apigatewaymanagementapi.Options) {
					o.HTTPClient = countingClient{&requests, o.HTTPClient}
				}
				id := gone(c, s)
				_, err := client.PostToConnection(c.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")}, counted)
				if err == nil || requests.Load() != 1 {
					c.Errorf("a 410 is asked for %d times, want once: %v", requests.Load(), err)
				}
			},
		},
		{
			rows: "B4.endpoint", how: source,
			says: "The management endpoint is that of the WebSocket with https for wss",
			run: func(c *check, s *subject) {
				s.post(c, s.dial(c, "main", dialOptions{}).connectionID(), "hello")
			},
		},
		{
			rows: "B4.override B4.trap", how: source,
			says:    "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI redirects a client, unless its options set BaseEndpoint",
			without: "a fact about the SDK, which internal/connections is written for",
		},
		{
			rows: "B4.action", how: documented,
			says: "A role that allows execute-api:ManageConnections on API/STAGE/POST/@connections/* may post",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				conn.send(two("do", "post", "name", http.MethodPost, "body", "from the function"))
				frames := []string{conn.receive(), conn.receive()}
				if frames[0] != "from the function" && frames[1] != "from the function" {
					c.Errorf("frames are %q, want one from the function", frames)
				}
			},
		},
		{
			rows: "B4.frame", how: remembered,
			says: "A POST of 33 to 128 KB is accepted and arrives whole",
			run: func(c *check, s *subject) {
				conn := s.dial(c, "main", dialOptions{})
				for _, size := range []int{32 << 10, 33 << 10, 128 << 10} {
					s.post(c, conn.connectionID(), strings.Repeat("x", size))
					if got := len(conn.receive()); got != size {
						c.Errorf("%d bytes arrive of %d", got, size)
					}
				}
			},
		},
	}
}

// slowClient posts to a client that does not read until the service refuses.
func slowClient(c *check, s *subject) {
	w := s.wire(c, "main")
	id := s.event(c, w.key, "CONNECT").context().ConnectionID
	client := s.management(c, "main")
	once := func(o *apigatewaymanagementapi.Options) { o.RetryMaxAttempts = 1 }
	for range 400 { // 50 MB, more than sockets and services buffer
		_, err := client.PostToConnection(c.Context(),
			&apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: bytes.Repeat([]byte("x"), 128<<10)}, once)
		var limit *types.LimitExceededException
		switch {
		case errors.As(err, &limit):
			return
		case err != nil:
			c.Fatalf("post: %v, want a LimitExceededException", err)
		}
	}
	c.Errorf("50 MB were taken for a client that does not read")
}

// A countingClient counts requests.
type countingClient struct {
	n    *atomic.Int64
	next apigatewaymanagementapi.HTTPClient
}

func (h countingClient) Do(req *http.Request) (*http.Response, error) {
	h.n.Add(1)
	return h.next.Do(req)
}

// An outcome is how a call that a probe made ended.
type outcome struct {
	Status        int
	Code, Message string
}

func (a answer) outcome(c *check) (o outcome) {
	c.Helper()
	if err := json.Unmarshal(a.Result, &o); err != nil {
		c.Fatalf("result %s: %v", a.Result, err)
	}
	return o
}

func (o outcome) String() string { return fmt.Sprintf("%d %s: %s", o.Status, o.Code, o.Message) }

// quotaClaims are C1, as far as no other section has them, and C2.
func quotaClaims() []claim {
	return []claim{
		{
			rows: "C1.concurrent", how: documented,
			says:    "There is no quota of concurrent connections",
			without: "nothing that a case could exceed",
		},
		{
			rows: "C1.authorizers C1.routes C1.integrations C1.stages C1.stage-name C1.access-log", how: documented,
			says:    "10 authorizers, 300 routes, 300 integrations and 10 stages an API; names of stages; 3 KB of an access log's template",
			without: "limits of deployments: the components report more routes and wrong names at preview, and declare one stage and one authorizer an API",
		},
		{
			rows: "C1.url", how: documented,
			says: "A URL has at most 4096 characters",
			run: func(c *check, s *subject) {
				o := func(n int) dialOptions { return orders("q", strings.Repeat("x", n)) }
				if got := s.refused(c, "bare", o(3000)); got != http.StatusSwitchingProtocols {
					c.Errorf("3000 characters: status is %d, want 101", got)
				}
				if got := s.refused(c, "bare", o(4200)); got < 400 {
					c.Errorf("4200 characters: status is %d, want a refusal", got)
				}
			},
		},
		{
			rows: "C1.requests", how: documented,
			says:    "10,000 requests a second and a burst of 5,000, shared by messages and @connections",
			without: "one client cannot make so many: held beside the code (local/gateway)",
		},
		{
			rows: "C2.prices", how: documented,
			says:    "What messages, connection minutes, writes, reads and invocations cost",
			without: "prices are no behaviour",
		},
	}
}
