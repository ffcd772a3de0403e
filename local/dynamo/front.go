package dynamo

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// A Front is the HTTP endpoint that clients of the local table use. It passes
// every call on to the engine and makes up for what engines do otherwise than
// AWS: their ARNs name a Region of their own, and their TTL deletes carry no
// userIdentity.
type Front struct {
	proxy   *httputil.ReverseProxy
	region  atomic.Value // string: the Region of the local cloud
	engine  atomic.Value // string: "arn:aws:dynamodb:REGION:ACCOUNT:" as the engine writes it, once seen
	account string
	expired *expiries
}

// engineARN matches the head of an ARN of a table, an index or a stream.
var engineARN = regexp.MustCompile(`arn:aws:dynamodb:[A-Za-z0-9-]+:[0-9]*:`)

const actionHeader = "X-Amz-Target"

// NewFront returns a front for the engine at endpoint. ARNs name region and
// account.
func NewFront(endpoint, region, account string, log *slog.Logger) (*Front, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	f := &Front{account: account, expired: newExpiries()}
	f.SetRegion(region)
	f.engine.Store("")
	f.proxy = &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true},
		ModifyResponse: f.answer,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				log.Error("table engine does not answer", "error", err)
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"the table engine does not answer"}`)
		},
	}
	return f, nil
}

// SetRegion sets the Region that ARNs name from now on.
func (f *Front) SetRegion(region string) { f.region.Store(region) }

// ServeHTTP passes one call on.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 17<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if engine := f.engine.Load().(string); engine != "" {
		body = bytes.ReplaceAll(body, []byte(f.prefix()), []byte(engine))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	f.proxy.ServeHTTP(w, r)
}

// prefix is how ARNs of the local cloud's tables begin.
func (f *Front) prefix() string {
	return "arn:aws:dynamodb:" + f.region.Load().(string) + ":" + f.account + ":"
}

// answer rewrites the engine's response.
func (f *Front) answer(resp *http.Response) error {
	action := resp.Request.Header.Get(actionHeader)
	if !namesARNs(action) {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body.Close()
	body = engineARN.ReplaceAllFunc(body, func(found []byte) []byte {
		f.engine.Store(string(found))
		return []byte(f.prefix())
	})
	if strings.HasSuffix(action, ".GetRecords") {
		body = f.identify(body)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Del("X-Amz-Crc32") // of the body before it was rewritten
	return nil
}

// namesARNs reports whether an action's answer can hold ARNs or records. The
// answers to reads and writes of items are the callers' own data and pass
// untouched.
func namesARNs(action string) bool {
	_, name, _ := strings.Cut(action, ".")
	if strings.HasPrefix(action, "DynamoDBStreams_") {
		return true
	}
	return strings.HasSuffix(name, "Table") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Describe")
}

// identify gives the records of TTL deletes the identity that AWS gives them.
func (f *Front) identify(body []byte) []byte {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	var records []map[string]json.RawMessage
	if json.Unmarshal(answer["Records"], &records) != nil {
		return body
	}
	changed := false
	for _, record := range records {
		var change struct{ Keys, OldImage json.RawMessage }
		if string(record["eventName"]) != `"REMOVE"` || json.Unmarshal(record["dynamodb"], &change) != nil {
			continue
		}
		if f.expired.has(change.Keys, change.OldImage) {
			record["userIdentity"] = json.RawMessage(`{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`)
			changed = true
		}
	}
	if !changed {
		return body
	}
	rewritten, err := json.Marshal(records)
	if err != nil {
		return body
	}
	answer["Records"] = rewritten
	if rewritten, err = json.Marshal(answer); err != nil {
		return body
	}
	return rewritten
}
