package dynamo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// tableARN matches an ARN of a table, an index or a stream: its head, which
// names Region and account, and the table's name.
var tableARN = regexp.MustCompile(`^(arn:aws:dynamodb:[^:]*:[^:]*:)table/([^/]+)`)

// prefix is how ARNs of the local cloud's tables begin.
func (f *Front) prefix() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return "arn:aws:dynamodb:" + f.region + ":" + f.account + ":"
}

// fromEngine turns an ARN of the engine's into the local cloud's.
func (f *Front) fromEngine(arn string) string {
	found := tableARN.FindStringSubmatch(arn)
	if found == nil {
		return arn
	}
	f.mu.Lock()
	f.engine = found[1]
	f.mu.Unlock()
	return f.prefix() + arn[len(found[1]):]
}

// toEngine turns an ARN of the local cloud's into the engine's.
func (f *Front) toEngine(ctx context.Context, arn string) string {
	found := tableARN.FindStringSubmatch(arn)
	if found == nil || found[1] != f.prefix() {
		return arn
	}
	return f.enginePrefix(ctx, found[2]) + arn[len(found[1]):]
}

// enginePrefix is how the engine's ARNs begin. Where no answer has shown it yet,
// the engine is asked for a table's; where it has no such table, any ARN of it is
// as wrong as another.
func (f *Front) enginePrefix(ctx context.Context, table string) string {
	f.mu.Lock()
	known := f.engine
	f.mu.Unlock()
	if known != "" {
		return known
	}
	described, err := f.direct.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err == nil {
		f.fromEngine(aws.ToString(described.Table.TableArn))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.engine, "arn:aws:dynamodb:"+f.region+":"+f.account+":")
}

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
