// Package lambdaenv holds what Lambda asks of a function's environment
// variables. The component checks it at preview and the local runtime when a
// function is made: what one accepts, the other runs.
//
// See "Working with Lambda environment variables" and "Lambda quotas" in the AWS
// Lambda Developer Guide.
package lambdaenv

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// MaxSize is the most that a function's own variables may take together, in
// bytes as [Size] counts them. It cannot be raised.
const MaxSize = 4096

// Size measures variables as Lambda does: as a JSON object, so that quotation
// marks count for two. The guide says only "4 KB, in aggregate"; Lambda's own
// refusal ("exceeded the 4KB limit. String measured: {…}") shows the object.
// That its text is UTF-8, without escapes that JSON does not need, is
// unconfirmed and matters within a few bytes of the limit.
func Size(variables map[string]string) int {
	if len(variables) == 0 {
		return 0
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(variables) // a map of strings cannot fail
	return text.Len() - len("\n")
}

// IsReserved says whether Lambda sets a variable itself and takes it from no one
// else. A variable such as TZ or PATH, which Lambda sets but lets a function
// change, is not reserved.
func IsReserved(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID",
		"AWS_DEFAULT_REGION", "AWS_REGION",
		"AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_MAX_CONCURRENCY",
		"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API",
		"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return false
}

// IsName says whether Lambda takes a text for a variable's name: a letter, then
// one or more letters, digits or underscores.
func IsName(name string) bool {
	return regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`).MatchString(name)
}
