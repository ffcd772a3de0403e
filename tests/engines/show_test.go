package engines_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// show writes a value so that equal values are written alike.
func show(value any) string {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%x", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		return fmt.Sprintf("SS%q", v.Value)
	case *types.AttributeValueMemberNS:
		return fmt.Sprintf("NS%v", v.Value)
	case *types.AttributeValueMemberL:
		return "[" + showAll(v.Value) + "]"
	case *types.AttributeValueMemberM:
		return showMap(v.Value)
	case *streamtypes.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *streamtypes.AttributeValueMemberN:
		return v.Value
	case *streamtypes.AttributeValueMemberM:
		return showMap(v.Value)
	default:
		return fmt.Sprintf("%T", value)
	}
}

func showAll[V any](values []V) string {
	shown := make([]string, len(values))
	for i, value := range values {
		shown[i] = show(value)
	}
	return strings.Join(shown, ", ")
}

func showMap[V any](fields map[string]V) string {
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		shown = append(shown, name+"="+show(fields[name]))
	}
	return "{" + strings.Join(shown, " ") + "}"
}
