package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ChatTableArgs are the settings of a [ChatTable]. The zero value works.
type ChatTableArgs struct {
	// DeletionProtection makes DynamoDB refuse to delete the table, also when
	// Pulumi asks. The default is false.
	DeletionProtection bool
	// AWSOwnedKey encrypts the table with a key that AWS owns, which costs
	// nothing but leaves no trace of its use. The default is the account's own
	// key aws/dynamodb: its use shows in CloudTrail, and KMS charges for its
	// requests, a few for each function instance in every five minutes. There is
	// no table without encryption. See "DynamoDB encryption at rest" in the
	// Amazon DynamoDB Developer Guide.
	AWSOwnedKey bool
	// Tags are put on the table.
	Tags map[string]string
}

// A ChatTable is the DynamoDB table of a chat: on-demand, with a stream of new
// and old images, expiry by the attribute ttl, a keys-only index of
// subscriptions by subscriber, point-in-time recovery and encryption.
type ChatTable struct {
	pulumi.ResourceState

	// Name is the table's name.
	Name pulumi.StringOutput `pulumi:"name"`
	// ARN is the table's ARN.
	ARN pulumi.StringOutput `pulumi:"arn"`
	// StreamARN is the ARN of the table's stream.
	StreamARN pulumi.StringOutput `pulumi:"streamArn"`

	// Table is the table itself.
	Table *dynamodb.Table
}

// SubscriberIndex is the name of the table's index of subscriptions by
// subscriber.
const SubscriberIndex = "bySubscriber"

// NewChatTable declares the table of a chat, whose name has 1 to 247 letters,
// digits, - and _. A nil args means the zero value.
func NewChatTable(ctx *pulumi.Context, name string, args *ChatTableArgs, opts ...pulumi.ResourceOption) (*ChatTable, error) {
	if args == nil {
		args = &ChatTableArgs{}
	}
	if err := invalid("chat table", name, validateName(name, maxChatTableName), validateTags(args.Tags)); err != nil {
		return nil, err
	}
	t := &ChatTable{}
	if err := ctx.RegisterComponentResource("chatstack:index:ChatTable", name, t, opts...); err != nil {
		return nil, fmt.Errorf("chat table %q: %w", name, err)
	}
	table, err := dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		BillingMode: pulumi.String("PAY_PER_REQUEST"),
		HashKey:     pulumi.String("pk"),
		RangeKey:    pulumi.String("sk"),
		Attributes: dynamodb.TableAttributeArray{
			stringAttribute("pk"), stringAttribute("sk"), stringAttribute("subscriber"),
		},
		// Sparse: only subscriptions have the attribute subscriber, and so only
		// they pay for the index.
		GlobalSecondaryIndexes: dynamodb.TableGlobalSecondaryIndexArray{
			&dynamodb.TableGlobalSecondaryIndexArgs{
				Name:           pulumi.String(SubscriberIndex),
				HashKey:        pulumi.String("subscriber"),
				RangeKey:       pulumi.String("pk"),
				ProjectionType: pulumi.String("KEYS_ONLY"),
			},
		},
		StreamEnabled:             pulumi.Bool(true),
		StreamViewType:            pulumi.String("NEW_AND_OLD_IMAGES"),
		Ttl:                       &dynamodb.TableTtlArgs{AttributeName: pulumi.String("ttl"), Enabled: pulumi.Bool(true)},
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(!args.AWSOwnedKey)},
		DeletionProtectionEnabled: pulumi.Bool(args.DeletionProtection),
		Tags:                      tagMap(args.Tags),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("chat table %q: %w", name, err)
	}
	t.Table = table
	t.Name, t.ARN, t.StreamARN = table.Name, table.Arn, table.StreamArn
	if err := ctx.RegisterResourceOutputs(t, pulumi.Map{
		"name": t.Name, "arn": t.ARN, "streamArn": t.StreamARN,
	}); err != nil {
		return nil, fmt.Errorf("chat table %q: %w", name, err)
	}
	return t, nil
}

func stringAttribute(name string) *dynamodb.TableAttributeArgs {
	return &dynamodb.TableAttributeArgs{Name: pulumi.String(name), Type: pulumi.String("S")}
}

// GrantRead allows a function to read items and to query the table and its
// index, but not to scan it.
func (t *ChatTable) GrantRead() []PolicyStatement {
	return []PolicyStatement{
		t.grant("GetItem", "BatchGetItem", "Query"),
		t.grantIndexQuery(),
	}
}

// GrantReadWrite allows what GrantRead does, and to put, update and delete
// items, also in batches and transactions.
func (t *ChatTable) GrantReadWrite() []PolicyStatement {
	return append(t.GrantRead(),
		t.grant("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"))
}

// grant allows actions on the table's items.
func (t *ChatTable) grant(actions ...string) PolicyStatement {
	s := PolicyStatement{Resources: []pulumi.StringInput{t.ARN}}
	for _, a := range actions {
		s.Actions = append(s.Actions, "dynamodb:"+a)
	}
	return s
}

// grantIndexQuery allows queries of the index of subscribers.
func (t *ChatTable) grantIndexQuery() PolicyStatement {
	return PolicyStatement{
		Actions:   []string{"dynamodb:Query"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s/index/%s", t.ARN, SubscriberIndex)},
	}
}
