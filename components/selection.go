package components

import (
	"fmt"

	"example.com/chatstack/internal/selection"
)

// DefaultRouteSelectionExpression selects the route that a frame's field
// action names.
const DefaultRouteSelectionExpression = "$request.body.action"

// validateSelection reports a text that is no route selection expression:
// fields of the frame's body, as $request.body.action or
// ${request.body.service}/${request.body.action}, with any text between them.
func validateSelection(argument, expression string) error {
	const allowed = "an expression over fields of the body, such as " +
		`"$request.body.action" or "${request.body.service}/${request.body.action}"`
	parsed, err := selection.Parse(expression)
	switch {
	case err != nil:
		return badArgument(argument, expression, fmt.Sprintf("%s (%v)", allowed, err))
	case !parsed.Selects():
		return badArgument(argument, expression, allowed)
	}
	return nil
}
