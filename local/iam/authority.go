package iam

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// An Authority knows principals and roles, and decides what they may do. Its
// methods may be called from many goroutines at once.
type Authority struct {
	account string

	mu         sync.RWMutex
	region     string
	principals map[string]Principal // by access key
	roles      map[string]*role
}

// A Principal is who signs with a credential.
type Principal struct {
	// ARN is what errors call the principal: that of the session
	// ("arn:aws:sts::123456789012:assumed-role/ROLE/SESSION") for a role's.
	ARN string

	// Role is the name of the role whose policies say what the principal may do;
	// empty for the account's owner, who may do everything.
	Role string

	// RoleARN is the key aws:PrincipalArn; empty means the ARN of Role without a
	// path.
	RoleARN string

	SecretAccessKey string
	SessionToken    string // empty for credentials that have none
}

// New returns an authority for an account, in which nobody is known yet.
func New(account string) *Authority {
	return &Authority{account: account, principals: map[string]Principal{}, roles: map[string]*role{}}
}

// SetRegion sets the Region that requests must be signed for; empty, as in a new
// authority, means any.
func (a *Authority) SetRegion(region string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.region = region
}

// PutRole gives a role its inline policies, by their names, in place of those
// that it had. Statements that stay keep their counts in [Authority.Usage].
func (a *Authority) PutRole(name string, policies map[string]Policy) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roles[name] = newRole(policies, a.roles[name])
}

// DeleteRole forgets a role: its principals may do nothing.
func (a *Authority) DeleteRole(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.roles, name)
}

// PutPrincipal makes p known by its access key.
func (a *Authority) PutPrincipal(accessKeyID string, p Principal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.principals[accessKeyID] = p
}

// DeletePrincipal forgets an access key: what is signed with it is refused.
func (a *Authority) DeletePrincipal(accessKeyID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.principals, accessKeyID)
}

// CheckRole refuses policies that are together larger than AWS allows for one
// role. The error's code is LimitExceeded.
func CheckRole(role string, policies map[string]Policy) error {
	size := 0
	for _, policy := range policies {
		size += policy.size
	}
	if size > MaxPolicy {
		return &LimitError{Role: role, Size: size}
	}
	return nil
}

// A LimitError reports inline policies that are together too large.
type LimitError struct {
	Role string
	Size int // in characters that are not white space
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("Maximum policy size of %d bytes exceeded for role %s: its inline policies have %d characters without white space", MaxPolicy, e.Role, e.Size)
}

// ErrorCode returns LimitExceeded.
func (e *LimitError) ErrorCode() string { return "LimitExceeded" }

// Authorize reports whether p may perform action ("dynamodb:GetItem", written as
// AWS does) on resource, an ARN or, for actions that have none, "*". context
// holds what is known of the request, by condition keys as the package
// documentation lists them; those that begin with aws: need not be given. The
// error is a *[DeniedError].
func (a *Authority) Authorize(p Principal, action, resource string, context map[string][]string) error {
	if p.Role == "" && p.ARN != "" {
		return nil
	}
	a.mu.RLock()
	role := a.roles[p.Role]
	a.mu.RUnlock()
	refused := &DeniedError{Principal: p.ARN, Action: action, Resource: resource}
	if role == nil {
		return refused
	}
	call := call{
		action: action, lower: strings.ToLower(action), resource: resource,
		values: func(key string) []string { return a.value(p, resource, context, key) },
	}
	if slices.ContainsFunc(role.denials, call.covered) {
		refused.Explicit = true
		return refused
	}
	allowed := false
	for i := range role.allowances {
		if role.allowances[i].use(call) {
			allowed = true
		}
	}
	if !allowed {
		return refused
	}
	return nil
}

// value returns what is known of a request by a condition key.
func (a *Authority) value(p Principal, resource string, context map[string][]string, key string) []string {
	if values, given := context[key]; given {
		return values
	}
	switch key {
	case "aws:PrincipalArn":
		if p.RoleARN != "" {
			return []string{p.RoleARN}
		}
		return []string{"arn:aws:iam::" + a.account + ":role/" + p.Role}
	case "aws:PrincipalAccount":
		return []string{a.account}
	case "aws:SecureTransport":
		return []string{"true"}
	case "aws:RequestedRegion":
		if segments := strings.SplitN(resource, ":", arnSegments); len(segments) == arnSegments && segments[3] != "" {
			return []string{segments[3]}
		}
		a.mu.RLock()
		defer a.mu.RUnlock()
		if a.region != "" {
			return []string{a.region}
		}
	}
	return nil
}

// A call is one action on one resource.
type call struct {
	action   string // as the service writes it
	lower    string // in lower case
	resource string
	values   func(key string) []string
}

// covered reports whether a statement is about the call.
func (c call) covered(s statement) bool {
	return s.actions.covers(c.lower, Match) && s.resources.covers(c.resource, MatchARN) &&
		!slices.ContainsFunc(s.conditions, func(condition condition) bool { return !condition.holds(c.values) })
}

// covers reports whether one of the patterns matches, or for a negated clause
// none does.
func (c clause) covers(subject string, match func(pattern, subject string) bool) bool {
	for _, pattern := range c.compared {
		if match(pattern, subject) {
			return !c.not
		}
	}
	return c.not
}

// Asks reports whether a policy of p's role has a condition on key, written as
// the package documentation has it: what is costly to know needs to be known
// only then.
func (a *Authority) Asks(p Principal, key string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	role := a.roles[p.Role]
	return role != nil && role.asks[key]
}
