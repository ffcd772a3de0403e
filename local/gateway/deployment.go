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
	d := &deployment{
		api:    api,
		stages: make(map[string]stage, len(api.Stages)),
		routes: make(map[string]route, len(api.Routes)),
	}
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}

	if api.ID == "" {
		problem("the API has no id")
	}
	var err error
	if d.selection, err = selection.Parse(api.RouteSelectionExpression); err != nil {
		problem("route selection expression %q: %w", api.RouteSelectionExpression, err)
	}
	if n := len(api.Stages); n > limits.Stages {
		problem("%d stages, at most %d are allowed", n, limits.Stages)
	}
	for name, declared := range api.Stages {
		switch {
		case cmp.Or(declared.Name, name) != name:
			problem("stage %q is listed under the name %q", declared.Name, name)
		case !stageName.MatchString(name):
			problem("stage %q: a name has 1 to 128 letters, digits, hyphens and underscores", name)
		case reservedPath(name):
			problem("stage %q: the path /%s is reserved", name, name)
		}
		if d.stages[name], err = newStage(declared, api.Routes); err != nil {
			problem("stage %q: %w", name, err)
		}
	}
	if n := len(api.Integrations); n > limits.Routes {
		problem("%d integrations, at most %d are allowed", n, limits.Routes)
	}
	for id, integration := range api.Integrations {
		if err := checkIntegration(id, integration); err != nil {
			problem("integration %s: %w", id, err)
		}
	}
	authorizers := make(map[string]*authorizer, len(api.Authorizers))
	if n := len(api.Authorizers); n > limits.Authorizers {
		problem("%d authorizers, at most %d are allowed", n, limits.Authorizers)
	}
	for id, declared := range api.Authorizers {
		if authorizers[id], err = checkAuthorizer(id, declared); err != nil {
			problem("authorizer %s: %w", id, err)
		}
	}
	if n := len(api.Routes); n > limits.Routes {
		problem("%d routes, at most %d are allowed", n, limits.Routes)
	}
	for _, declared := range api.Routes {
		if _, twice := d.routes[declared.Key]; twice {
			problem("route %q is declared twice", declared.Key)
			continue
		}
		r, err := joinRoute(declared, api.Integrations, authorizers)
		if err != nil {
			problem("route %q: %w", declared.Key, err)
		}
		d.routes[declared.Key] = r
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("api %s: %w", api.ID, errors.Join(problems...))
	}
	// The caller keeps its own maps and slices; nothing here reads them again.
	d.api.Stages, d.api.Routes, d.api.Integrations, d.api.Authorizers = nil, nil, nil, nil
	return d, nil
}

// arn is that of the API, without a stage.
func (d *deployment) arn() string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", d.api.Region, d.api.AccountID, d.api.ID)
}

func checkIntegration(id string, integration Integration) error {
	switch {
	case cmp.Or(integration.ID, id) != id:
		return fmt.Errorf("its own id is %s", integration.ID)
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
