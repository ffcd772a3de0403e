package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A leaf matches if one of its rules does. What has fields of its own is no leaf of
// the event, and to a rule as good as absent.
type leaf []rule

// A rule says whether a text, number, boolean or null matches; present is false
// where the event has no such value.
type rule func(value any, present bool) bool

func (l leaf) match(value any, present bool) bool {
	switch v := value.(type) {
	case map[string]any:
		return l.one(nil, false)
	case []any:
		// One element that matches is enough; an empty list has none.
		return slices.ContainsFunc(v, func(element any) bool { return l.match(element, true) }) ||
			len(v) == 0 && l.one(nil, false)
	}
	return l.one(value, present)
}

func (l leaf) one(value any, present bool) bool {
	return slices.ContainsFunc(l, func(r rule) bool { return r(value, present) })
}

func parseLeaf(list []any, path string) (leaf, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: an empty list", at(path))
	}
	var l leaf
	for _, element := range list {
		r, err := parseRule(element)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at(path), err)
		}
		l = append(l, r)
	}
	return l, nil
}

func parseRule(element any) (rule, error) {
	switch e := element.(type) {
	case []any:
		return nil, errors.New("a list in a list")
	case map[string]any:
		if len(e) != 1 {
			return nil, errors.New("an operator stands alone in its object")
		}
		for name, operand := range e {
			return parseOperator(name, operand)
		}
	}
	return exactly(element), nil
}

// exactly matches a value that is the same: texts by their case, numbers by the
// way they are written, as AWS says: 300, 300.0 and 3.0e2 are not equal. A
// comparison of two values of different types is false.
func exactly(want any) rule {
	return func(value any, present bool) bool { return present && value == want }
}

// parseOperator knows the operators that Lambda lists. What else event buses have,
// such as wildcard and cidr, it lists not.
// docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
func parseOperator(name string, operand any) (rule, error) {
	switch name {
	case "exists":
		want, ok := operand.(bool)
		if !ok {
			return nil, errors.New("exists takes true or false")
		}
		return func(_ any, present bool) bool { return present == want }, nil
	case "numeric":
		return parseNumeric(operand)
	case "anything-but":
		return parseAnythingBut(operand)
	}
	test, err := parseTextOperator(name, operand)
	if err != nil {
		return nil, err
	}
	return onText(test), nil
}

// onText applies a test to texts; nothing else passes it.
func onText(test func(string) bool) rule {
	return func(value any, _ bool) bool {
		text, ok := value.(string)
		return ok && test(text)
	}
}

func parseTextOperator(name string, operand any) (func(string) bool, error) {
	var test func(text, operand string) bool
	switch name {
	case "prefix":
		test = strings.HasPrefix
	case "suffix":
		test = strings.HasSuffix
	case "equals-ignore-case":
		test = strings.EqualFold
	default:
		return nil, fmt.Errorf("operator %q: it must be exists, numeric, anything-but, prefix, suffix or equals-ignore-case", name)
	}
	want, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s takes a text", name)
	}
	return func(text string) bool { return test(text, want) }, nil
}

// parseAnythingBut reads a value, a list of values, or a prefix and the like that
// a value must not have. What is absent does not match.
func parseAnythingBut(operand any) (rule, error) {
	if operator, ok := operand.(map[string]any); ok {
		if len(operator) != 1 {
			return nil, errors.New("an operator stands alone in its object")
		}
		for name, inner := range operator {
			if name != "prefix" && name != "suffix" || inner == "" {
				return nil, fmt.Errorf("anything-but takes a prefix or a suffix that is not empty, not %q", name)
			}
			test, err := parseTextOperator(name, inner)
			if err != nil {
				return nil, fmt.Errorf("anything-but: %w", err)
			}
			return onText(func(text string) bool { return !test(text) }), nil
		}
	}
	unwanted, ok := operand.([]any)
	if !ok {
		unwanted = []any{operand}
	}
	if len(unwanted) == 0 {
		return nil, errors.New("anything-but takes at least one value")
	}
	for i, value := range unwanted {
		switch value := value.(type) {
		case string:
		case json.Number:
			number, err := limited(value)
			if err != nil {
				return nil, err
			}
			unwanted[i] = number
		default:
			return nil, errors.New("anything-but takes texts or numbers")
		}
		if _, text := unwanted[i].(string); i > 0 && text != isText(unwanted[0]) {
			return nil, errors.New("anything-but takes texts or numbers, and not both")
		}
	}
	return func(value any, present bool) bool {
		if number, ok := value.(json.Number); ok {
			value, _ = number.Float64()
		}
		return present && !slices.Contains(unwanted, value)
	}, nil
}

func isText(value any) bool {
	_, ok := value.(string)
	return ok
}

// parseNumeric reads one comparison or a range: ["<", 10] or [">=", 0, "<", 10].
func parseNumeric(operand any) (rule, error) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, errors.New("numeric takes a list of one or two comparisons, each a sign and a number")
	}
	var (
		tests  []func(float64) bool
		signs  string // the first character of each
		limits []float64
	)
	for pair := range slices.Chunk(list, 2) {
		sign, _ := pair[0].(string)
		number, ok := pair[1].(json.Number)
		if !ok {
			return nil, errors.New("numeric compares with a number")
		}
		limit, err := limited(number)
		if err != nil {
			return nil, err
		}
		test, ok := comparison(sign, limit)
		if !ok {
			return nil, fmt.Errorf("numeric: sign %q: it must be =, <, <=, > or >=", sign)
		}
		tests, signs, limits = append(tests, test), signs+sign[:1], append(limits, limit)
	}
	if len(tests) == 2 && (signs != "><" || limits[0] >= limits[1]) {
		return nil, errors.New("numeric: of two comparisons the first is > or >=, and the second < or <= with a larger number")
	}
	return func(value any, _ bool) bool {
		text, ok := value.(json.Number)
		number, err := text.Float64()
		return ok && err == nil && !slices.ContainsFunc(tests, func(test func(float64) bool) bool { return !test(number) })
	}, nil
}

// limited reads a number that is to be compared by its value: ±5e9 is the most.
// docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func limited(number json.Number) (float64, error) {
	const most = 5e9
	value, err := number.Float64()
	if err != nil || value < -most || value > most {
		return 0, fmt.Errorf("number %s: it must be between -5e9 and 5e9", number)
	}
	return value, nil
}

func comparison(sign string, limit float64) (test func(float64) bool, ok bool) {
	switch sign {
	case "=":
		return func(n float64) bool { return n == limit }, true
	case "<":
		return func(n float64) bool { return n < limit }, true
	case "<=":
		return func(n float64) bool { return n <= limit }, true
	case ">":
		return func(n float64) bool { return n > limit }, true
	case ">=":
		return func(n float64) bool { return n >= limit }, true
	}
	return nil, false
}
