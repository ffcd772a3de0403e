package iam

import (
	"encoding/json"
	"slices"
	"strings"
)

// A condition is one operator on one key.
type condition struct {
	key      string // as in keys
	operator operator
	set      set
	ifExists bool
	values   []string
}

// A set says how many of a request's values must match.
type set int

const (
	single set = iota
	forAllValues
	forAnyValue
)

// An operator compares a value of the request with one of the policy. A negated
// one holds where the comparison does not.
type operator struct {
	compare func(want, got string) bool
	negated bool
	isNull  bool // looks at whether the key is there at all
}

// operators are those that are run.
var operators = map[string]operator{
	"StringEquals":              {compare: equal},
	"StringNotEquals":           {compare: equal, negated: true},
	"StringEqualsIgnoreCase":    {compare: strings.EqualFold},
	"StringNotEqualsIgnoreCase": {compare: strings.EqualFold, negated: true},
	"StringLike":                {compare: Match},
	"StringNotLike":             {compare: Match, negated: true},
	"ArnEquals":                 {compare: MatchARN}, // AWS: "ArnEquals and ArnLike behave identically"
	"ArnNotEquals":              {compare: MatchARN, negated: true},
	"ArnLike":                   {compare: MatchARN},
	"ArnNotLike":                {compare: MatchARN, negated: true},
	"Bool":                      {compare: strings.EqualFold},
	"Null":                      {compare: strings.EqualFold, isNull: true},
}

func equal(want, got string) bool { return want == got }

// A key is something that the local cloud knows of a request.
type key struct {
	name string // as AWS writes it; policies may write it in any case
	many bool   // a request may have several values of it
	kind string // the operators that fit begin with it
}

// keys are those that the local cloud can know, by their names in lower case.
var keys = func() map[string]key {
	all := map[string]key{}
	for _, k := range []key{
		{name: "aws:PrincipalArn", kind: "Arn"},
		{name: "aws:PrincipalAccount", kind: "String"},
		{name: "aws:RequestedRegion", kind: "String"},
		{name: "aws:SecureTransport", kind: "Bool"},
		{name: "dynamodb:LeadingKeys", many: true, kind: "String"},
		{name: "dynamodb:Attributes", many: true, kind: "String"},
		{name: "dynamodb:Select", kind: "String"},
		{name: "dynamodb:ReturnValues", kind: "String"},
		{name: "dynamodb:ReturnConsumedCapacity", kind: "String"},
		{name: "dynamodb:EnclosingOperation", kind: "String"},
	} {
		all[strings.ToLower(k.name)] = k
	}
	return all
}()

// parseConditions reads a Condition element.
func parseConditions(element any, where string, variables bool) ([]condition, error) {
	if element == nil {
		return nil, nil
	}
	block, ok := element.(map[string]any)
	if !ok {
		return nil, malformed(where, "Condition is not a JSON object of operators")
	}
	var conditions []condition
	for _, name := range sortedNames(block) {
		pairs, ok := block[name].(map[string]any)
		if !ok {
			return nil, malformed(where, "the operator %s holds no JSON object of keys", name)
		}
		for _, key := range sortedNames(pairs) {
			c, err := parseCondition(name, key, pairs[key], where, variables)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, nil
}

func parseCondition(name, keyName string, values any, where string, variables bool) (condition, error) {
	c, base, err := parseOperator(name, where)
	if err != nil {
		return c, err
	}
	k, known := keys[strings.ToLower(keyName)]
	if !known {
		if !strings.Contains(keyName, ":") {
			return c, malformed(where, "the condition key %q is not of the form vendor:key", keyName)
		}
		return c, notRun(where, "the local cloud does not know the condition key %s: it runs %s; take the condition away for the local stage", keyName, knownKeys())
	}
	c.key = k.name
	fits := c.operator.isNull || strings.HasPrefix(base, k.kind) || k.kind == "Arn" && strings.HasPrefix(base, "String")
	if !fits {
		return c, notRun(where, "%s on %s, whose values are of another kind, is not run by the local cloud: use one of the %s operators", name, k.name, k.kind)
	}
	if k.many && c.set == single && !c.operator.isNull {
		return c, notRun(where, "%s has many values and AWS leaves open what %s makes of them: use ForAllValues:%s or ForAnyValue:%s", k.name, name, name, name)
	}
	if c.values, err = scalars(values, where, name); err != nil {
		return c, err
	}
	if base == "Bool" || c.operator.isNull {
		for _, value := range c.values {
			if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
				return c, malformed(where, "%s of %s is %q: allowed is true or false", name, k.name, value)
			}
		}
	}
	if variables && slices.ContainsFunc(c.values, func(value string) bool { return strings.Contains(value, "${") }) {
		return c, notRun(where, "the policy variable in %s of %s is not run by the local cloud: write what it stands for, or use StringLike with *", name, k.name)
	}
	return c, nil
}

// parseOperator takes an operator's name apart. base is the name without what
// may come before and after it.
func parseOperator(name, where string) (c condition, base string, err error) {
	base = name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		base, c.set = rest, forAllValues
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		base, c.set = rest, forAnyValue
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	var known bool
	if c.operator, known = operators[base]; !known {
		return c, base, notRun(where, "the condition operator %s is not run by the local cloud: it runs %s; take the condition away for the local stage", name, strings.Join(sortedNames(operators), ", "))
	}
	if c.operator.isNull && (c.ifExists || c.set != single) {
		return c, base, malformed(where, "there is no operator %s: Null stands alone", name)
	}
	return c, base, nil
}

// scalars returns the texts, numbers and booleans of a condition's value.
func scalars(value any, where, operator string) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	texts := make([]string, 0, len(list))
	for _, element := range list {
		switch v := element.(type) {
		case string:
			texts = append(texts, v)
		case bool:
			if v {
				texts = append(texts, "true")
			} else {
				texts = append(texts, "false")
			}
		case json.Number:
			texts = append(texts, v.String())
		default:
			return nil, malformed(where, "a value of %s is neither text nor number nor boolean", operator)
		}
	}
	if len(texts) == 0 {
		return nil, malformed(where, "%s has no value", operator)
	}
	return texts, nil
}

// holds reports whether a request, of which values knows the keys, meets the
// condition.
func (c condition) holds(values func(key string) []string) bool {
	got := values(c.key)
	if c.operator.isNull {
		missing := "false"
		if len(got) == 0 {
			missing = "true"
		}
		return c.one(missing)
	}
	switch {
	case c.set == forAllValues:
		return !slices.ContainsFunc(got, func(value string) bool { return !c.one(value) })
	case len(got) == 0:
		// Of no value none matches: a negated operator holds, unless it asks for one
		// that does.
		return c.ifExists || c.operator.negated && c.set == single
	default:
		return slices.ContainsFunc(got, c.one)
	}
}

// one reports whether one value of the request fits the policy's: any of them,
// or for a negated operator none.
func (c condition) one(got string) bool {
	matches := slices.ContainsFunc(c.values, func(want string) bool { return c.operator.compare(want, got) })
	return matches != c.operator.negated
}

func knownKeys() string {
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
