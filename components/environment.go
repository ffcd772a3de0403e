package components

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/lambdaenv"
)

// validateEnvironment reports variables that Lambda refuses. Values that are
// only known once deployed count as empty in the total.
func validateEnvironment(environment pulumi.StringMap) error {
	var mistakes []error
	known := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		switch {
		case lambdaenv.IsReserved(name):
			mistakes = append(mistakes, badArgument("Environment key", name, "a name that Lambda does not set itself"))
		case !lambdaenv.IsName(name):
			mistakes = append(mistakes, badArgument("Environment key", name, "a letter, then one or more letters, digits or _"))
		}
		value, _ := environment[name].(pulumi.String)
		known[name] = string(value)
	}
	if n := lambdaenv.Size(known); n > lambdaenv.MaxSize {
		mistakes = append(mistakes, badArgument("Environment", measure(fmt.Sprintf("%d bytes long", n)),
			"at most 4096 bytes of names and values together, written as JSON"))
	}
	return errors.Join(mistakes...)
}
