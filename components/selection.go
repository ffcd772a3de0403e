package components

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultRouteSelectionExpression selects the route that a frame's field
// action names.
const DefaultRouteSelectionExpression = "$request.body.action"

// validateSelection reports a text that is no route selection expression:
// fields of the frame's body, as $request.body.action or
// ${request.body.service}/${request.body.action}, with any text between them.
// See "WebSocket API selection expressions" in the API Gateway Developer Guide.
func validateSelection(argument, expression string) error {
	fields, problem := 0, ""
	for rest := expression; rest != "" && problem == ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			rest = rest[2:]
		case strings.HasPrefix(rest, "$"):
			field, after, ok := cutField(rest)
			if !ok {
				problem = fmt.Sprintf(" (%q is not a field of $request.body)", field)
			}
			fields, rest = fields+1, after
		default:
			rest = rest[1:]
		}
	}
	if problem != "" || fields == 0 {
		return badArgument(argument, expression, "an expression over fields of the body, such as "+
			`"$request.body.action" or "${request.body.service}/${request.body.action}"`+problem)
	}
	return nil
}

// cutField cuts the variable at the start of an expression, which begins with
// a dollar sign, from what follows it, and reports whether it is a field of the
// body.
func cutField(expression string) (field, after string, ok bool) {
	path := regexp.MustCompile(`^request\.body(\.[A-Za-z0-9_-]+(\[[0-9]+\])*)+`)
	if inner, braced := strings.CutPrefix(expression, "${"); braced {
		inner, after, closed := strings.Cut(inner, "}")
		return "${" + inner + "}", after, closed && path.FindString(inner) == inner && inner != ""
	}
	end := strings.IndexAny(expression[1:], `/ ${}\`)
	if end < 0 {
		end = len(expression) - 1
	}
	word := expression[1 : 1+end]
	found := path.FindString(word)
	if found == "" {
		return "$" + word, expression[1+end:], false
	}
	return "$" + found, expression[1+len(found):], true
}
