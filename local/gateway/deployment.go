package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"example.com/chatstack/internal/selection"
)

// A deployment is a checked API in the form in which it is served. It is
// immutable: a new declaration makes a new one.
type deployment struct {
	api       API
	selection selection.Expression
	stages    map[string]stage
	routes    map[string]route // by key
}

// A route is a Route joined to its integration.
type route struct {
	key         string
	functionARN string
	timeout     time.Duration
	twoWay      bool
	authorizer  *authorizer // nil: anyone may
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// deploy checks api and copies what serving it needs. The error names every
// mistake, not only the first.
func deploy(api API, limits Limits) (*deployment, error) {
	d := &deployment{api: api}
	var found problems
	if api.ID == "" {
		found.add("the API has no id")
	}
	var err error
	if d.selection, err = selection.Parse(api.RouteSelectionExpression); err != nil {
		found.add("route selection expression %q: %w", api.RouteSelectionExpression, err)
	}
	d.stages = found.inStages(api, limits)
	found.inIntegrations(api, limits)
	d.routes = found.inRoutes(api, found.inAuthorizers(api, limits), limits)
	if len(found) > 0 {
		return nil, fmt.Errorf("api %s: %w", api.ID, errors.Join(found...))
	}
	// The caller keeps its own maps and slices; nothing here reads them again.
	d.api.Stages, d.api.Routes, d.api.Integrations, d.api.Authorizers = nil, nil, nil, nil
	return d, nil
}

// problems are the mistakes found in an API.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

// atMost finds more of a kind than there may be.
func (p *problems) atMost(limit, n int, kind string) {
	if n > limit {
		p.add("%d %s, at most %d are allowed", n, kind, limit)
	}
}

func (p *problems) inStages(api API, limits Limits) map[string]stage {
	p.atMost(limits.Stages, len(api.Stages), "stages")
	stages := make(map[string]stage, len(api.Stages))
	for name, declared := range api.Stages {
		switch {
		case !stageName.MatchString(name):
			p.add("stage %q: a name has 1 to 128 letters, digits, hyphens and underscores", name)
		case reservedPath(name):
			p.add("stage %q: the path /%s is reserved", name, name)
		}
		var err error
		if stages[name], err = newStage(declared, api.Routes); err != nil {
			p.add("stage %q: %w", name, err)
		}
	}
	return stages
}

func (p *problems) inIntegrations(api API, limits Limits) {
	p.atMost(limits.Routes, len(api.Integrations), "integrations")
	for id, integration := range api.Integrations {
		if err := checkIntegration(integration); err != nil {
			p.add("integration %s: %w", id, err)
		}
	}
}

func (p *problems) inAuthorizers(api API, limits Limits) map[string]*authorizer {
	p.atMost(limits.Authorizers, len(api.Authorizers), "authorizers")
	authorizers := make(map[string]*authorizer, len(api.Authorizers))
	for id, declared := range api.Authorizers {
		var err error
		if authorizers[id], err = checkAuthorizer(id, declared); err != nil {
			p.add("authorizer %s: %w", id, err)
		}
	}
	return authorizers
}

func (p *problems) inRoutes(api API, authorizers map[string]*authorizer, limits Limits) map[string]route {
	p.atMost(limits.Routes, len(api.Routes), "routes")
	routes := make(map[string]route, len(api.Routes)) // by key
	for _, declared := range api.Routes {
		if _, twice := routes[declared.Key]; twice {
			p.add("route %q is declared twice", declared.Key)
			continue
		}
		r, err := joinRoute(declared, api.Integrations, authorizers)
		if err != nil {
			p.add("route %q: %w", declared.Key, err)
		}
		routes[declared.Key] = r
	}
	return routes
}

// arn is that of the API, without a stage.
func (d *deployment) arn() string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", d.api.Region, d.api.AccountID, d.api.ID)
}

func checkIntegration(integration Integration) error {
	switch {
	case integration.Type != "AWS_PROXY":
		return fmt.Errorf("type %q is not run locally, only AWS_PROXY is", integration.Type)
	case integration.FunctionARN == "":
		return errors.New("no function")
	case integration.Timeout != 0 && (integration.Timeout < minIntegrationTimeout || integration.Timeout > maxIntegrationTimeout):
		return fmt.Errorf("timeout %v is not within %v and %v", integration.Timeout, minIntegrationTimeout, maxIntegrationTimeout)
	}
	return nil
}

func joinRoute(declared Route, integrations map[string]Integration, authorizers map[string]*authorizer) (route, error) {
	switch key := declared.Key; {
	case key == "":
		return route{}, errors.New("a route needs a key")
	case declared.AuthorizerID != "" && key != connectRoute:
		return route{}, errors.New("only $connect may have an authorizer")
	case strings.HasPrefix(key, "$") && key != connectRoute && key != disconnectRoute && key != defaultRoute:
		return route{}, errors.New("only $connect, $disconnect and $default begin with a dollar sign")
	}
	integration, ok := integrations[declared.Target]
	if !ok {
		return route{}, fmt.Errorf("its target %q is no integration of this API", declared.Target)
	}
	authorizer, ok := authorizers[declared.AuthorizerID]
	if !ok && declared.AuthorizerID != "" {
		return route{}, fmt.Errorf("its authorizer %q is none of this API", declared.AuthorizerID)
	}
	expression := declared.RouteResponseSelectionExpression
	if expression != "" && expression != defaultRoute {
		return route{}, fmt.Errorf("route response selection expression %q: only $default is allowed", expression)
	}
	return route{
		key:         declared.Key,
		functionARN: integration.FunctionARN,
		timeout:     cmp.Or(integration.Timeout, maxIntegrationTimeout),
		twoWay:      expression == defaultRoute && declared.HasRouteResponse,
		authorizer:  authorizer,
	}, nil
}
