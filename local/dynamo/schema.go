package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A schema is how a table's partition key is called, and those of its indexes.
type schema struct {
	hash    string
	indexes map[string]string
}

// of returns the name of the partition key of an index, or with no index of the
// table; empty for what is not there.
func (s schema) of(index string) string {
	if index == "" {
		return s.hash
	}
	return s.indexes[index]
}

// schema returns a table's, and asks the engine where it is not known.
func (f *Front) schema(ctx context.Context, table string) (schema, error) {
	f.mu.Lock()
	known, ok := f.schemas[table]
	f.mu.Unlock()
	if ok {
		return known, nil
	}
	described, err := f.direct.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return schema{}, err
	}
	s := schema{hash: hashKey(described.Table.KeySchema), indexes: map[string]string{}}
	for _, index := range described.Table.GlobalSecondaryIndexes {
		s.indexes[aws.ToString(index.IndexName)] = hashKey(index.KeySchema)
	}
	for _, index := range described.Table.LocalSecondaryIndexes {
		s.indexes[aws.ToString(index.IndexName)] = s.hash
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schemas[table] = s
	return s, nil
}

// forgetSchema has a table's schema asked for anew.
func (f *Front) forgetSchema(table string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.schemas, table)
}

func hashKey(keys []types.KeySchemaElement) string {
	for _, key := range keys {
		if key.KeyType == types.KeyTypeHash {
			return aws.ToString(key.AttributeName)
		}
	}
	return ""
}
