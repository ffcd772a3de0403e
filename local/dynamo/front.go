package dynamo

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"sync"

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
