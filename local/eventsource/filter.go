package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrInvalidFilter reports a filter pattern that cannot be understood. Its first
// words are AWS's.
//
//lint:ignore ST1005 the text is AWS's own
var ErrInvalidFilter = errors.New("InvalidParameterValueException: Invalid filter pattern definition.")

// maxPattern is the longest pattern, in characters.
const maxPattern = 4096

// filters are a mapping's patterns: an event passes if there are none, or if one
// matches.
type filters []pattern

func parseFilters(patterns []string) (filters, error) {
	var parsed filters
	for i, text := range patterns {
		p, err := parsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("%w Filter %d: %w", ErrInvalidFilter, i+1, err)
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}

func (f filters) match(event map[string]any) bool {
	if len(f) == 0 {
		return true
	}
	return slices.ContainsFunc(f, func(p pattern) bool { return p.match(event, true) })
}

// A pattern says whether a value of an event matches; present is false where the
// event has none.
type pattern interface {
	match(value any, present bool) bool
}

// An object matches if all of its fields do, and one of each list of alternatives.
type object struct {
	fields       map[string]pattern
	alternatives []pattern
}

func (o *object) match(value any, _ bool) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(element any) bool { return o.match(element, true) })
	}
	event, _ := value.(map[string]any) // nil has no fields, as what is not there
	for name, p := range o.fields {
		field, present := event[name]
		if !p.match(field, present) {
			return false
		}
	}
	return o.alternatives == nil || slices.ContainsFunc(o.alternatives, func(p pattern) bool { return p.match(event, true) })
}

// parsePattern reads a whole pattern. Of two fields with the same name the last
// counts.
func parsePattern(text string) (pattern, error) {
	if n := utf8.RuneCountInString(text); n > maxPattern {
		return nil, fmt.Errorf("it has %d characters and may have %d", n, maxPattern)
	}
	value, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	return parseObject(fields, "")
}

// decode reads JSON whose numbers stay as they are written.
func decode(text string) (value any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after it")
	}
	return value, nil
}

func parseObject(fields map[string]any, path string) (*object, error) {
	if len(fields) == 0 {
		return nil, fmt.Errorf("%s: an empty object", at(path))
	}
	o := &object{fields: map[string]pattern{}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		below := path + "." + name
		var err error
		switch value := fields[name].(type) {
		case map[string]any:
			o.fields[name], err = parseObject(value, below)
		case []any:
			if name == "$or" {
				o.alternatives, err = parseAlternatives(value, below)
			} else {
				o.fields[name], err = parseLeaf(value, below)
			}
		default:
			err = fmt.Errorf("%s: what may match stands in a list, also when it is one value", at(below))
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func parseAlternatives(list []any, path string) ([]pattern, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%s: it needs two patterns or more", at(path))
	}
	var parsed []pattern
	for _, element := range list {
		fields, ok := element.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: not a list of patterns", at(path))
		}
		p, err := parseObject(fields, path)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}

func at(path string) string {
	if path == "" {
		return "the pattern"
	}
	return path[1:]
}
