package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// texts returns a JSON text, or the texts in a JSON list.
func texts(value any) ([]string, error) {
	if text, ok := value.(string); ok {
		return []string{text}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("neither text nor a list")
	}
	all := make([]string, 0, len(list))
	for _, element := range list {
		text, ok := element.(string)
		if !ok {
			return nil, errors.New("not text")
		}
		all = append(all, text)
	}
	return all, nil
}

// decode reads JSON in which no object names a field twice.
func decode(document string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(document)))
	decoder.UseNumber()
	value, err := decodeValue(decoder)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end")
	}
	return value, nil
}

func decodeValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			field := name.(string) // else Token had failed
			if _, twice := object[field]; twice {
				return nil, fmt.Errorf("%q is there twice", field)
			}
			if object[field], err = decodeValue(decoder); err != nil {
				return nil, err
			}
		}
		_, err = decoder.Token() // }
		return object, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			element, err := decodeValue(decoder)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err = decoder.Token() // ]
		return list, err
	default:
		return token, nil
	}
}

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
