package gateway

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// An identitySource is something that a request must have before an authorizer
// is asked.
type identitySource struct {
	kind string // one of the prefixes below
	name string
}

const (
	sourceHeader  = "route.request.header."
	sourceQuery   = "route.request.querystring."
	sourceStage   = "stageVariables."
	sourceContext = "context."
)

func (s identitySource) String() string { return s.kind + s.name }

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// contextNames are what $connect knows of its context.
var contextNames = []string{
	"apiId", "connectedAt", "connectionId", "domainName", "eventType", "extendedRequestId", "identity.sourceIp",
	"identity.userAgent", "messageDirection", "requestId", "requestTime", "requestTimeEpoch", "routeKey", "stage",
}

// parseIdentitySource parses the expressions of WebSocket APIs. Those of REST
// APIs (method.request…) and of HTTP APIs ($request…) are others.
func parseIdentitySource(text string) (identitySource, error) {
	for _, kind := range []string{sourceHeader, sourceQuery, sourceStage, sourceContext} {
		name, ok := strings.CutPrefix(text, kind)
		if !ok || name == "" {
			continue
		}
		if kind == sourceHeader && !headerName.MatchString(name) {
			return identitySource{}, fmt.Errorf("identity source %q: %q is no name of a header", text, name)
		}
		if kind == sourceContext && !slices.Contains(contextNames, name) {
			return identitySource{}, fmt.Errorf("identity source %q: $connect has no %s in its context, only %s", text, name, strings.Join(contextNames, ", "))
		}
		return identitySource{kind, name}, nil
	}
	return identitySource{}, fmt.Errorf("identity source %q is not run locally: only %sNAME, %sNAME, %sNAME and %sNAME are",
		text, sourceHeader, sourceQuery, sourceStage, sourceContext)
}

// value finds the source in what the authorizer would get; empty means that it
// is not there.
func (s identitySource) value(e authorizerEvent) string {
	switch s.kind {
	case sourceHeader:
		for name, value := range e.Headers {
			if strings.EqualFold(name, s.name) {
				return value
			}
		}
		return ""
	case sourceQuery:
		return e.QueryStringParameters[s.name]
	case sourceStage:
		return e.StageVariables[s.name]
	}
	var value any
	_ = json.Unmarshal(encodeJSON(e.RequestContext), &value)
	for step := range strings.SplitSeq(s.name, ".") {
		object, _ := value.(map[string]any)
		value = object[step]
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
