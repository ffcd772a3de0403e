package iam

import "encoding/json"

// OneOrMore is a list in the JSON of a policy, which may also be its one element,
// without brackets.
type OneOrMore[T any] []T

// UnmarshalJSON reads a list, or one element.
func (l *OneOrMore[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = OneOrMore[T]{one}
	return nil
}
