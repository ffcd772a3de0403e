package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/chatstack/local/iam"
)

// An Access is what a function's role allows, and what of it was used since the
// local cloud was started.
type Access struct {
	Function string  `json:"function"`
	RoleARN  string  `json:"roleArn"`
	Grants   []Grant `json:"grants"`

	// Suggested are the role's own policies by name, without what was never used. A
	// policy of which nothing is left is not among them.
	Suggested map[string]PolicyDocument `json:"suggested"`
}

// A Grant is one action pattern and one resource pattern that a policy allows
// together.
type Grant struct {
	Policy    string `json:"policy"`
	Statement string `json:"statement"` // its Sid, or its place in the policy, from "1"
	Action    string `json:"action"`
	Resource  string `json:"resource"`

	// Used is how many calls were allowed by it, and Actions how many of each kind,
	// where the pattern is for several.
	Used    int64            `json:"used"`
	Actions map[string]int64 `json:"actions"`

	// Seen is "used", "never used", "asked for" (Lambda asks for it before it makes the
	// function's event source mapping, whether it is used later or not) or "not seen
	// here" (of services whose uses the local cloud does not see, or not all).
	Seen string `json:"seen"`
}

// What a Grant was in a run.
const (
	SeenUsed   = "used"
	SeenNever  = "never used"
	SeenAsked  = "asked for"
	SeenNotRun = "not seen here"
)

// seenServices are those of which the local cloud sees every use. It sees what
// functions log, too, but not who makes their log groups; of other services it sees
// nothing.
var seenServices = []string{"dynamodb", "execute-api", "sqs", "*"}

// isSeen reports whether every use of an action pattern is seen here.
func isSeen(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return slices.Contains(seenServices, service) || strings.HasPrefix(action, notPrefix)
}

// askedFor are the actions without which Lambda makes no event source mapping of a
// DynamoDB stream, and none with a queue for its dead letters.
var askedFor = []string{
	"dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator", "dynamodb:liststreams", "sqs:sendmessage",
}

// seen tells what became of an action pattern that was used so often, by a function
// that has an event source mapping or not.
func seen(action string, used int64, mapped bool) string {
	switch {
	case used > 0:
		return SeenUsed
	case mapped && slices.Contains(askedFor, strings.ToLower(action)):
		return SeenAsked
	case isSeen(action):
		return SeenNever
	}
	return SeenNotRun
}

// notPrefix begins the one pattern that stands for a NotAction or NotResource.
const notPrefix = "all but "

// grants words what of a role was used, by a function that has an event source
// mapping or not.
func grants(usage []iam.Usage, mapped bool) []Grant {
	list := make([]Grant, len(usage))
	for i, u := range usage {
		list[i] = Grant{
			Policy: u.Policy, Statement: u.Statement, Action: u.Action, Resource: u.Resource,
			Used: u.Count, Actions: u.Actions, Seen: seen(u.Action, u.Count, mapped),
		}
	}
	return list
}

// A PolicyDocument is an IAM policy.
type PolicyDocument struct {
	Version   string                   `json:"Version,omitempty"`
	ID        string                   `json:"Id,omitempty"`
	Statement iam.OneOrMore[Statement] `json:"Statement"`
}

// A Statement is one of a policy. Its condition is as it was written.
type Statement struct {
	Sid         string                `json:"Sid,omitempty"`
	Effect      string                `json:"Effect"`
	Action      iam.OneOrMore[string] `json:"Action,omitempty"`
	NotAction   iam.OneOrMore[string] `json:"NotAction,omitempty"`
	Resource    iam.OneOrMore[string] `json:"Resource,omitempty"`
	NotResource iam.OneOrMore[string] `json:"NotResource,omitempty"`
	Condition   json.RawMessage       `json:"Condition,omitempty"`
}

// suggest cuts a role's policies down to what was used of them.
func suggest(policies map[string]string, list []Grant) (map[string]PolicyDocument, error) {
	suggested := map[string]PolicyDocument{}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		var document PolicyDocument
		if err := json.Unmarshal([]byte(policies[name]), &document); err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		var kept []Statement // what denies stays: it may take from what another policy allows
		for i, s := range document.Statement {
			tight := []Statement{s}
			if s.Effect == "Allow" {
				place := cmp.Or(s.Sid, strconv.Itoa(i+1))
				tight = tighten(s, slices.DeleteFunc(slices.Clone(list), func(g Grant) bool {
					return g.Policy != name || g.Statement != place || g.Seen == SeenNever
				}))
			}
			kept = append(kept, tight...)
		}
		if len(kept) > 0 {
			document.Statement = kept
			suggested[name] = document
		}
	}
	return suggested, nil
}

// tighten cuts a statement down to the grants that stay: to no statement where none
// does, and to several where actions need different resources.
func tighten(s Statement, stay []Grant) []Statement {
	if len(stay) == 0 {
		return nil
	}
	if len(s.NotAction)+len(s.NotResource) > 0 {
		return []Statement{s} // what it leaves out cannot be told from what it needs
	}
	// The resources of each action, with the actions that a wildcard was used for in
	// its place, both in the order of the statement.
	var actions []string
	resources := map[string][]string{}
	for _, g := range stay {
		for _, action := range g.needed() {
			if !slices.Contains(actions, action) {
				actions = append(actions, action)
			}
			if !slices.Contains(resources[action], g.Resource) {
				resources[action] = append(resources[action], g.Resource)
			}
		}
	}
	var tight []Statement
	for _, action := range actions {
		at := slices.IndexFunc(tight, func(t Statement) bool { return slices.Equal(t.Resource, resources[action]) })
		if at >= 0 {
			tight[at].Action = append(tight[at].Action, action)
			continue
		}
		part := Statement{Sid: s.Sid, Effect: s.Effect, Action: []string{action}, Resource: resources[action], Condition: s.Condition}
		if s.Sid != "" && len(tight) > 0 {
			part.Sid += strconv.Itoa(len(tight) + 1) // a policy has each Sid once
		}
		tight = append(tight, part)
	}
	return tight
}

// needed are the actions that stay of a grant.
func (g Grant) needed() []string {
	if g.Used == 0 || !isSeen(g.Action) || !strings.ContainsAny(g.Action, "*?") {
		return []string{g.Action}
	}
	return slices.Sorted(maps.Keys(g.Actions))
}

func (s *Server) access(w http.ResponseWriter, _ *http.Request) {
	mapped := map[string]bool{}
	for _, m := range s.Cloud.Overview().Mappings {
		mapped[m.Function] = true
	}
	list := []Access{}
	for _, a := range s.Cloud.Access() {
		one := Access{Function: a.Function, RoleARN: a.RoleARN, Grants: grants(a.Allowed, mapped[a.Function])}
		var err error
		if one.Suggested, err = suggest(a.Policies, one.Grants); err != nil {
			http.Error(w, fmt.Sprintf("%s: %v", a.RoleARN, err), http.StatusInternalServerError)
			return
		}
		list = append(list, one)
	}
	answer(w, http.StatusOK, list)
}

// Access asks the cloud what the functions may do, and what of it they did.
func (a Address) Access(ctx context.Context) ([]Access, error) {
	var list []Access
	err := a.call(ctx, http.MethodGet, "iam", nil, &list)
	return list, err
}
