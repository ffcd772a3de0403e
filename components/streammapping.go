package components

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deadLetterRetention is the longest that SQS keeps a message: "Amazon SQS
// message quotas" in the Amazon SQS Developer Guide.
const deadLetterRetention = 14 * 24 * time.Hour

// A StreamMapping feeds a table's stream to a function, in order for each item
// and from the stream's beginning. A batch that fails is halved and tried again
// within bounds; what fails for good is named in a queue, so that one bad record
// neither blocks a shard nor vanishes.
type StreamMapping struct {
	pulumi.ResourceState

	// DeadLetterQueueURL is the URL of the queue of what failed for good.
	DeadLetterQueueURL pulumi.StringOutput `pulumi:"deadLetterQueueUrl"`
	// DeadLetterQueueARN is its ARN.
	DeadLetterQueueARN pulumi.StringOutput `pulumi:"deadLetterQueueArn"`

	// DeadLetterQueue and Mapping are the parts. A message in the queue has the
	// shard and the sequence numbers of a batch, not its records, which the
	// stream keeps for 24 hours. The queue keeps messages for 14 days.
	DeadLetterQueue *sqs.Queue
	Mapping         *lambda.EventSourceMapping
}

// NewStreamMapping declares the mapping of a stream to a function, and allows
// the function what it needs for it. Its name has 1 to 59 letters, digits, -
// and _.
func NewStreamMapping(ctx *pulumi.Context, name string, args *StreamMappingArgs, opts ...pulumi.ResourceOption) (*StreamMapping, error) {
	if args == nil {
		args = &StreamMappingArgs{}
	}
	settled := args.withDefaults()
	if err := invalid("stream mapping", name, validateName(name, maxStreamMappingName), settled.validate()); err != nil {
		return nil, err
	}
	m := &StreamMapping{}
	if err := ctx.RegisterComponentResource("chatstack:index:StreamMapping", name, m, opts...); err != nil {
		return nil, fmt.Errorf("stream mapping %q: %w", name, err)
	}
	if err := m.declare(ctx, name, settled); err != nil {
		return nil, fmt.Errorf("stream mapping %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(m, pulumi.Map{
		"deadLetterQueueUrl": m.DeadLetterQueueURL, "deadLetterQueueArn": m.DeadLetterQueueARN,
	}); err != nil {
		return nil, fmt.Errorf("stream mapping %q: %w", name, err)
	}
	return m, nil
}

func (m *StreamMapping) declare(ctx *pulumi.Context, name string, args StreamMappingArgs) error {
	parent := pulumi.Parent(m)
	queue, err := sqs.NewQueue(ctx, name+"-dead-letters", &sqs.QueueArgs{
		MessageRetentionSeconds: pulumi.Int(int(deadLetterRetention / time.Second)),
		SqsManagedSseEnabled:    pulumi.Bool(true),
		Tags:                    tagMap(args.Tags),
	}, parent)
	if err != nil {
		return err
	}
	policy, err := args.Function.Grant(ctx, name+"-policy", streamStatements(args.StreamARN, queue.Arn)...)
	if err != nil {
		return err
	}
	mapping, err := lambda.NewEventSourceMapping(ctx, name, &lambda.EventSourceMappingArgs{
		EventSourceArn:             args.StreamARN.ToStringOutput().ToStringPtrOutput(),
		FunctionName:               args.Function.ARN,
		StartingPosition:           pulumi.String("TRIM_HORIZON"), // LATEST misses what is written meanwhile
		FilterCriteria:             filterCriteria(args.Filters),
		FunctionResponseTypes:      pulumi.StringArray{pulumi.String("ReportBatchItemFailures")},
		BatchSize:                  pulumi.Int(args.BatchSize),
		BisectBatchOnFunctionError: pulumi.Bool(true),
		MaximumRetryAttempts:       pulumi.Int(max(args.RetryAttempts, 0)),
		MaximumRecordAgeInSeconds:  pulumi.Int(int(args.RecordAge / time.Second)),
		DestinationConfig: &lambda.EventSourceMappingDestinationConfigArgs{
			OnFailure: &lambda.EventSourceMappingDestinationConfigOnFailureArgs{DestinationArn: queue.Arn},
		},
		Tags: tagMap(args.Tags),
	}, parent, pulumi.DependsOn([]pulumi.Resource{policy}),
		// Lambda refuses a second mapping of the same stream to the same function.
		pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return err
	}
	m.DeadLetterQueue, m.Mapping = queue, mapping
	m.DeadLetterQueueURL, m.DeadLetterQueueARN = queue.Url, queue.Arn
	return nil
}

// streamStatements is what the role of a function on a stream must allow:
// Lambda reads the stream and fills the queue with it.
func streamStatements(stream, queue pulumi.StringInput) []PolicyStatement {
	return []PolicyStatement{
		{
			Actions:   []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
			Resources: []pulumi.StringInput{stream},
		},
		{
			// IAM knows no resource for this action: it is all or nothing.
			Actions:   []string{"dynamodb:ListStreams"},
			Resources: []pulumi.StringInput{pulumi.String("*")},
		},
		{
			Actions:   []string{"sqs:SendMessage"},
			Resources: []pulumi.StringInput{queue},
		},
	}
}

func filterCriteria(patterns []string) lambda.EventSourceMappingFilterCriteriaPtrInput {
	if len(patterns) == 0 {
		return nil
	}
	var filters lambda.EventSourceMappingFilterCriteriaFilterArray
	for _, p := range patterns {
		filters = append(filters, &lambda.EventSourceMappingFilterCriteriaFilterArgs{Pattern: pulumi.String(p)})
	}
	return &lambda.EventSourceMappingFilterCriteriaArgs{Filters: filters}
}
