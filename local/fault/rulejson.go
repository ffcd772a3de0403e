package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// plain is a Rule without its own JSON form, and jsonRule what that form is.
type (
	plain    Rule
	jsonRule struct {
		plain
		Latency string `json:"latency,omitempty"`
		After   string `json:"after,omitempty"`
	}
)

// MarshalJSON writes the rule with its durations as text.
func (r Rule) MarshalJSON() ([]byte, error) {
	out := jsonRule{plain: plain(r)}
	if r.Latency != 0 {
		out.Latency = r.Latency.String()
	}
	if r.After != 0 {
		out.After = r.After.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a rule. It refuses fields that a rule does not have: one that
// is misspelt would be a fault that never happens.
func (r *Rule) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var in jsonRule
	if err := decoder.Decode(&in); err != nil {
		return sentence(err)
	}
	read := Rule(in.plain)
	for _, field := range []struct {
		name, text string
		value      *time.Duration
	}{{"latency", in.Latency, &read.Latency}, {"after", in.After, &read.After}} {
		if field.text == "" {
			continue
		}
		d, err := time.ParseDuration(field.text)
		if err != nil {
			return fmt.Errorf("%s is %q: a duration is a number and its unit, as 50ms or 1.5s", field.name, field.text)
		}
		*field.value = d
	}
	*r = read
	return nil
}

// sentence words an error of the JSON decoder for people.
func sentence(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		if wrong.Field == "" {
			return fmt.Errorf("a rule is a JSON object, and this is of type %s", wrong.Value)
		}
		field := wrong.Field[strings.LastIndex(wrong.Field, ".")+1:]
		return fmt.Errorf("%s cannot be a %s", field, wrong.Value)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf("a rule has no field %s: it has id, on, target, action, status, throttle, latency, after, share, nth, times and seed", name)
	}
	return err
}
