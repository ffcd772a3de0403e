package gateway

import (
	"net/http"
	"strings"
)

// Handler serves an API: upgrades at /{stage}, and its connections at
// /{stage}/@connections/{id}. It may be taken before the API is put and
// outlives its deletion; while there is no such API, it answers 403.
//
// The server that runs the handler must speak HTTP/1.1, as net/http's does
// without TLS.
func (g *Gateway) Handler(apiID string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len("wss://")+len(r.Host)+len(r.RequestURI) > g.options.Limits.URL {
			fail(w, http.StatusRequestURITooLong, "BadRequestException", "Request URI Too Long")
			return
		}
		// Path is decoded, so that %40connections and %3D are as good as @ and =.
		stage, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if reservedPath(stage) && rest == "" {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("healthy\n"))
			return
		}
		id, management := strings.CutPrefix(rest, "@connections/")
		e, known := g.endpoint(apiID)
		if known {
			_, known = e.deployment.Load().stages[stage]
		}
		switch {
		case known && rest == "":
			e.upgrade(w, r, stage)
		case known && management && id != "" && isOneSegment(r.URL.EscapedPath()):
			e.manage(w, r, stage, id)
		default:
			fail(w, http.StatusForbidden, "ForbiddenException", string(forbidden))
		}
	})
}

// isOneSegment reports whether a path has but one segment behind @connections,
// however its @ and slashes are written. A slash that is escaped is part of it.
func isOneSegment(escapedPath string) bool {
	_, id, _ := strings.Cut(escapedPath, "connections/")
	return !strings.Contains(id, "/")
}

// reservedPath reports whether a path's first segment is one that API Gateway
// keeps for its own health checks.
func reservedPath(segment string) bool { return segment == "ping" || segment == "sping" }

// fail answers with an error in the shape that AWS SDKs understand: they take
// its type from the header. An empty message makes an empty body.
func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("x-amzn-ErrorType", code)
	if message == "" {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encodeJSON(struct {
		Message string `json:"message"`
	}{message}))
}
