package dynamo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/local/clock"
	"example.com/chatstack/local/iam"
)

// A Front is the HTTP endpoint that clients of the local table use. It refuses
// who may not do what they ask for, lets faults strike, and passes every other
// call on to the engine. It makes up for what engines do otherwise than AWS:
// their ARNs name a Region of their own, their TTL deletes carry no
// userIdentity, they know tables by name alone, and some show each pair of access
// key and Region tables of its own.
type Front struct {
	proxy     *httputil.ReverseProxy
	transport *http.Transport
	direct    *dynamodb.Client // asks the engine itself
	authority *iam.Authority
	fault     func(ctx context.Context, table, operation string) bool
	clock     *clock.Clock
	log       *slog.Logger
	account   string
	expired   *expiries
	kept      string // the file of expired

	mu      sync.Mutex
	region  string // of the local cloud
	engine  string // "arn:aws:dynamodb:REGION:ACCOUNT:" as the engine writes it; empty until it is known
	schemas map[string]schema
}

// FrontOptions say what a front stands before.
type FrontOptions struct {
	// Engine is the base URL of the engine. Required.
	Engine string

	// Region and Account are those that ARNs name. Required.
	Region, Account string

	// Authority knows who calls and what they may do. nil lets everyone do
	// everything, signed or not.
	Authority *iam.Authority

	// Fault is asked, for each table that a call reads or writes, whether the call
	// is throttled. operation is the API's name of it ("PutItem", "GetRecords").
	// Fault may wait as long as ctx lasts. nil throttles nothing.
	Fault func(ctx context.Context, table, operation string) (throttle bool)

	// Clock is how old items are; nil means a new one.
	Clock *clock.Clock

	// Expiries is the file that keeps, from Close to the next start, which deletes
	// were TTL's, for stream records that nobody has read yet. Empty forgets them.
	Expiries string

	// Log gets what goes wrong; nil discards it.
	Log *slog.Logger
}

const actionHeader = "X-Amz-Target"

// maxBody is the most that a request may hold, in bytes: 16 MB of items, as a
// batch may, and what JSON and base64 add to them.
const maxBody = 32 << 20

// NewFront returns a front for an engine.
func NewFront(options FrontOptions) (*Front, error) {
	target, err := url.Parse(options.Engine)
	if err != nil {
		return nil, fmt.Errorf("front of the table engine: %w", err)
	}
	if options.Clock == nil {
		options.Clock = &clock.Clock{}
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	f := &Front{
		transport: transport,
		direct:    newClient(options.Engine, transport),
		authority: options.Authority,
		fault:     options.Fault,
		clock:     options.Clock,
		log:       options.Log,
		account:   options.Account,
		expired:   newExpiries(),
		kept:      options.Expiries,
		region:    options.Region,
		schemas:   map[string]schema{},
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding") // the answer is read here
			if signed := r.Out.Header.Get("Authorization"); signed != "" {
				r.Out.Header.Set("Authorization", signingScope.ReplaceAllString(signed, "Credential="+accessKey+"/$1/"+scopeRegion+"/"))
			}
		},
		Transport:      transport,
		ModifyResponse: f.answer,
		ErrorLog:       slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				f.log.Error("table engine does not answer", "error", err)
			}
			unavailable("the table engine does not answer").write(w)
		},
	}
	if f.kept != "" {
		if err := f.expired.load(f.kept); err != nil {
			f.log.Warn("which deletes were TTL's is forgotten", "error", err)
		}
	}
	return f, nil
}

func unavailable(message string) *refusal {
	return &refusal{status: http.StatusInternalServerError, kind: ofTables + "InternalServerError", message: message}
}

// signingScope is who signed a request and for which Region. No engine checks
// the signature itself.
var signingScope = regexp.MustCompile(`Credential=[^/,]*/([0-9]*)/[^/,]*/`)

// SetRegion sets the Region that ARNs name from now on.
func (f *Front) SetRegion(region string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.region = region
}

// Region returns the Region that ARNs name.
func (f *Front) Region() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.region
}

// Close closes the connections to the engine that are not in use, and keeps what
// the next front has to know. Its sweeper must not run any more.
func (f *Front) Close() {
	f.transport.CloseIdleConnections()
	if f.kept == "" {
		return
	}
	if err := f.expired.save(f.kept); err != nil {
		f.log.Warn("which deletes were TTL's could not be kept", "error", err)
	}
}

// callKey is under which the context of a request has its *call.
type callKey struct{}

// ServeHTTP serves one call.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent bytes.Buffer
	if 0 < r.ContentLength && r.ContentLength <= maxBody {
		sent.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := sent.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		refused := refuse(ofService+"SerializationException", "the body could not be read")
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refused = &refusal{
				status: http.StatusRequestEntityTooLarge, kind: ofService + "RequestEntityTooLargeException",
				message: fmt.Sprintf("the request is longer than %d bytes", tooLarge.Limit),
			}
		}
		refused.write(w)
		return
	}
	c := parseTarget(r.Header.Get(actionHeader))
	body, err := f.admit(r, &c, sent.Bytes())
	if err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			f.log.ErrorContext(r.Context(), "call could not be checked", "operation", c.operation, "error", err)
			refused = unavailable("internal error")
		}
		refused.write(w)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, &c))
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	f.proxy.ServeHTTP(w, r)
}

// admit refuses a call, or returns its body as the engine gets it.
func (f *Front) admit(r *http.Request, c *call, body []byte) ([]byte, error) {
	ctx := r.Context()
	principal, err := f.authenticate(r, body)
	if err != nil {
		return nil, err
	}
	if c.operation == "" {
		return nil, refuse(ofService+"UnknownOperationException", "")
	}
	if c.request = parse(body); c.request == nil {
		return nil, refuse(ofService+"SerializationException", "")
	}
	if err := checkLimit(c); err != nil {
		return nil, err
	}
	changed, err := f.plain(c, body)
	if err != nil {
		return nil, err
	}
	checked := f.mayNotDoAll(principal)
	if checked || f.fault != nil {
		uses, err := f.uses(c)
		if checked && err == nil {
			err = f.authorize(ctx, principal, c, uses)
		}
		if checked && err != nil {
			return nil, err
		}
		if f.fault != nil {
			if err := f.throttle(ctx, c, uses); err != nil {
				return nil, err
			}
		}
	}
	if c.operation == "Query" {
		ordered, err := f.partitionKeyFirst(ctx, c)
		if err != nil {
			return nil, err
		}
		changed = changed || ordered
	}
	if changed || c.held != nil {
		if body, err = encode(c.request); err != nil {
			return nil, err
		}
	}
	if namesARNs(c) {
		body = rewriteARNs(body, func(arn string) string { return f.toEngine(ctx, arn) })
	}
	return body, nil
}

// plain takes out of a request what only the front knows: the stream in an
// iterator, and ARNs in the place of tables' names. It reports whether the
// request changed.
func (f *Front) plain(c *call, body []byte) (changed bool, err error) {
	switch {
	case c.streams && c.operation == "GetRecords":
		var iterator string
		if c.stream, iterator = unwrapIterator(c.request.text("ShardIterator")); c.stream == "" {
			return false, nil // for the engine to refuse
		}
		return true, c.request.set("ShardIterator", iterator)
	case c.streams:
		c.stream = c.request.text("StreamArn")
	}
	if !bytes.Contains(body, []byte(`"arn:aws:dynamodb:`)) {
		return false, nil
	}
	return f.plainTables(c)
}

// answer rewrites the engine's response.
func (f *Front) answer(resp *http.Response) error {
	c := resp.Request.Context().Value(callKey{}).(*call)
	if !c.streams && strings.HasSuffix(c.operation, "Table") {
		f.forgetSchema(c.request.text("TableName")) // whatever became of it
	}
	var rewrite func(body []byte) []byte
	switch {
	case c.streams && c.operation == "GetRecords":
		rewrite = func(body []byte) []byte { return f.records(c, body) }
	case c.streams && c.operation == "GetShardIterator":
		rewrite = func(body []byte) []byte { return wrapField(body, "ShardIterator", c.stream) }
	case c.streams && c.operation == "DescribeStream":
		rewrite = func(body []byte) []byte { return rewriteARNs(openShards(body), f.fromEngine) }
	case namesARNs(c):
		rewrite = func(body []byte) []byte { return rewriteARNs(body, f.fromEngine) }
	case c.held != nil:
		rewrite = c.unprocessed
	default:
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body.Close()
	body = rewrite(body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	if resp.Header.Get(checksumHeader) != "" {
		resp.Header.Set(checksumHeader, checksum(body))
	}
	return nil
}

// prefix is how ARNs of the local cloud's tables begin.
func (f *Front) prefix() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return "arn:aws:dynamodb:" + f.region + ":" + f.account + ":"
}

// fromEngine turns an ARN of the engine's into the local cloud's.
func (f *Front) fromEngine(arn string) string {
	found := tableARN.FindStringSubmatch(arn)
	if found == nil {
		return arn
	}
	f.mu.Lock()
	f.engine = found[1]
	f.mu.Unlock()
	return f.prefix() + arn[len(found[1]):]
}

// toEngine turns an ARN of the local cloud's into the engine's.
func (f *Front) toEngine(ctx context.Context, arn string) string {
	found := tableARN.FindStringSubmatch(arn)
	if found == nil || found[1] != f.prefix() {
		return arn
	}
	return f.enginePrefix(ctx, found[2]) + arn[len(found[1]):]
}

// enginePrefix is how the engine's ARNs begin. Where no answer has shown it yet,
// the engine is asked for a table's; where it has no such table, any ARN of it is
// as wrong as another.
func (f *Front) enginePrefix(ctx context.Context, table string) string {
	f.mu.Lock()
	known := f.engine
	f.mu.Unlock()
	if known != "" {
		return known
	}
	described, err := f.direct.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err == nil {
		f.fromEngine(aws.ToString(described.Table.TableArn))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.engine, "arn:aws:dynamodb:"+f.region+":"+f.account+":")
}
