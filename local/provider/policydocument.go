package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/chatstack/local/cloud"
)

// policyDocument answers iam.getPolicyDocument, which writes a policy in IAM's
// own form and asks AWS for nothing.
func policyDocument(args cloud.Properties) (map[string]any, error) {
	known := []string{"statements", "version", "policyId"}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if args[name] != nil && !slices.Contains(known, name) {
			return nil, fmt.Errorf("the local cloud does not know the argument %s of iam.getPolicyDocument: it knows %s", name, strings.Join(known, ", "))
		}
	}
	document := orderedObject{{"Version", cmp.Or(textOf(args["version"]), "2012-10-17")}}
	if id := textOf(args["policyId"]); id != "" {
		document = append(document, member{"Id", id})
	}
	var statements []any
	for _, statement := range objectsOf(args["statements"]) {
		statements = append(statements, policyStatement(statement))
	}
	document = append(document, member{"Statement", statements})
	minified, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, minified, "", "  "); err != nil {
		return nil, err
	}
	return map[string]any{"id": "local", "json": indented.String(), "minifiedJson": string(minified)}, nil
}

func policyStatement(in map[string]any) orderedObject {
	var out orderedObject
	add := func(name string, value any) {
		if value != nil {
			out = append(out, member{name, value})
		}
	}
	if sid := textOf(in["sid"]); sid != "" {
		add("Sid", sid)
	}
	add("Effect", cmp.Or(textOf(in["effect"]), "Allow"))
	add("Principal", principals(in["principals"]))
	add("NotPrincipal", principals(in["notPrincipals"]))
	add("Action", oneOrMore(textsOf(in["actions"])))
	add("NotAction", oneOrMore(textsOf(in["notActions"])))
	add("Resource", oneOrMore(textsOf(in["resources"])))
	add("NotResource", oneOrMore(textsOf(in["notResources"])))
	conditions := map[string]map[string]any{}
	for _, condition := range objectsOf(in["conditions"]) {
		test := textOf(condition["test"])
		if conditions[test] == nil {
			conditions[test] = map[string]any{}
		}
		conditions[test][textOf(condition["variable"])] = oneOrMore(textsOf(condition["values"]))
	}
	if len(conditions) > 0 {
		add("Condition", conditions)
	}
	return out
}

// principals are by their types. Everyone, of the type *, is * alone.
func principals(value any) any {
	byType := map[string][]string{}
	for _, principal := range objectsOf(value) {
		kind := textOf(principal["type"])
		byType[kind] = append(byType[kind], textsOf(principal["identifiers"])...)
	}
	if len(byType) == 0 {
		return nil
	}
	if slices.Equal(byType["*"], []string{"*"}) && len(byType) == 1 {
		return "*"
	}
	named := map[string]any{}
	for kind, identifiers := range byType {
		named[kind] = oneOrMore(identifiers)
	}
	return named
}

// oneOrMore is nil for none and the text itself for one.
func oneOrMore(texts []string) any {
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return texts[0]
	}
	return texts
}

// An orderedObject is a JSON object whose members keep their order.
type orderedObject []member

type member struct {
	name  string
	value any
}

func (o orderedObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", m.name, value)
	}
	return []byte("{" + b.String() + "}"), nil
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

func textsOf(value any) []string {
	var texts []string
	list, _ := value.([]any)
	for _, element := range list {
		texts = append(texts, textOf(element))
	}
	return texts
}

func objectsOf(value any) []map[string]any {
	var objects []map[string]any
	list, _ := value.([]any)
	for _, element := range list {
		if object, ok := element.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}
