package cloud

import (
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// checkKeys refuses a key of another name or type than a table that exists has:
// items have theirs for good.
func checkKeys(r *Resource, table *types.TableDescription) error {
	had, want := attributeTypes(table.AttributeDefinitions), attributeTypes(attributeDefinitions(r))
	keys := keySchema(r.Inputs.text("hashKey"), r.Inputs.text("rangeKey"))
	if !sameKeys(table.KeySchema, keys, had, want) {
		return errors.New("a table of this name exists with other keys, which cannot be changed: give the table another name")
	}
	return nil
}

// indexChanges are what makes a table's indexes be as declared, the deletions
// first.
func indexChanges(r *Resource, table *types.TableDescription) []types.GlobalSecondaryIndexUpdate {
	had, want := attributeTypes(table.AttributeDefinitions), attributeTypes(attributeDefinitions(r))
	have := map[string]types.GlobalSecondaryIndexDescription{}
	for _, index := range table.GlobalSecondaryIndexes {
		have[aws.ToString(index.IndexName)] = index
	}
	var creations, deletions []types.GlobalSecondaryIndexUpdate
	for _, index := range r.Inputs.subs("globalSecondaryIndexes") {
		name := index.text("name")
		keys, projected := keySchema(index.text("hashKey"), index.text("rangeKey")), projection(index)
		before, exists := have[name]
		if exists && sameKeys(before.KeySchema, keys, had, want) && sameProjection(before.Projection, projected) {
			delete(have, name)
			continue
		}
		creations = append(creations, types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: &name, KeySchema: keys, Projection: projected,
		}})
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		deletions = append(deletions, types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}})
	}
	return append(deletions, creations...)
}

// sameKeys compares two key schemas, and the types of their attributes.
func sameKeys(a, b []types.KeySchemaElement, typesA, typesB map[string]types.ScalarAttributeType) bool {
	return slices.EqualFunc(a, b, func(a, b types.KeySchemaElement) bool {
		name := aws.ToString(a.AttributeName)
		return name == aws.ToString(b.AttributeName) && a.KeyType == b.KeyType && typesA[name] == typesB[name]
	})
}

func sameProjection(a, b *types.Projection) bool {
	return a != nil && a.ProjectionType == b.ProjectionType &&
		slices.Equal(slices.Sorted(slices.Values(a.NonKeyAttributes)), slices.Sorted(slices.Values(b.NonKeyAttributes)))
}

func attributeTypes(definitions []types.AttributeDefinition) map[string]types.ScalarAttributeType {
	byName := map[string]types.ScalarAttributeType{}
	for _, definition := range definitions {
		byName[aws.ToString(definition.AttributeName)] = definition.AttributeType
	}
	return byName
}
