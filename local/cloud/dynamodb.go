package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const typeTable = "aws:dynamodb/table:Table"

func tableKinds() map[string]*kind {
	return map[string]*kind{
		typeTable: {
			runs: []string{
				"name", "attributes", "hashKey", "rangeKey", "globalSecondaryIndexes",
				"streamEnabled", "streamViewType", "ttl", "deletionProtectionEnabled",
			},
			ignores: []string{
				"billingMode", "readCapacity", "writeCapacity", "pointInTimeRecovery", "serverSideEncryption", "tableClass",
			},
			replaces: []string{"name", "hashKey", "rangeKey"},
			named:    "name", nameMax: 255,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("name")
				r.Outputs["arn"] = c.arn("dynamodb", "table/"+r.ID)
				return nil
			},
			apply:  applyTable,
			remove: removeTable,
		},
	}
}

// applyTable makes the engine's table be as declared: created where it is not
// there, changed where it differs.
func applyTable(ctx context.Context, c *Cloud, r *Resource) error {
	described, err := c.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.ID})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		if _, err := c.table.CreateTable(ctx, createTable(r)); err != nil {
			return fmt.Errorf("create table %s: %w", r.ID, err)
		}
	case err != nil:
		return fmt.Errorf("describe table %s: %w", r.ID, err)
	default:
		if err := c.updateTable(ctx, r, described.Table); err != nil {
			return fmt.Errorf("update table %s: %w", r.ID, err)
		}
	}
	if err := c.applyTTL(ctx, r); err != nil {
		return fmt.Errorf("TTL of table %s: %w", r.ID, err)
	}
	described, err = c.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.ID})
	if err != nil {
		return fmt.Errorf("describe table %s: %w", r.ID, err)
	}
	r.Outputs["streamArn"] = aws.ToString(described.Table.LatestStreamArn)
	r.Outputs["streamLabel"] = aws.ToString(described.Table.LatestStreamLabel)
	return nil
}

func removeTable(ctx context.Context, c *Cloud, r *Resource) error {
	if r.Inputs.flag("deletionProtectionEnabled") {
		return fmt.Errorf("table %s cannot be deleted while deletion protection is on: turn it off and deploy, then delete", r.ID)
	}
	c.sweeper.Watch(r.ID, "", nil)
	_, err := c.table.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &r.ID})
	var missing *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &missing) {
		return fmt.Errorf("delete table %s: %w", r.ID, err)
	}
	return nil
}

func createTable(r *Resource) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName:            &r.ID,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keySchema(r.Inputs.text("hashKey"), r.Inputs.text("rangeKey")),
		AttributeDefinitions: attributeDefinitions(r),
		StreamSpecification:  streamSpecification(r),
	}
	for _, index := range r.Inputs.subs("globalSecondaryIndexes") {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.text("name")), KeySchema: keySchema(index.text("hashKey"), index.text("rangeKey")),
			Projection: projection(index),
		})
	}
	return input
}

// updateTable brings indexes and the stream of a table that exists to what is
// declared. DynamoDB takes one such change a call.
func (c *Cloud) updateTable(ctx context.Context, r *Resource, table *types.TableDescription) error {
	update := func(change dynamodb.UpdateTableInput) error {
		change.TableName = &r.ID
		change.AttributeDefinitions = attributeDefinitions(r)
		_, err := c.table.UpdateTable(ctx, &change)
		return err
	}
	have := map[string]types.GlobalSecondaryIndexDescription{}
	for _, index := range table.GlobalSecondaryIndexes {
		have[aws.ToString(index.IndexName)] = index
	}
	var changes []types.GlobalSecondaryIndexUpdate
	for _, index := range r.Inputs.subs("globalSecondaryIndexes") {
		name := index.text("name")
		before, exists := have[name]
		delete(have, name)
		keys, projected := keySchema(index.text("hashKey"), index.text("rangeKey")), projection(index)
		if exists && sameIndex(before, keys, projected) {
			continue
		}
		if exists {
			changes = append(changes, types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}})
		}
		changes = append(changes, types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: &name, KeySchema: keys, Projection: projected,
		}})
	}
	for name := range have {
		changes = append([]types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}}}, changes...)
	}
	for _, change := range changes {
		if err := update(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{change}}); err != nil {
			return err
		}
	}

	stream, now := streamSpecification(r), table.StreamSpecification
	streams := now != nil && aws.ToBool(now.StreamEnabled)
	if streams && (stream == nil || stream.StreamViewType != now.StreamViewType) {
		off := &types.StreamSpecification{StreamEnabled: aws.Bool(false)}
		if err := update(dynamodb.UpdateTableInput{StreamSpecification: off}); err != nil {
			return err
		}
		streams = false
	}
	if stream != nil && !streams {
		return update(dynamodb.UpdateTableInput{StreamSpecification: stream})
	}
	return nil
}

func sameIndex(have types.GlobalSecondaryIndexDescription, keys []types.KeySchemaElement, want *types.Projection) bool {
	if len(have.KeySchema) != len(keys) || have.Projection == nil || have.Projection.ProjectionType != want.ProjectionType ||
		strings.Join(have.Projection.NonKeyAttributes, ",") != strings.Join(want.NonKeyAttributes, ",") {
		return false
	}
	for i, key := range keys {
		if aws.ToString(have.KeySchema[i].AttributeName) != aws.ToString(key.AttributeName) {
			return false
		}
	}
	return true
}

// applyTTL sets the TTL attribute and has expired items swept.
func (c *Cloud) applyTTL(ctx context.Context, r *Resource) error {
	attribute := ""
	if ttl := r.Inputs.sub("ttl"); ttl.flag("enabled") {
		attribute = ttl.text("attributeName")
	}
	described, err := c.table.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &r.ID})
	if err != nil {
		return err
	}
	before := ""
	if d := described.TimeToLiveDescription; d != nil && d.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		before = aws.ToString(d.AttributeName)
	}
	set := func(attribute string, on bool) error {
		_, err := c.table.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName:               &r.ID,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &on},
		})
		return err
	}
	if before != attribute {
		if before != "" {
			if err := set(before, false); err != nil {
				return err
			}
		}
		if attribute != "" {
			if err := set(attribute, true); err != nil {
				return err
			}
		}
	}
	keys := []string{r.Inputs.text("hashKey")}
	if sort := r.Inputs.text("rangeKey"); sort != "" {
		keys = append(keys, sort)
	}
	c.sweeper.Watch(r.ID, attribute, keys)
	return nil
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}}
	if sort != "" {
		schema = append(schema, types.KeySchemaElement{AttributeName: &sort, KeyType: types.KeyTypeRange})
	}
	return schema
}

func attributeDefinitions(r *Resource) []types.AttributeDefinition {
	var definitions []types.AttributeDefinition
	for _, attribute := range r.Inputs.subs("attributes") {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: aws.String(attribute.text("name")),
			AttributeType: types.ScalarAttributeType(attribute.text("type")),
		})
	}
	return definitions
}

func streamSpecification(r *Resource) *types.StreamSpecification {
	if !r.Inputs.flag("streamEnabled") {
		return nil
	}
	return &types.StreamSpecification{
		StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(r.Inputs.text("streamViewType")),
	}
}

func projection(index Properties) *types.Projection {
	return &types.Projection{
		ProjectionType:   types.ProjectionType(index.text("projectionType")),
		NonKeyAttributes: index.texts("nonKeyAttributes"),
	}
}
