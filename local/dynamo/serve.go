package dynamo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const actionHeader = "X-Amz-Target"

// maxBody is the most that a request may hold, in bytes: 16 MB of items, as a
// batch may, and what JSON and base64 add to them.
const maxBody = 32 << 20

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
