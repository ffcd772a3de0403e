package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const typeTable = "aws:dynamodb/table:Table"

// deletionProtection is the input that keeps a table from being deleted.
const deletionProtection = "deletionProtectionEnabled"

func tableKinds() map[string]*kind {
	return map[string]*kind{
		typeTable: {
			runs: []string{
				"name", "attributes", "hashKey", "rangeKey", "globalSecondaryIndexes",
				"streamEnabled", "streamViewType", "ttl", deletionProtection,
			},
			ignores: []string{
				"billingMode", "readCapacity", "writeCapacity", "pointInTimeRecovery", "serverSideEncryption", "tableClass",
			},
			replaces: []string{"name", "hashKey", "rangeKey"},
			named:    "name", nameMax: 255, nameChars: "A-Za-z0-9_.-",
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
// there, changed where it differs. One that was created and cannot be finished, as
// when the deployment is broken off, is deleted again: nobody would know of it.
func applyTable(ctx context.Context, c *Cloud, r *Resource) error {
	table, err := c.activeTable(ctx, r.ID)
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		whole := context.WithoutCancel(ctx) // a table that is half made is worse than one that is too many
		if err := c.notes.begin(r.ID); err != nil {
			return err
		}
		_, err := c.table.CreateTable(whole, createTable(r))
		if err != nil {
			err = fmt.Errorf("create table %s: %w", r.ID, err)
		} else if err = c.finishTable(ctx, r); err != nil {
			err = errors.Join(err, c.dropTable(whole, r.ID))
		}
		c.notes.end(r.ID) // written with the table's note
		return err
	case err != nil:
		return fmt.Errorf("describe table %s: %w", r.ID, err)
	}
	if err := c.updateTable(ctx, r, table); err != nil {
		return fmt.Errorf("update table %s: %w", r.ID, err)
	}
	return c.finishTable(ctx, r)
}

// dropUnfinished deletes the tables that were being made when the cloud was killed.
func (c *Cloud) dropUnfinished(ctx context.Context) {
	for _, name := range c.notes.unfinished() {
		if c.notes.get(typeTable, name) == nil {
			if err := c.dropTable(ctx, name); err != nil {
				c.log.Error("a table that was being made when the local cloud ended is left behind", "table", name, "error", err)
			}
		}
		c.notes.end(name)
	}
}

// finishTable waits for a table, tells its stream and has its TTL followed.
func (c *Cloud) finishTable(ctx context.Context, r *Resource) error {
	table, err := c.activeTable(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("describe table %s: %w", r.ID, err)
	}
	r.Outputs["streamArn"] = aws.ToString(table.LatestStreamArn)
	r.Outputs["streamLabel"] = aws.ToString(table.LatestStreamLabel)
	if err := c.applyTTL(ctx, r); err != nil {
		return fmt.Errorf("TTL of table %s: %w", r.ID, err)
	}
	return nil
}

// tableTimeout is how long an engine may take to make or change a table.
const tableTimeout = 30 * time.Second

// activeTable describes a table once it and its indexes can be used and changed.
// Dynoxide makes them so at once, other engines do not.
func (c *Cloud) activeTable(ctx context.Context, name string) (*types.TableDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	for {
		described, err := c.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return nil, err
		}
		if isActive(described.Table) {
			return described.Table, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("it is still %s: %w", described.Table.TableStatus, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func isActive(table *types.TableDescription) bool {
	for _, index := range table.GlobalSecondaryIndexes {
		if index.IndexStatus != types.IndexStatusActive && index.IndexStatus != "" {
			return false
		}
	}
	return table.TableStatus == types.TableStatusActive || table.TableStatus == ""
}

func removeTable(ctx context.Context, c *Cloud, r *Resource) error {
	if r.Inputs.flag(deletionProtection) {
		return fmt.Errorf("table %s cannot be deleted while deletion protection is on: turn it off and deploy, then delete", r.ID)
	}
	return c.dropTable(ctx, r.ID)
}

// dropTable deletes the engine's table, if it is there.
func (c *Cloud) dropTable(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	c.sweeper.Watch(name, "", nil)
	_, err := c.table.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &missing) {
		return fmt.Errorf("delete table %s: %w", name, err)
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
	if err := checkKeys(r, table); err != nil {
		return err
	}
	update := func(change dynamodb.UpdateTableInput) error {
		change.TableName = &r.ID
		change.AttributeDefinitions = attributeDefinitions(r)
		if _, err := c.table.UpdateTable(ctx, &change); err != nil {
			return err
		}
		_, err := c.activeTable(ctx, r.ID)
		return err
	}
	for _, change := range indexChanges(r, table) {
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
