package dynamo

import "encoding/json"

// fields are those of a JSON object. Their names count with their case, as they
// do for DynamoDB.
type fields map[string]json.RawMessage

// parse reads an object; it returns nil for what is none.
func parse(raw json.RawMessage) fields {
	var f fields
	if json.Unmarshal(raw, &f) != nil {
		return nil
	}
	return f
}

// text returns a field that is text, or "".
func (f fields) text(name string) string {
	var text string
	if json.Unmarshal(f[name], &text) != nil {
		return ""
	}
	return text
}

// object returns a field that is an object, or nil.
func (f fields) object(name string) fields { return parse(f[name]) }

// list returns a field that is a list, or nil.
func (f fields) list(name string) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(f[name], &list) != nil {
		return nil
	}
	return list
}

// texts returns a field that is a list of texts, or nil.
func (f fields) texts(name string) []string {
	var texts []string
	if json.Unmarshal(f[name], &texts) != nil {
		return nil
	}
	return texts
}

// set makes value the field's, which must be something that JSON can hold.
func (f fields) set(name string, value any) error {
	raw, err := encode(value)
	if err == nil {
		f[name] = raw
	}
	return err
}
