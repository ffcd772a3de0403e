package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPolicy is the most that the inline policies of a role may hold together,
// in characters that are not white space. IAM's quota.
const MaxPolicy = 10_240

// maxDocument is the most that PutRolePolicy takes, in characters.
const maxDocument = 131_072

// A Policy is an inline policy of a role. The zero value allows nothing.
type Policy struct {
	size       int
	statements []statement
}

// Size returns how many characters of the document count for IAM's quota: those
// that are not white space.
func (p Policy) Size() int { return p.size }

// A statement allows or denies actions on resources.
type statement struct {
	name       string // the Sid, or its place, from "1"
	deny       bool
	actions    clause
	resources  clause
	conditions []condition
}

// A clause is an Action, NotAction, Resource or NotResource element.
type clause struct {
	not      bool
	patterns []string // as the policy has them
	compared []string // as they are compared: actions in lower case
}

// ParsePolicy reads the document of an inline policy. Its errors are of the type
// *[PolicyError].
func ParsePolicy(document string) (Policy, error) {
	policy, err := parsePolicy(document)
	if err != nil {
		return Policy{}, err
	}
	return policy, nil
}

func parsePolicy(document string) (Policy, error) {
	if utf8.RuneCountInString(document) > maxDocument {
		return Policy{}, malformed("", "the document is longer than %d characters", maxDocument)
	}
	for _, char := range document {
		// IAM's own pattern for documents: printable Latin, tab, line feed and return.
		if char > unicode.MaxLatin1 || char < ' ' && !strings.ContainsRune("\t\n\r", char) {
			return Policy{}, malformed("", "the document holds %q: allowed are the characters of Latin-1", char)
		}
	}
	top, err := decode(document)
	if err != nil {
		return Policy{}, malformed("", "Syntax errors in policy: %v", err)
	}
	elements, ok := top.(map[string]any)
	if !ok {
		return Policy{}, malformed("", "Syntax errors in policy: it is not a JSON object")
	}
	if err := only(elements, "", "Version", "Id", "Statement"); err != nil {
		return Policy{}, err
	}
	variables, err := version(elements)
	if err != nil {
		return Policy{}, err
	}
	if id, has := elements["Id"]; has {
		if _, ok := id.(string); !ok {
			return Policy{}, malformed("", "Id is not text")
		}
	}
	policy := Policy{size: countVisible(document)}
	if policy.size > MaxPolicy {
		return Policy{}, malformed("", "the policy has %d characters without white space: the inline policies of a role may have %d", policy.size, MaxPolicy)
	}
	list, ok := elements["Statement"].([]any)
	if one, isObject := elements["Statement"].(map[string]any); isObject {
		list, ok = []any{one}, true
	}
	if !ok || len(list) == 0 {
		return Policy{}, malformed("", "Statement is missing: give one statement, or a list of them")
	}
	for i, element := range list {
		s, err := parseStatement(element, i, variables)
		if err != nil {
			return Policy{}, err
		}
		if slices.ContainsFunc(policy.statements, func(other statement) bool { return other.name == s.name }) {
			return Policy{}, malformed("", "Statement IDs (SID) in a single policy must be unique: %q is there twice", s.name)
		}
		policy.statements = append(policy.statements, s)
	}
	return policy, nil
}

// version reports whether the policy's version has policy variables.
func version(elements map[string]any) (variables bool, err error) {
	switch v, has := elements["Version"]; {
	case !has, v == "2008-10-17":
		return false, nil
	case v == "2012-10-17":
		return true, nil
	default:
		return false, malformed("", "Version is %v: allowed is 2012-10-17, or the old 2008-10-17", v)
	}
}

var sidForm = regexp.MustCompile(`^[A-Za-z0-9]*$`)

func parseStatement(element any, i int, variables bool) (statement, error) {
	s := statement{name: strconv.Itoa(i + 1)}
	where := "statement " + s.name
	elements, ok := element.(map[string]any)
	if !ok {
		return s, malformed(where, "it is not a JSON object")
	}
	if sid, has := elements["Sid"]; has {
		text, ok := sid.(string)
		if !ok || !sidForm.MatchString(text) {
			return s, malformed(where, "Statement IDs (SID) must be alpha-numeric: Sid is %v", sid)
		}
		if text != "" {
			s.name, where = text, "statement "+text
		}
	}
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if _, has := elements[name]; has {
			return s, malformed(where, "Policy document should not specify a principal: it is the role's own, take %s away", name)
		}
	}
	err := only(elements, where, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, err
	}
	switch effect, has := elements["Effect"]; {
	case !has:
		return s, malformed(where, "Missing required field Effect: give Allow or Deny")
	case effect == "Deny":
		s.deny = true
	case effect != "Allow":
		return s, malformed(where, "Effect is %v: allowed is Allow or Deny, written so", effect)
	}
	if s.actions, err = parseClause(elements, where, "Action", checkAction); err != nil {
		return s, err
	}
	checkResource := func(where, resource string) error { return checkResource(where, resource, variables) }
	if s.resources, err = parseClause(elements, where, "Resource", checkResource); err != nil {
		return s, err
	}
	s.conditions, err = parseConditions(elements["Condition"], where, variables)
	return s, err
}

// parseClause reads the element that is called name, or Not and name.
func parseClause(elements map[string]any, where, name string, check func(where, pattern string) error) (clause, error) {
	plain, hasPlain := elements[name]
	negated, hasNot := elements["Not"+name]
	value := plain
	switch {
	case hasPlain && hasNot:
		return clause{}, malformed(where, "it has both %s and Not%s: give one of them", name, name)
	case hasNot:
		value = negated
	case !hasPlain:
		return clause{}, malformed(where, "Policy statement must contain %ss: give %s or Not%s", strings.ToLower(name), name, name)
	}
	c := clause{not: hasNot}
	var err error
	if c.patterns, err = texts(value); err != nil || len(c.patterns) == 0 {
		return clause{}, malformed(where, "Policy statement must contain %ss: %s is neither text nor a list of texts", strings.ToLower(name), name)
	}
	for _, pattern := range c.patterns {
		if err := check(where, pattern); err != nil {
			return clause{}, err
		}
		if name == "Action" {
			pattern = strings.ToLower(pattern)
		}
		c.compared = append(c.compared, pattern)
	}
	return c, nil
}

var actionForm = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$`)

func checkAction(where, action string) error {
	if action == "*" || actionForm.MatchString(action) {
		return nil
	}
	return malformed(where, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q is neither vendor:action, with letters, digits, * and ? in the action, nor *", action)
}

var resourceForm = regexp.MustCompile(`^arn:([^:]*):([^:]*):[^:]*:[^:]*:.`)

func checkResource(where, resource string, variables bool) error {
	if resource == "*" {
		return nil
	}
	found := resourceForm.FindStringSubmatch(resource)
	switch {
	case found == nil:
		return malformed(where, "Resource %s must be in ARN format or \"*\": arn:aws:service:region:account:resource", resource)
	case found[1] != "aws":
		return malformed(where, "Partition %q is not valid for resource %q: the local cloud's is aws", found[1], resource)
	case found[2] == "" || strings.ContainsAny(found[2], "*?$"):
		return malformed(where, "Resource vendor must be fully qualified and cannot contain regexes: %s", resource)
	case variables && strings.Contains(resource, "${"):
		return notRun(where, "the policy variable in the resource %s is not run by the local cloud: write what it stands for, or *", resource)
	}
	return nil
}

// only refuses elements that are not among names.
func only(elements map[string]any, where string, names ...string) error {
	for name := range elements {
		if !slices.Contains(names, name) {
			return malformed(where, "there is no element %q: allowed are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// countVisible counts the characters that IAM's quota counts.
func countVisible(document string) (n int) {
	for _, char := range document {
		if !unicode.IsSpace(char) {
			n++
		}
	}
	return n
}

func malformed(where, format string, args ...any) error {
	return &PolicyError{Malformed: true, Where: where, Message: fmt.Sprintf(format, args...)}
}

func notRun(where, format string, args ...any) error {
	return &PolicyError{Where: where, Message: fmt.Sprintf(format, args...)}
}
