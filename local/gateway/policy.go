package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// invokeAction is what a client needs to be allowed in order to connect.
const invokeAction = "execute-api:Invoke"

// A statement is one of the policy that an authorizer returns.
type statement struct {
	deny      bool
	actions   []string
	resources []string
}

// parsePolicy parses the policy of an authorizer's result. What would change
// its meaning and is not evaluated here is an error: a policy must not allow
// more on this machine than it does on AWS.
func parsePolicy(raw json.RawMessage) ([]statement, error) {
	var fields map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &fields) != nil {
		return nil, errors.New("it is missing, or no object")
	}
	var each []json.RawMessage
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
				each = []json.RawMessage{value} // a single one needs no brackets
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
	if s.actions, err = oneOrMore(fields["Action"]); err != nil {
		return s, fmt.Errorf("its Action: %w", err)
	}
	if s.resources, err = oneOrMore(fields["Resource"]); err != nil {
		return s, fmt.Errorf("its Resource: %w", err)
	}
	for _, resource := range s.resources {
		if resource != "*" && len(strings.SplitN(resource, ":", arnParts)) < arnParts {
			return s, errors.New("its Resource is neither * nor an ARN")
		}
	}
	return s, nil
}

// oneOrMore decodes a text or a list of texts.
func oneOrMore(raw json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}, nil
	}
	var more []string
	if json.Unmarshal(raw, &more) != nil || len(more) == 0 {
		return nil, errors.New("it is missing, or neither a text nor a list of texts")
	}
	return more, nil
}

// allows evaluates a policy for connecting: what is denied is denied, and what
// is not allowed is denied too.
func allows(statements []statement, methodARN string) bool {
	allowed := false
	for _, s := range statements {
		action := slices.ContainsFunc(s.actions, func(pattern string) bool {
			return matches(strings.ToLower(pattern), strings.ToLower(invokeAction))
		})
		if !action || !slices.ContainsFunc(s.resources, func(pattern string) bool { return matchesARN(pattern, methodARN) }) {
			continue
		}
		if s.deny {
			return false
		}
		allowed = true
	}
	return allowed
}

// arnParts is how many parts an ARN has; only the last one may hold colons.
const arnParts = 6

// matchesARN matches part by part, as IAM does: a wildcard does not reach beyond
// its part of an ARN.
func matchesARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	want, have := strings.SplitN(pattern, ":", arnParts), strings.SplitN(arn, ":", arnParts)
	return slices.EqualFunc(want, have, matches)
}

// matches reports whether a text matches a pattern in which * stands for any
// text and ? for any one byte.
func matches(pattern, text string) bool {
	star, mark := -1, 0 // the last star, and how much of the text it has taken
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
