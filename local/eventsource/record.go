package eventsource

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// event is a record as a function gets it. It differs from what the stream says:
// the stream's ARN is added, the keys of userIdentity are lower case, and region,
// id and size are as on AWS whatever the engine gives.
func (m *Mapping) event(record types.Record) map[string]any {
	change := record.Dynamodb
	data := map[string]any{
		"ApproximateCreationDateTime": javaDouble(aws.ToTime(change.ApproximateCreationDateTime).Unix()),
		"Keys":                        item2json(change.Keys),
		"SequenceNumber":              aws.ToString(change.SequenceNumber),
		"SizeBytes":                   json.Number(strconv.Itoa(itemSize(change.Keys) + itemSize(change.NewImage) + itemSize(change.OldImage))),
		"StreamViewType":              string(change.StreamViewType),
	}
	if change.NewImage != nil {
		data["NewImage"] = item2json(change.NewImage)
	}
	if change.OldImage != nil {
		data["OldImage"] = item2json(change.OldImage)
	}
	event := map[string]any{
		"eventID":        m.eventID(record),
		"eventName":      string(record.EventName),
		"eventVersion":   "1.1",
		"eventSource":    "aws:dynamodb",
		"awsRegion":      m.Region,
		"dynamodb":       data,
		"eventSourceARN": m.StreamARN,
	}
	if who := record.UserIdentity; who != nil {
		event["userIdentity"] = map[string]any{
			"type": aws.ToString(who.Type), "principalId": aws.ToString(who.PrincipalId),
		}
	}
	return event
}

// javaDouble writes whole seconds as AWS does: 1.700000001E9.
func javaDouble(seconds int64) json.Number {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(float64(seconds), 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	power, _ := strconv.Atoi(exponent) // it is one
	return json.Number(mantissa + "E" + strconv.Itoa(power))
}

var eventIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// eventID is the record's own id if that has AWS's form. Some engines number their
// records from 1 in each stream, which no function could take for an identity.
func (m *Mapping) eventID(record types.Record) string {
	if id := aws.ToString(record.EventID); eventIDForm.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(m.StreamARN + "\x00" + aws.ToString(record.Dynamodb.SequenceNumber)))
	return hex.EncodeToString(sum[:16])
}

// encode writes an event. Its markup characters stay as they are, as on AWS.
func encode(event map[string]any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		panic(err) // an event is made of maps, lists, strings, numbers and booleans
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func item2json(item map[string]types.AttributeValue) map[string]any {
	out := make(map[string]any, len(item))
	for name, value := range item {
		out[name] = value2json(value)
	}
	return out
}

// value2json keeps the type wrapper: {"S":"text"}. Binary becomes base64.
func value2json(value types.AttributeValue) map[string]any {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v.Value)}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": item2json(v.Value)}
	case *types.AttributeValueMemberL:
		return map[string]any{"L": list2json(v.Value, func(e types.AttributeValue) any { return value2json(e) })}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": list2json(v.Value, func(e string) any { return e })}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": list2json(v.Value, func(e string) any { return e })}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": list2json(v.Value, func(e []byte) any { return base64.StdEncoding.EncodeToString(e) })}
	}
	return map[string]any{} // a type that DynamoDB does not have
}

func list2json[E any](list []E, one func(E) any) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = one(e)
	}
	return out
}
