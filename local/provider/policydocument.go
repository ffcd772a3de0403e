package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/chatstack/local/cloud"
)

// policyArgs are the arguments of iam.getPolicyDocument.
type policyArgs struct {
	Version, PolicyID string
	Statements        []struct {
		Sid, Effect               string
		Actions, NotActions       []string
		Resources, NotResources   []string
		Principals, NotPrincipals []principalArgs
		Conditions                []struct {
			Test, Variable string
			Values         []string
		}
	}
}

type principalArgs struct {
	Type        string
	Identifiers []string
}

// policyDocument answers iam.getPolicyDocument, which writes a policy in IAM's
// own form and asks AWS for nothing.
func policyDocument(args cloud.Properties) (map[string]any, error) {
	known := []string{"statements", "version", "policyId"}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if args[name] != nil && !slices.Contains(known, name) {
			return nil, fmt.Errorf("the local cloud does not know the argument %s of iam.getPolicyDocument: it knows %s", name, strings.Join(known, ", "))
		}
	}
	given, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	var policy policyArgs
	if err := json.Unmarshal(given, &policy); err != nil {
		return nil, fmt.Errorf("arguments of iam.getPolicyDocument: %w", err)
	}
	minified, err := json.Marshal(policy.document())
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, minified, "", "  "); err != nil {
		return nil, err
	}
	return map[string]any{"id": "local", "json": indented.String(), "minifiedJson": string(minified)}, nil
}

// A policyJSON is a policy in IAM's form.
type policyJSON struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement []statementJSON
}

// A statementJSON has a text, or a list where there are several.
type statementJSON struct {
	Sid          string `json:",omitempty"`
	Effect       string
	Principal    any                       `json:",omitempty"`
	NotPrincipal any                       `json:",omitempty"`
	Action       any                       `json:",omitempty"`
	NotAction    any                       `json:",omitempty"`
	Resource     any                       `json:",omitempty"`
	NotResource  any                       `json:",omitempty"`
	Condition    map[string]map[string]any `json:",omitempty"`
}

func (p policyArgs) document() policyJSON {
	document := policyJSON{Version: cmp.Or(p.Version, "2012-10-17"), ID: p.PolicyID}
	for _, s := range p.Statements {
		statement := statementJSON{
			Sid: s.Sid, Effect: cmp.Or(s.Effect, "Allow"),
			Principal: principals(s.Principals), NotPrincipal: principals(s.NotPrincipals),
			Action: oneOrMore(s.Actions), NotAction: oneOrMore(s.NotActions),
			Resource: oneOrMore(s.Resources), NotResource: oneOrMore(s.NotResources),
			Condition: map[string]map[string]any{},
		}
		for _, c := range s.Conditions {
			if statement.Condition[c.Test] == nil {
				statement.Condition[c.Test] = map[string]any{}
			}
			statement.Condition[c.Test][c.Variable] = oneOrMore(c.Values)
		}
		document.Statement = append(document.Statement, statement)
	}
	return document
}

// principals are by their types. Everyone, of the type *, is * alone.
func principals(list []principalArgs) any {
	byType := map[string][]string{}
	for _, p := range list {
		byType[p.Type] = append(byType[p.Type], p.Identifiers...)
	}
	if len(byType) == 0 {
		return nil
	}
	if slices.Equal(byType["*"], []string{"*"}) && len(byType) == 1 {
		return "*"
	}
	named := map[string]any{}
	for kind, identifiers := range byType {
		named[kind] = oneOrMore(identifiers)
	}
	return named
}

// oneOrMore is nil for none and the text itself for one.
func oneOrMore(texts []string) any {
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return texts[0]
	}
	return texts
}
