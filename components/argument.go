package components

import (
	"errors"
	"fmt"
	"strings"
)

// badArgument reports an argument's value and what would be allowed.
func badArgument(argument string, value any, allowed string) error {
	if text, ok := value.(string); ok {
		value = fmt.Sprintf("%q", text)
	}
	return fmt.Errorf("%s is %v: allowed is %s", argument, value, allowed)
}

// A measure stands in an error for a value that is too long to be shown.
type measure string

// invalid joins the mistakes in the arguments of one component, or returns nil
// if there is none.
func invalid(component, name string, mistakes ...error) error {
	if err := errors.Join(mistakes...); err != nil {
		return fmt.Errorf("%s %q: %w", component, name, err)
	}
	return nil
}

// nested names the argument that holds the one at fault.
func nested(argument string, err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = argument + "." + lines[i]
	}
	return errors.New(strings.Join(lines, "\n"))
}
