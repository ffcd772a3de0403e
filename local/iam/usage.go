package iam

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Usage is what a policy allows with one action pattern and one resource
// pattern, and how often that was used since the role was first put.
type Usage struct {
	Role      string
	Policy    string // its name
	Statement string // its Sid, or its place in the policy, from "1"

	// Action and Resource are the patterns as the policy has them. NotAction and
	// NotResource elements are one pattern: "all but A, B".
	Action, Resource string

	// Count is how often calls were allowed by it; those that several statements
	// allow count for each.
	Count int64

	// Actions is how often by action: what is left of a wildcard once it allows
	// only what is used.
	Actions map[string]int64
}

// A role is what policies make of it.
type role struct {
	denials    []statement
	allowances []allowance
	asks       map[string]bool // the keys that conditions are about
}

// An allowance is a statement that allows, with counters for each pair of its
// patterns.
type allowance struct {
	policy    string
	statement statement
	actions   []alternative
	resources []alternative
	counters  [][]*counter // by action, by resource
}

// An alternative is a part of a clause that is counted for itself: one of its
// patterns, or all that it leaves out.
type alternative struct {
	text   string
	clause clause
}

// A counter counts uses by action.
type counter struct {
	mu   sync.Mutex
	uses map[string]int64
}

// A place is where a counter belongs.
type place struct{ policy, statement, action, resource string }

// newRole compiles policies. It takes over the counters of before, which may be
// nil.
func newRole(policies map[string]Policy, before *role) *role {
	kept := map[place]*counter{}
	if before != nil {
		for _, a := range before.allowances {
			for p, c := range a.places() {
				kept[p] = c
			}
		}
	}
	r := &role{asks: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		for _, s := range policies[name].statements {
			for _, c := range s.conditions {
				r.asks[c.key] = true
			}
			if s.deny {
				r.denials = append(r.denials, s)
				continue
			}
			a := allowance{
				policy: name, statement: s,
				actions: s.actions.alternatives(), resources: s.resources.alternatives(),
			}
			for _, action := range a.actions {
				row := make([]*counter, len(a.resources))
				for i, resource := range a.resources {
					p := place{name, s.name, action.text, resource.text}
					if kept[p] == nil {
						kept[p] = &counter{uses: map[string]int64{}}
					}
					row[i] = kept[p]
				}
				a.counters = append(a.counters, row)
			}
			r.allowances = append(r.allowances, a)
		}
	}
	return r
}

func (c clause) alternatives() []alternative {
	if c.not {
		return []alternative{{"all but " + strings.Join(c.patterns, ", "), c}}
	}
	var all []alternative
	for i, pattern := range c.patterns {
		all = append(all, alternative{pattern, clause{compared: c.compared[i : i+1]}})
	}
	return all
}

// places returns the counters by where they belong.
func (a *allowance) places() map[place]*counter {
	all := map[place]*counter{}
	for i, action := range a.actions {
		for j, resource := range a.resources {
			all[place{a.policy, a.statement.name, action.text, resource.text}] = a.counters[i][j]
		}
	}
	return all
}

// use reports whether the statement allows a call, and counts it if it does.
func (a *allowance) use(c call) bool {
	if !c.covered(a.statement) {
		return false
	}
	for i, action := range a.actions {
		if !action.clause.covers(c.lower, Match) {
			continue
		}
		for j, resource := range a.resources {
			if resource.clause.covers(c.resource, MatchARN) {
				a.counters[i][j].count(c.action)
			}
		}
	}
	return true
}

func (c *counter) count(action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses[action]++
}

func (c *counter) read() (sum int64, uses map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.uses {
		sum += n
	}
	return sum, maps.Clone(c.uses)
}

// Usage returns, for each role and in the order of its policies' names and
// statements, what is allowed and how often it was used.
func (a *Authority) Usage() []Usage {
	a.mu.RLock()
	roles := maps.Clone(a.roles)
	a.mu.RUnlock()
	var all []Usage
	for name, role := range roles {
		for _, allowed := range role.allowances {
			for i, action := range allowed.actions {
				for j, resource := range allowed.resources {
					u := Usage{
						Role: name, Policy: allowed.policy, Statement: allowed.statement.name,
						Action: action.text, Resource: resource.text,
					}
					u.Count, u.Actions = allowed.counters[i][j].read()
					all = append(all, u)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Usage) int { return cmp.Compare(x.Role, y.Role) })
	return all
}
