// Package selection holds route selection expressions, by which a WebSocket API
// tells a frame's route from its body. The component checks them at preview and
// the local gateway evaluates them: what one accepts, the other runs.
//
// See "WebSocket API selection expressions" in the API Gateway Developer Guide.
package selection

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// An Expression is a parsed route selection expression: text and paths into
// the message, in their order.
//
//	$request.body.action                              one path
//	${request.body.service}/${request.body.action}    paths and text
//	\$default                                         text: a dollar sign and "default"
//
// Paths are names and indices, as in .meta.kind, ['odd name'] and [0]. The rest
// of JSONPath (wildcards, filters, slices, ..) is refused.
type Expression []part

// A part is text, or a path if it has steps.
type part struct {
	text string
	path []step
}

// A step is the name of an object's member or, if name is nil, an index into
// an array.
type step struct {
	name  *string
	index int
}

// Evaluate computes the expression for a message. ok is false if the message
// is not JSON. A missing path is the empty text.
func (e Expression) Evaluate(message []byte) (value string, ok bool) {
	body, err := decodeJSON(message)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range e {
		b.WriteString(p.text)
		if p.path != nil {
			b.WriteString(text(walk(body, p.path)))
		}
	}
	return b.String(), true
}

// decodeJSON decodes exactly one JSON value and keeps numbers as written.
func decodeJSON(message []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(message))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return value, nil
}

// walk returns the value at path, or nil.
func walk(value any, path []step) any {
	for _, s := range path {
		switch v := value.(type) {
		case map[string]any:
			if s.name == nil {
				return nil
			}
			value = v[*s.name]
		case []any:
			if s.name != nil || s.index >= len(v) {
				return nil
			}
			value = v[s.index]
		default:
			return nil
		}
	}
	return value
}

// text is a JSON value as AWS puts it into a route key: an array is written
// [item1, item2]. AWS does not document the other types that are no strings;
// numbers and booleans are their literals here, null is empty, and an object is
// its JSON.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = text(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	default: // json.Number, bool, map[string]any
		return encode(v)
	}
}

// encode writes a decoded JSON value back, with <, > and & as they are.
func encode(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "" // decoded JSON can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Selects reports whether the expression looks into the message at all. One
// that does not is the same text for every message.
func (e Expression) Selects() bool {
	return slices.ContainsFunc(e, func(p part) bool { return p.path != nil })
}

// Parse parses a route selection expression.
func Parse(source string) (Expression, error) {
	if source == "" {
		return nil, errors.New("it is empty, $request.body.action is the usual one")
	}
	var parts Expression
	var literal strings.Builder
	rest := source
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal.WriteByte('$')
			rest = rest[2:]
		case rest[0] == '$':
			braced := strings.HasPrefix(rest, "${")
			path, after, err := parseVariable(strings.TrimPrefix(rest[1:], "{"), braced)
			if err != nil {
				return nil, fmt.Errorf("at %q: %w", rest, err)
			}
			parts = append(parts, part{text: literal.String(), path: path})
			literal.Reset()
			rest = after
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if literal.Len() > 0 {
		parts = append(parts, part{text: literal.String()})
	}
	return slices.Clip(parts), nil
}

// parseVariable parses request.body and the path behind it, with the closing
// brace if it is braced, and returns what follows.
func parseVariable(source string, braced bool) (path []step, rest string, err error) {
	const root = "request.body"
	rest, ok := strings.CutPrefix(source, root)
	if !ok {
		return nil, "", errors.New(`only $request.body can be selected on, and \$ is a dollar sign`)
	}
	for rest != "" && (rest[0] == '.' || rest[0] == '[') {
		var s step
		if rest[0] == '.' {
			s, rest, err = parseName(rest[1:], braced)
		} else {
			s, rest, err = parseBracket(rest[1:])
		}
		if err != nil {
			return nil, "", err
		}
		path = append(path, s)
	}
	if path == nil {
		return nil, "", errors.New("it names no part of the body, as $request.body.action does")
	}
	switch {
	case braced && strings.HasPrefix(rest, "}"):
		return path, rest[1:], nil
	case braced:
		return nil, "", errors.New("the closing brace is missing")
	case strings.HasPrefix(rest, "-"):
		// AWS does not say whether the hyphen belongs to the name.
		return nil, "", errors.New("a hyphen after a name is ambiguous, put the variable into ${…}")
	}
	return path, rest, nil
}

// parseName parses a member's name after a dot. Within braces it may have
// hyphens.
func parseName(source string, braced bool) (step, string, error) {
	end := strings.IndexFunc(source, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && (r != '-' || !braced)
	})
	if end < 0 {
		end = len(source)
	}
	if end == 0 {
		return step{}, "", errors.New("a name of letters, digits and underscores must follow the dot")
	}
	name := source[:end]
	return step{name: &name}, source[end:], nil
}

// parseBracket parses ['name'], ["name"] or [index] after its opening bracket.
func parseBracket(source string) (step, string, error) {
	if source != "" && (source[0] == '\'' || source[0] == '"') {
		quote := source[:1]
		name, rest, ok := strings.Cut(source[1:], quote+"]")
		if !ok || name == "" {
			return step{}, "", errors.New("a quoted name in brackets must end with the quote and a bracket")
		}
		return step{name: &name}, rest, nil
	}
	digits, rest, ok := strings.Cut(source, "]")
	index, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil {
		return step{}, "", errors.New("brackets must hold a quoted name or an index")
	}
	return step{index: int(index)}, rest, nil
}
