package components

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tableInputs is what a table is declared with by default.
func tableInputs() map[string]any {
	attribute := func(name string) any { return map[string]any{"name": name, "type": "S"} }
	return map[string]any{
		"billingMode": "PAY_PER_REQUEST",
		"hashKey":     "pk",
		"rangeKey":    "sk",
		"attributes":  []any{attribute("pk"), attribute("sk"), attribute("subscriber")},
		"globalSecondaryIndexes": []any{map[string]any{
			"name": "bySubscriber", "hashKey": "subscriber", "rangeKey": "pk", "projectionType": "KEYS_ONLY",
		}},
		"streamEnabled":             true,
		"streamViewType":            "NEW_AND_OLD_IMAGES",
		"ttl":                       map[string]any{"attributeName": "ttl", "enabled": true},
		"pointInTimeRecovery":       map[string]any{"enabled": true},
		"serverSideEncryption":      map[string]any{"enabled": true},
		"deletionProtectionEnabled": false,
	}
}

func TestChatTableWithDefaults(t *testing.T) {
	t.Parallel()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		table, err := NewChatTable(ctx, "table", nil)
		if err != nil {
			return err
		}
		expectOutputs(t, map[pulumi.StringOutput]string{
			table.Name:      "table-a1b2c3d",
			table.ARN:       "arn:aws:dynamodb:eu-central-1:123456789012:table/table-a1b2c3d",
			table.StreamARN: "arn:aws:dynamodb:eu-central-1:123456789012:table/table-a1b2c3d/stream/2026-01-01T00:00:00.000",
		})
		return nil
	})
	if diff := cmp.Diff([]string{"Table table", "ChatTable table"}, c.list()); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tableInputs(), c.get(t, "Table", "table").Inputs); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestChatTableWithEverySetting(t *testing.T) {
	t.Parallel()
	c := mustPreview(t, func(ctx *pulumi.Context) error {
		_, err := NewChatTable(ctx, "table", &ChatTableArgs{
			DeletionProtection: true,
			AWSOwnedKey:        true,
			Tags:               map[string]string{"team": "chat"},
		})
		return err
	})
	want := tableInputs()
	want["deletionProtectionEnabled"] = true
	want["serverSideEncryption"] = map[string]any{"enabled": false}
	want["tags"] = map[string]any{"team": "chat"}
	if diff := cmp.Diff(want, c.get(t, "Table", "table").Inputs); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestChatTableMistakes(t *testing.T) {
	t.Parallel()
	_, err := preview(func(ctx *pulumi.Context) error {
		_, err := NewChatTable(ctx, "table", &ChatTableArgs{Tags: map[string]string{"aws:x": "y"}})
		return err
	})
	expectError(t, err, `chat table "table"`, `Tags key is "aws:x"`)
}
