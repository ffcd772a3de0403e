package dynamo

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// expressionTokens are what DynamoDB's expressions are made of.
var expressionTokens = regexp.MustCompile(`#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|<>|<=|>=|[^\s]`)

// expressionWords are those words in expressions that name no attribute.
var expressionWords = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}

// leadingKeys returns the values of the partition key called hash in a request,
// or a part of one, as the condition key dynamodb:LeadingKeys has them.
func (u use) leadingKeys(hash string) []string {
	var values []string
	add := func(raw json.RawMessage) {
		for _, value := range parse(raw) {
			var text string
			if json.Unmarshal(value, &text) == nil && !slices.Contains(values, text) {
				values = append(values, text)
			}
		}
	}
	for _, part := range u.parts {
		for _, name := range []string{"Key", "Item"} {
			add(part.object(name)[hash])
		}
		for _, key := range part.list("Keys") {
			add(parse(key)[hash])
		}
		if u.action == "Query" {
			value := part.queriedKey(hash)
			if value == nil {
				// No table has this key, so no policy that names keys allows it.
				value = json.RawMessage(`{"S":""}`)
			}
			add(value)
		}
	}
	return values
}

// queriedKey returns the value that a Query's condition has the key hash equal.
func (f fields) queriedKey(hash string) json.RawMessage {
	if legacy := f.object("KeyConditions").object(hash); legacy != nil {
		if values := legacy.list("AttributeValueList"); len(values) == 1 {
			return values[0]
		}
		return nil
	}
	tokens := expressionTokens.FindAllString(f.text("KeyConditionExpression"), -1)
	names, values := f.object("ExpressionAttributeNames"), f.object("ExpressionAttributeValues")
	for i, token := range tokens {
		if token != "=" || i == 0 || i+1 == len(tokens) {
			continue
		}
		for _, sides := range [][2]string{{tokens[i-1], tokens[i+1]}, {tokens[i+1], tokens[i-1]}} {
			name, value := sides[0], sides[1]
			if strings.HasPrefix(name, "#") {
				name = names.text(name)
			}
			if name == hash && strings.HasPrefix(value, ":") {
				return values[value]
			}
		}
	}
	return nil
}

// partitionKeyFirst gives a Query whose key condition names the sort key before
// the partition key the other order, which is the only one that Dynoxide takes of
// two equalities. It reports whether the request changed.
func (f *Front) partitionKeyFirst(ctx context.Context, c *call) (changed bool, err error) {
	tokens := expressionTokens.FindAllString(c.request.text("KeyConditionExpression"), -1)
	tokens = slices.DeleteFunc(tokens, func(token string) bool { return token == "(" || token == ")" })
	if len(tokens) != 7 || tokens[1] != "=" || !strings.EqualFold(tokens[3], "AND") || tokens[5] != "=" {
		return false, nil
	}
	u := f.tableUse(c.operation, c.request)
	s, err := f.schema(ctx, u.table)
	if err != nil {
		return false, nil // the engine says what is wrong
	}
	names := c.request.object("ExpressionAttributeNames")
	if hash := s.of(u.index); equated(tokens[:3], names) == hash || equated(tokens[4:], names) != hash {
		return false, nil
	}
	return true, c.request.set("KeyConditionExpression", strings.Join(tokens[4:], " ")+" AND "+strings.Join(tokens[:3], " "))
}

// equated returns the attribute in the three tokens of an equality.
func equated(tokens []string, names fields) string {
	name := tokens[0]
	if strings.HasPrefix(name, ":") {
		name = tokens[2]
	}
	if strings.HasPrefix(name, "#") {
		name = names.text(name)
	}
	return name
}

// attributes returns the attributes that a request names, as the condition key
// dynamodb:Attributes has them: at the top level, sorted.
func (u use) attributes() []string {
	var named []string
	for _, part := range u.parts {
		for _, field := range []string{"Key", "Item", "Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter"} {
			named = append(named, sortedNames(part.object(field))...)
		}
		for _, key := range part.list("Keys") {
			named = append(named, sortedNames(parse(key))...)
		}
		named = append(named, part.texts("AttributesToGet")...)
		for _, field := range []string{
			"ProjectionExpression", "KeyConditionExpression", "FilterExpression", "ConditionExpression", "UpdateExpression",
		} {
			named = append(named, part.expressionNames(field)...)
		}
	}
	slices.Sort(named)
	return slices.Compact(named)
}

// expressionNames returns the top-level attributes in an expression.
func (f fields) expressionNames(field string) []string {
	tokens := expressionTokens.FindAllString(f.text(field), -1)
	names := f.object("ExpressionAttributeNames")
	var named []string
	for i, token := range tokens {
		first := token[0]
		isName := first == '#' || first == '_' || 'a' <= first|0x20 && first|0x20 <= 'z'
		switch {
		case !isName,
			i > 0 && tokens[i-1] == ".", // below another
			i+1 < len(tokens) && tokens[i+1] == "(" && first != '#' && !isWord(token), // a function
			isWord(token):
		case first == '#':
			named = append(named, names.text(token))
		default:
			named = append(named, token)
		}
	}
	return named
}

func isWord(token string) bool { return slices.Contains(expressionWords, strings.ToUpper(token)) }

func sortedNames(f fields) []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
