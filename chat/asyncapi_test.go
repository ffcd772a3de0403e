package chat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// What docs/asyncapi.yaml has and the chat, or its vectors, have not yet, and
// why. Whoever adds it takes its line away.
var awaited = map[string]string{}

// Recorded frames of testdata/protocol/frames.json that a client must take and
// the chat no longer sends, or does not yet.
var otherVersions = []string{
	"a leave without a reason, as in 2018",
	"an error of 2018",
	"an error: a_code_of_a_newer_version",
}

// An asyncAPI is docs/asyncapi.yaml.
type asyncAPI struct {
	Channels   map[string]struct{ Messages map[string]reference }
	Operations map[string]operation
	Components struct {
		Messages map[string]struct {
			Name     string
			Examples []struct{ Payload any }
		}
		Schemas map[string]any
	}

	tree    any // all of it
	schemas map[string]*jsonschema.Schema
}

type (
	reference struct {
		Ref string `json:"$ref"`
	}
	operation struct {
		Action   string
		Messages []reference
		Reply    struct{ Messages []reference }
	}
)

// to gives the names of what references point to.
func to(references []reference) (names []string) {
	for _, r := range references {
		names = append(names, filepath.Base(r.Ref))
	}
	return names
}

// readAsyncAPI reads the document. Its schemas refuse fields that they do not
// name, so that what a vector has and the document has not is seen; those who
// use the document must not.
func readAsyncAPI(t *testing.T) *asyncAPI {
	t.Helper()
	text, err := os.ReadFile("../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	doc := &asyncAPI{schemas: map[string]*jsonschema.Schema{}}
	data := mustEncode(t, values)
	if err := json.Unmarshal(data, doc); err != nil {
		t.Fatal(err)
	}
	if doc.tree, err = jsonschema.UnmarshalJSON(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	eachObject(doc.tree, "", func(at string, object map[string]any) {
		if _, ok := object["properties"]; ok && strings.HasPrefix(at, "/components/") {
			object["additionalProperties"] = false
		}
	})
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7) // as AsyncAPI has it
	compiler.AssertFormat()
	if err := compiler.AddResource("asyncapi.json", doc.tree); err != nil {
		t.Fatal(err)
	}
	for name := range doc.Components.Messages {
		if doc.schemas[name], err = compiler.Compile("asyncapi.json#/components/messages/" + name + "/payload"); err != nil {
			t.Fatal(err)
		}
	}
	return doc
}

// eachObject visits every object in a JSON value.
func eachObject(value any, at string, visit func(at string, object map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		for name, part := range value {
			eachObject(part, at+"/"+name, visit)
		}
		visit(at, value)
	case []any:
		for _, part := range value {
			eachObject(part, at, visit)
		}
	}
}

// named gives the messages among some that have an event's or action's name.
func (d *asyncAPI) named(name string, among []string) (messages []string) {
	for _, message := range among {
		if d.Components.Messages[message].Name == name {
			messages = append(messages, message)
		}
	}
	return messages
}

// of gives the messages that operations of one action have, each once.
func (d *asyncAPI) of(action string) (messages []string) {
	for _, o := range d.Operations {
		if o.Action == action {
			messages = append(messages, to(o.Messages)...)
		}
	}
	slices.Sort(messages)
	return slices.Compact(messages)
}

// fits returns the first of some messages whose schema takes a frame, or what
// they say against it.
func (d *asyncAPI) fits(frame []byte, messages []string) (message, objections string) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		return "", err.Error()
	}
	for _, message := range messages {
		err := d.schemas[message].Validate(value)
		if err == nil {
			return message, ""
		}
		objections += err.Error() + "\n"
	}
	return "", objections
}

// docs/asyncapi.yaml is whole: every reference leads somewhere, everything is
// used, and every example is as its schema says.
func TestAsyncAPIIsWhole(t *testing.T) {
	t.Parallel()
	doc := readAsyncAPI(t)

	used := map[string]bool{}
	eachObject(doc.tree, "", func(at string, object map[string]any) {
		ref, ok := object["$ref"].(string)
		if !ok {
			return
		}
		if len(object) > 1 {
			t.Errorf("%s has more beside its $ref, which nobody reads", at)
		}
		var target any = doc.tree
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			object, _ := target.(map[string]any)
			target = object[name]
		}
		if target == nil {
			t.Errorf("%s refers to %s, which is not there", at, ref)
		}
		used[ref] = true
	})
	for name := range doc.Components.Schemas {
		if !used["#/components/schemas/"+name] {
			t.Errorf("no message has components.schemas.%s", name)
		}
	}

	listed := doc.Channels["connection"].Messages
	var sent []string // by an operation, of either side
	for name, o := range doc.Operations {
		if o.Action == "receive" && (!slices.Equal(to(o.Messages), []string{name}) || len(doc.named("error", to(o.Reply.Messages))) != 1) {
			t.Errorf("operations.%s: it should receive the action of its name and reply with an error among others", name)
		}
		for _, r := range slices.Concat(o.Messages, o.Reply.Messages) {
			sent = append(sent, filepath.Base(r.Ref))
		}
	}
	slices.Sort(sent)
	names := slices.Sorted(maps.Keys(doc.Components.Messages))
	equal(t, "messages of the operations", slices.Compact(sent), names)
	equal(t, "messages of the channel", slices.Sorted(maps.Keys(listed)), names)
	for name, r := range listed {
		if r.Ref != "#/components/messages/"+name {
			t.Errorf("the channel's message %s is %s", name, r.Ref)
		}
	}

	for key, message := range doc.Components.Messages {
		if len(message.Examples) == 0 {
			t.Errorf("components.messages.%s has no example", key)
		}
		for _, example := range message.Examples {
			if _, objections := doc.fits(mustEncode(t, example.Payload), []string{key}); objections != "" {
				t.Errorf("the example of components.messages.%s: %s", key, objections)
			}
			fields, _ := example.Payload.(map[string]any)
			if is := cmp.Or(fields["action"], fields["event"], "gateway_error"); is != message.Name {
				t.Errorf("components.messages.%s is named %s and its example is %v", key, message.Name, is)
			}
		}
	}

	for name, limits := range map[string]map[string]int64{
		"id":           {"maxLength": MaxFrameID},
		"channelId":    {"maxLength": MaxChannelID},
		"user":         {"maxLength": MaxUser},
		"name":         {"maxLength": MostName},
		"givenContent": {"maxLength": MostContent},
		"content":      {"maxLength": MaxMessage},
		"cursor":       {"maxLength": maxCursor},
		"seq":          {"minimum": 1, "maximum": MaxSeq},
		"seqOrNone":    {"minimum": 0, "maximum": MaxSeq},
		"messages":     {"maxItems": MaxHistory},
	} {
		schema, _ := doc.Components.Schemas[name].(map[string]any)
		for limit, want := range limits {
			if got, _ := schema[limit].(float64); int64(got) != want {
				t.Errorf("components.schemas.%s.%s is %v, want %d", name, limit, schema[limit], want)
			}
		}
	}
}

// Everything that the vectors record is as docs/asyncapi.yaml says, with no field
// that it does not have, and everything that it has is recorded.
func TestVectorsFitTheAsyncAPI(t *testing.T) {
	t.Parallel()
	doc := readAsyncAPI(t)
	recorded := map[string]bool{}
	// fit checks a frame that should be one of the messages of its name.
	fit := func(where, name string, frame []byte, among []string) {
		t.Helper()
		messages := doc.named(name, among)
		if len(messages) == 0 {
			t.Errorf("%s: docs/asyncapi.yaml has no %q here: add it to components.messages, channels.connection.messages and to an operation: %.500s", where, name, frame)
			return
		}
		message, objections := doc.fits(frame, messages)
		if objections != "" {
			t.Errorf("%s: describe it in docs/asyncapi.yaml, components.messages: %v, or mend what is recorded:\n%.500s\n%s", where, messages, compact(t, frame), objections)
		}
		recorded[message] = true
	}
	anything := slices.Collect(maps.Keys(doc.Components.Messages))

	var answers vectors
	readVectors(t, "answers.json", &answers)
	for _, s := range answers.Scenarios {
		for _, st := range s.Steps {
			asks, replies := doc.of("receive"), []string{"error"} // of no action
			if o, ok := doc.Operations[st.Route]; ok {
				asks, replies = to(o.Messages), to(o.Reply.Messages)
			}
			var answer struct {
				Event string
				Code  Code
			}
			if err := json.Unmarshal(st.Answer, &answer); err != nil {
				t.Fatal(err)
			}
			fit(s.Name, answer.Event, st.Answer, replies)
			for _, events := range st.Events {
				for _, event := range events {
					fit(s.Name, nameOf(t, event), event, doc.of("send"))
				}
			}

			_, objections := doc.fits([]byte(st.Frame), asks)
			switch answer.Code {
			case CodeInvalidJSON, CodeNotAnObject, CodeMissingAction, CodeInvalidType, CodeInvalidID, CodeInvalidChannel, CodeInvalidUser:
				if objections == "" {
					t.Errorf("%s: the chat refuses what docs/asyncapi.yaml allows: %.500s\n%s", s.Name, st.Frame, st.Answer)
				}
			case CodeMissingField, CodeInvalidRange, CodeDuplicateField, CodeUnknownAction,
				CodeInvalidName, CodeContentEmpty, CodeContentTooLong, CodeFrameTooLarge:
				// No schema, or only some, can tell.
			default:
				fit(s.Name, st.Route, []byte(st.Frame), asks)
			}
		}
	}

	var frames struct {
		About  string
		Frames []struct {
			Name, Frame string
			Items       []struct {
				As     string
				Fields json.RawMessage
			}
		}
	}
	readVectors(t, "frames.json", &frames)
	for _, f := range frames.Frames {
		for _, item := range f.Items {
			switch {
			case item.As == "foreign":
				if value := []byte(f.Frame); json.Valid(value) && bytes.Contains(value, []byte("requestId")) {
					fit(f.Name, "gateway_error", value, anything)
				}
			case slices.Contains(otherVersions, f.Name):
				if _, objections := doc.fits(item.Fields, doc.named(nameOf(t, item.Fields), anything)); objections == "" {
					t.Errorf("%s: it is of this version: take it out of otherVersions in chat/asyncapi_test.go", f.Name)
				}
			default:
				fit(f.Name, nameOf(t, item.Fields), item.Fields, anything)
			}
		}
	}

	var orders struct {
		About  string
		Orders []struct {
			Name       string
			After      *int64
			Subscribed json.RawMessage
			Frames     []string
			Given      []int64
		}
	}
	readVectors(t, "orders.json", &orders)
	for _, o := range orders.Orders {
		fit(o.Name, "subscribed", o.Subscribed, anything)
		for _, frame := range o.Frames {
			for line := range strings.Lines(frame) {
				fit(o.Name, nameOf(t, []byte(line)), []byte(line), anything)
			}
		}
	}

	both(t, "message", "record a scenario that has it in testdata/protocol/answers.json",
		anything, slices.Collect(maps.Keys(recorded)))
}

// The codes, reasons and actions of docs/asyncapi.yaml are those of the chat.
func TestAsyncAPIHasWhatTheChatHas(t *testing.T) {
	t.Parallel()
	doc := readAsyncAPI(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string][]string{} // by type
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t\w+ +(Code|Reason) += "(\w+)"`).FindAllSubmatch(source, -1) {
			declared[string(m[1])] = append(declared[string(m[1])], string(m[2]))
		}
	}
	for kind, there := range declared {
		kind = strings.ToLower(kind)
		var documented []string
		for _, value := range doc.Components.Schemas[kind].(map[string]any)["enum"].([]any) {
			documented = append(documented, value.(string))
		}
		both(t, kind, "declare it in package chat", documented, there)
	}
	both(t, "message", "serve it", doc.of("receive"), everyAction())
}

// both checks that what is documented is there, unless it is awaited, and the
// other way round.
func both(t *testing.T, kind, hint string, documented, there []string) {
	t.Helper()
	if len(there) == 0 {
		t.Fatalf("there is no %s at all", kind)
	}
	for _, name := range documented {
		_, waits := awaited[kind+" "+name]
		switch is := slices.Contains(there, name); {
		case is && waits:
			t.Errorf("the %s %s is there now: take its line out of awaited in chat/asyncapi_test.go", kind, name)
		case !is && !waits:
			t.Errorf("docs/asyncapi.yaml has the %s %s, which is not there: %s, or name it with a reason in awaited in chat/asyncapi_test.go", kind, name, hint)
		}
	}
	for _, name := range there {
		if name != "" && !slices.Contains(documented, name) {
			t.Errorf("docs/asyncapi.yaml lacks the %s %s", kind, name)
		}
	}
}

// nameOf gives the event that a frame is.
func nameOf(t *testing.T, frame []byte) string {
	t.Helper()
	var f struct{ Event string }
	if err := json.Unmarshal(frame, &f); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	return f.Event
}

// readVectors reads a file of testdata/protocol. What it holds and the test does
// not know is an error, so that nothing goes unchecked.
func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../testdata/protocol/" + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("testdata/protocol/%s: %v: have the test check it", name, err)
	}
}
