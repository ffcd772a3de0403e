package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// authorize serves the events of an authorizer; the token says how.
func (p *probe) authorize(ctx context.Context, payload json.RawMessage) (any, error) {
	var e struct {
		event
		MethodARN string
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	if noted := e.QueryStringParameters["case"]; noted != "" {
		if err := p.note(ctx, "authorizer-"+noted, payload); err != nil {
			return nil, err
		}
	}
	policy := func(effect string) map[string]any {
		return map[string]any{
			"principalId": "someone",
			"policyDocument": map[string]any{
				"Version": "2012-10-17",
				"Statement": []map[string]any{{
					"Action": "execute-api:Invoke", "Effect": effect, "Resource": e.MethodARN,
				}},
			},
			"context": map[string]any{"tenant": "blue"},
		}
	}
	switch e.QueryStringParameters["token"] {
	case "allow":
		return policy("Allow"), nil
	case "deny":
		return policy("Deny"), nil
	case "large":
		allowed := policy("Allow")
		allowed["context"] = map[string]any{"tenant": strings.Repeat("x", 9<<10)}
		return allowed, nil
	case "garbage":
		return map[string]any{"hello": "world"}, nil
	case "panic":
		panic("ordered to panic")
	case "error":
		return nil, errOrdered
	default:
		return nil, errors.New("Unauthorized") // the very word that API Gateway knows
	}
}
