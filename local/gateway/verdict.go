package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A verdict is what an authorizer's function returned.
type verdict struct {
	allowed bool
	told    parameters[any] // what later events tell of the client
}

// parseVerdict parses an authorizer's result and evaluates its policy for a
// method ARN. The error wraps errMalformed and quotes no value.
func parseVerdict(payload []byte, methodARN string) (verdict, error) {
	if len(payload) > maxVerdict {
		return verdict{}, fmt.Errorf("%w: the authorizer's result has %d bytes, at most %d are allowed", errMalformed, len(payload), maxVerdict)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil || fields == nil {
		return verdict{}, fmt.Errorf("%w: the authorizer's result is no JSON object", errMalformed)
	}
	var principal string
	if decodeField(fields, "principalId", &principal) != nil || principal == "" {
		return verdict{}, fmt.Errorf("%w: the authorizer's result has no principalId, or one that is no text", errMalformed)
	}
	told, err := parseContext(fields["context"])
	if err != nil {
		return verdict{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	told["principalId"] = principal
	statements, err := parsePolicy(fields["policyDocument"])
	if err != nil {
		return verdict{}, fmt.Errorf("%w: policyDocument: %w", errMalformed, err)
	}
	return verdict{allows(statements, methodARN), told}, nil
}

// parseContext takes texts, numbers and booleans, and makes all of them texts.
func parseContext(raw json.RawMessage) (parameters[any], error) {
	told := make(parameters[any])
	if raw == nil || string(raw) == "null" {
		return told, nil
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&fields) != nil {
		return nil, errors.New("context is no object")
	}
	for name, value := range fields {
		switch v := value.(type) {
		case string:
			told[name] = v
		case json.Number:
			told[name] = v.String()
		case bool:
			told[name] = strconv.FormatBool(v)
		default:
			return nil, fmt.Errorf("context: %s is neither text, nor a number, nor a boolean", name)
		}
	}
	return told, nil
}
