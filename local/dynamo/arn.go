package dynamo

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// tableARN matches an ARN of a table, an index or a stream: its head, which
// names Region and account, and the table's name.
var tableARN = regexp.MustCompile(`^(arn:aws:dynamodb:[^:]*:[^:]*:)table/([^/]+)`)

// namesARNs reports whether the requests and answers of a call name ARNs. None
// of these carries items, whose values are their owners'.
func namesARNs(c *call) bool {
	if c.streams {
		return c.operation != "GetRecords"
	}
	for _, verb := range []string{"Describe", "List", "Tag", "Untag"} {
		if strings.HasPrefix(c.operation, verb) {
			return true
		}
	}
	return strings.HasSuffix(c.operation, "Table")
}

// rewriteARNs gives every field of a JSON body that is called an ARN (StreamArn,
// LatestStreamArn, ResourceArn …) what rewrite makes of it, and leaves the rest
// as it is. A body in which nothing changes comes back byte for byte.
func rewriteARNs(body []byte, rewrite func(arn string) string) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil || !rewriteFields(document, rewrite) {
		return body
	}
	rewritten, err := json.Marshal(document)
	if err != nil {
		return body
	}
	return rewritten
}

func rewriteFields(value any, rewrite func(arn string) string) (changed bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			arn, isText := field.(string)
			if !isText || !strings.HasSuffix(name, "Arn") {
				changed = rewriteFields(field, rewrite) || changed
				continue
			}
			if rewritten := rewrite(arn); rewritten != arn {
				value[name] = rewritten
				changed = true
			}
		}
	case []any:
		for _, element := range value {
			changed = rewriteFields(element, rewrite) || changed
		}
	}
	return changed
}
