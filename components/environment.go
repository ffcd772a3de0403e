package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// maxEnvironment is the most that a function's variables may take together, in
// bytes of the JSON object that holds them. See "Lambda quotas" in the AWS
// Lambda Developer Guide.
const maxEnvironment = 4096

// reservedVariables are those that Lambda sets itself and refuses from anyone
// else. See "Using Lambda environment variables" in the AWS Lambda Developer
// Guide.
func reservedVariables() []string {
	return []string{
		"_HANDLER", "_X_AMZN_TRACE_ID",
		"AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}
}

// validateEnvironment reports variables that Lambda refuses. Values that are
// only known once deployed count as empty in the total.
func validateEnvironment(environment pulumi.StringMap) error {
	form := regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	var mistakes []error
	known := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		switch {
		case slices.Contains(reservedVariables(), name):
			mistakes = append(mistakes, badArgument("Environment key", name, "a name that Lambda does not set itself"))
		case !form.MatchString(name):
			mistakes = append(mistakes, badArgument("Environment key", name, "a letter, then one or more letters, digits or _"))
		}
		value, _ := environment[name].(pulumi.String)
		known[name] = string(value)
	}
	if n := environmentSize(known); n > maxEnvironment {
		mistakes = append(mistakes, badArgument("Environment", measure(fmt.Sprintf("%d bytes long", n)),
			"at most 4096 bytes of names and values together, written as JSON"))
	}
	return errors.Join(mistakes...)
}

// environmentSize measures variables as Lambda does: as a JSON object.
func environmentSize(environment map[string]string) int {
	text, _ := json.Marshal(environment) // a map of strings cannot fail
	return len(text)
}
