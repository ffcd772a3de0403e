package dynamo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
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
)

// A Front is the HTTP endpoint that clients of the local table use. It passes
// every call on to the engine and makes up for what engines do otherwise than
// AWS: their ARNs name a Region of their own, their TTL deletes carry no
// userIdentity, and some show each pair of access key and Region tables of its
// own.
type Front struct {
	proxy     *httputil.ReverseProxy
	transport *http.Transport
	direct    *dynamodb.Client // asks the engine itself
	account   string
	expired   *expiries

	mu     sync.Mutex
	region string // of the local cloud
	engine string // "arn:aws:dynamodb:REGION:ACCOUNT:" as the engine writes it; empty until it is known
}

const actionHeader = "X-Amz-Target"

// maxControlBody is the most that a request which names ARNs may hold, in bytes.
// Such requests are small; those with items pass unread.
const maxControlBody = 1 << 20

// NewFront returns a front for the engine at endpoint. ARNs name region and
// account.
func NewFront(endpoint, region, account string, log *slog.Logger) (*Front, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("front of the table engine: %w", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	f := &Front{
		transport: transport,
		direct:    newClient(endpoint, transport),
		account:   account,
		expired:   newExpiries(),
		region:    region,
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
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				log.Error("table engine does not answer", "error", err)
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"the table engine does not answer"}`)
		},
	}
	return f, nil
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

// Close closes the connections to the engine that are not in use.
func (f *Front) Close() { f.transport.CloseIdleConnections() }

// ServeHTTP passes one call on.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if namesARNs(r.Header.Get(actionHeader)) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		body = rewriteARNs(body, func(arn string) string { return f.toEngine(r.Context(), arn) })
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
	}
	f.proxy.ServeHTTP(w, r)
}

// answer rewrites the engine's response.
func (f *Front) answer(resp *http.Response) error {
	action := resp.Request.Header.Get(actionHeader)
	rewrite := f.expired.identify
	switch {
	case namesARNs(action):
		rewrite = func(body []byte) []byte { return rewriteARNs(body, f.fromEngine) }
	case !strings.HasSuffix(action, ".GetRecords"):
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
	if resp.Header.Get("X-Amz-Crc32") != "" {
		resp.Header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
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
