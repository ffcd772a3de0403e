package gateway

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
)

// parameters are headers or query parameters. AWS writes them in the order of
// their names, whatever their case.
type parameters[V any] map[string]V

func (p parameters[V]) MarshalJSON() ([]byte, error) {
	names := slices.SortedFunc(maps.Keys(p), func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, encodeJSON(name)...), ':')
		b = append(b, encodeJSON(p[name])...)
	}
	return append(b, '}'), nil
}

// values are parameters with all their values, as in the multiValue… fields of
// an event.
type values = parameters[[]string]

// lastOf returns the last value of each, as in the fields without multiValue.
func lastOf(v values) parameters[string] {
	if len(v) == 0 {
		return nil
	}
	last := make(parameters[string], len(v))
	for name, all := range v {
		last[name] = all[len(all)-1]
	}
	return last
}

// eventHeaders returns the headers of a $connect event: the client's without
// those of the connection itself, and those that API Gateway adds. Port and
// protocol are always those of AWS, whatever the listener is.
//
// Names are spelled as the client does. Where that is not known (see
// [KeepSpelling]) they are canonical, except for the Sec-WebSocket family, which
// every known client spells so.
func eventHeaders(r *http.Request, sourceIP, trace string) values {
	headers, spelled := make(values, len(r.Header)+5), spelling(r)
	for name, all := range r.Header {
		switch name {
		case "Connection", "Upgrade", "Content-Length", "Transfer-Encoding":
			continue
		case "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto":
			headers[name] = all // API Gateway's own, whoever sent them before
			continue
		}
		if own, known := spelled[name]; known {
			name = own
		} else if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
			name = "Sec-WebSocket-" + rest
		}
		headers[name] = all
	}
	headers["Host"] = []string{r.Host}
	if _, ok := headers["X-Amzn-Trace-Id"]; !ok {
		headers["X-Amzn-Trace-Id"] = []string{trace}
	}
	forwarded := append(append([]string(nil), r.Header.Values("X-Forwarded-For")...), sourceIP)
	headers["X-Forwarded-For"] = []string{strings.Join(forwarded, ", ")}
	headers["X-Forwarded-Port"] = []string{"443"}
	headers["X-Forwarded-Proto"] = []string{"https"}
	return headers
}

// sourceIP returns the address of the peer without its port.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a listener that is not TCP
	}
	return host
}
