package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Frame is what a client sent: one JSON object. Its fields are read by name,
// case and all; fields that an action does not know are ignored.
type Frame struct {
	// ID is the client's own id for this frame, echoed in the answer; empty if
	// it gave none.
	ID     string
	fields map[string]json.RawMessage
}

// DecodeFrame reads a client's frame. Its error is always an [Error]. The frame
// has its ID whenever that could be read, also beside an error, so that the
// client can tell which frame was wrong.
func DecodeFrame(body []byte) (Frame, error) {
	if !utf8.Valid(body) {
		return Frame{}, fail(CodeInvalidJSON, "the frame is not valid UTF-8: send one JSON object")
	}
	if !json.Valid(body) { // a decoder alone would not mind what follows the object
		return Frame{}, notJSON()
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if token, _ := decoder.Token(); token != json.Delim('{') {
		return Frame{}, fail(CodeNotAnObject, "the frame is JSON but not an object: send one JSON object")
	}

	frame := Frame{fields: make(map[string]json.RawMessage)}
	var twice []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return Frame{}, notJSON()
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return Frame{}, notJSON()
		}
		if frame.Has(name) {
			twice = append(twice, name)
		}
		frame.fields[name] = value
	}
	if !slices.Contains(twice, "id") {
		if err := frame.readID(); err != nil {
			return frame, err
		}
	}
	if len(twice) > 0 {
		return frame, fail(CodeDuplicateField, "%s is there more than once: send each field once", quote(twice[0]))
	}
	return frame, nil
}

func notJSON() *Error {
	return fail(CodeInvalidJSON, "the frame is not JSON: send one JSON object")
}

func (f *Frame) readID() error {
	if _, ok := f.fields["id"]; !ok {
		return nil
	}
	id, err := f.String("id")
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(id); n == 0 || n > MaxFrameID {
		return fail(CodeInvalidID, "id is %d characters long: use 1 to %d, or leave it out", n, MaxFrameID)
	}
	f.ID = id
	return nil
}

// Has reports whether the frame has a field of this name, null or not.
func (f Frame) Has(name string) bool {
	_, ok := f.fields[name]
	return ok
}

// String gives the text of a field. The error is an [Error] with
// CodeMissingField if there is no such field, with CodeInvalidType if it is no
// string.
func (f Frame) String(name string) (string, error) {
	raw, ok := f.fields[name]
	if !ok {
		return "", fail(CodeMissingField, "%s is missing: send it as a string", name)
	}
	if raw[0] != '"' {
		return "", fail(CodeInvalidType, "%s is %s: send it as a string", name, kind(raw))
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", fail(CodeInvalidType, "%s is not a string: send it as a string", name)
	}
	return text, nil
}

// Integer gives a field that is a whole number from least to most, or otherwise
// if there is no such field. The error is an [Error] with CodeInvalidType or
// CodeInvalidRange.
func (f Frame) Integer(name string, least, most, otherwise int64) (int64, error) {
	raw, ok := f.fields[name]
	if !ok {
		return otherwise, nil
	}
	if what := kind(raw); what != "a number" {
		return 0, fail(CodeInvalidType, "%s is %s: send it as a whole number", name, what)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, fail(CodeInvalidType, "%s is not written as a whole number: send it as one", name)
	}
	if err != nil || n < least || n > most {
		return 0, fail(CodeInvalidRange, "%s is %s: use %d to %d", name, strings.Trim(quote(string(raw)), `"`), least, most)
	}
	return n, nil
}

// ChannelID gives the field channelId, checked.
func (f Frame) ChannelID() (string, error) {
	id, err := f.String("channelId")
	if err != nil {
		return "", err
	}
	return id, CheckChannelID(id)
}

// kind names the type of a JSON value.
func kind(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '[':
		return "an array"
	case '{':
		return "an object"
	default:
		return "a number"
	}
}

// quote gives what a client sent, short enough and safe to be sent back to it.
func quote(text string) string {
	const longest = 40
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	var b bytes.Buffer
	b.WriteByte('"')
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
