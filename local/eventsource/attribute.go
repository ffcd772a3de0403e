package eventsource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// itemSize is the size of an item in bytes, as DynamoDB counts it: its names and
// its values. docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func itemSize(item map[string]types.AttributeValue) int {
	n := 0
	for name, value := range item {
		n += len(name) + valueSize(value)
	}
	return n
}

func valueSize(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return numberSize(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + itemSize(v.Value) // a byte each, and three for the map
	case *types.AttributeValueMemberL:
		return 3 + len(v.Value) + sum(v.Value, valueSize)
	case *types.AttributeValueMemberSS:
		return sum(v.Value, func(s string) int { return len(s) })
	case *types.AttributeValueMemberNS:
		return sum(v.Value, numberSize)
	case *types.AttributeValueMemberBS:
		return sum(v.Value, func(b []byte) int { return len(b) })
	}
	return 1 // true, false and null
}

func sum[E any](list []E, size func(E) int) int {
	n := 0
	for _, e := range list {
		n += size(e)
	}
	return n
}

// numberSize is one byte for each two significant digits and one more, and one
// for a minus sign.
func numberSize(number string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	significant := strings.TrimLeft(whole+fraction, "0")
	significant = strings.TrimRight(significant, "0")
	n := (len(significant)+1)/2 + 1
	if negative {
		n++
	}
	return n
}
