package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/chatstack/local/iam"
)

// invokeAction is what a client needs to be allowed in order to connect.
const invokeAction = "execute-api:Invoke"

// A statement is one of the policy that an authorizer returns.
type statement struct {
	deny      bool
	actions   []string
	resources []string
}

// arnColons is how many colons an ARN has at least: those between its six parts.
const arnColons = 5

// parsePolicy parses the policy of an authorizer's result. What would change
// its meaning and is not evaluated here is an error: a policy must not allow
// more on this machine than it does on AWS.
func parsePolicy(raw json.RawMessage) ([]statement, error) {
	var fields map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &fields) != nil {
		return nil, errors.New("it is missing, or no object")
	}
	var each iam.OneOrMore[json.RawMessage]
	for name, value := range fields {
		switch name {
		case "Id":
		case "Version":
			var version string
			if json.Unmarshal(value, &version) != nil || version != "2012-10-17" && version != "2008-10-17" {
				return nil, errors.New("its Version is neither 2012-10-17 nor 2008-10-17")
			}
		case "Statement":
			if json.Unmarshal(value, &each) != nil {
				return nil, errors.New("its Statement is neither an object nor a list")
			}
		default:
			return nil, fmt.Errorf("%q is no element of a policy", name)
		}
	}
	if len(each) == 0 {
		return nil, errors.New("it has no Statement")
	}
	statements := make([]statement, len(each))
	for i, raw := range each {
		var err error
		if statements[i], err = parseStatement(raw); err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return statements, nil
}

func parseStatement(raw json.RawMessage) (s statement, err error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return s, errors.New("it is no object")
	}
	for name := range fields {
		switch name {
		case "Sid", "Effect", "Action", "Resource":
		case "Condition", "NotAction", "NotResource":
			return s, fmt.Errorf("%s is not evaluated locally", name)
		default:
			return s, fmt.Errorf("%q is no element of a statement", name)
		}
	}
	var effect string
	if decodeField(fields, "Effect", &effect) != nil || effect != "Allow" && effect != "Deny" {
		return s, errors.New("its Effect is neither Allow nor Deny")
	}
	s.deny = effect == "Deny"
	if s.actions, err = texts(fields["Action"]); err != nil {
		return s, fmt.Errorf("its Action: %w", err)
	}
	if s.resources, err = texts(fields["Resource"]); err != nil {
		return s, fmt.Errorf("its Resource: %w", err)
	}
	for _, resource := range s.resources {
		if resource != "*" && strings.Count(resource, ":") < arnColons {
			return s, errors.New("its Resource is neither * nor an ARN")
		}
	}
	return s, nil
}

// texts decodes a text or a list of texts.
func texts(raw json.RawMessage) ([]string, error) {
	var list iam.OneOrMore[string]
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || slices.Contains(list, "") {
		return nil, errors.New("it is missing, or neither a text nor a list of texts")
	}
	return list, nil
}

// allows evaluates a policy for connecting: what is denied is denied, and what
// is not allowed is denied too.
func allows(statements []statement, methodARN string) bool {
	allowed := false
	for _, s := range statements {
		action := slices.ContainsFunc(s.actions, func(pattern string) bool {
			return iam.Match(strings.ToLower(pattern), strings.ToLower(invokeAction))
		})
		if !action || !slices.ContainsFunc(s.resources, func(pattern string) bool { return iam.MatchARN(pattern, methodARN) }) {
			continue
		}
		if s.deny {
			return false
		}
		allowed = true
	}
	return allowed
}
