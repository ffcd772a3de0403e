package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/chatstack/local/iam"
)

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
		taken := map[string]bool{} // a policy has each Sid once
		for _, s := range document.Statement {
			taken[s.Sid] = true
		}
		var kept []Statement // what denies stays: it may take from what another policy allows
		for i, s := range document.Statement {
			tight := []Statement{s}
			if s.Effect == "Allow" {
				place := cmp.Or(s.Sid, strconv.Itoa(i+1))
				tight = tighten(s, slices.DeleteFunc(slices.Clone(list), func(g Grant) bool {
					return g.Policy != name || g.Statement != place || g.Seen == SeenNever
				}))
				nameApart(tight, taken)
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
		tight = append(tight, Statement{
			Sid: s.Sid, Effect: s.Effect, Action: []string{action}, Resource: resources[action], Condition: s.Condition,
		})
	}
	return tight
}

// nameApart gives the parts of a statement, but for the first, Sids that nobody has
// taken, where it has one.
func nameApart(parts []Statement, taken map[string]bool) {
	for i := 1; i < len(parts) && parts[0].Sid != ""; i++ {
		for n := 2; taken[parts[i].Sid]; n++ {
			parts[i].Sid = parts[0].Sid + strconv.Itoa(n)
		}
		taken[parts[i].Sid] = true
	}
}

// needed are the actions that stay of a grant.
func (g Grant) needed() []string {
	if g.Used == 0 || !isSeen(g.Action) || !strings.ContainsAny(g.Action, "*?") {
		return []string{g.Action}
	}
	return slices.Sorted(maps.Keys(g.Actions))
}
