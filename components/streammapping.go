package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Defaults of a stream mapping's settings.
const (
	DefaultBatchSize     = 100
	DefaultRetryAttempts = 10
	DefaultRecordAge     = time.Hour
)

// NoRetries calls a function once for each batch, as RetryAttempts.
const NoRetries = -1

// Lambda's limits: "Process DynamoDB records with Lambda" in the AWS Lambda
// Developer Guide.
const (
	maxBatchSize     = 10_000
	maxRetryAttempts = 10_000
	minRecordAge     = time.Minute
	maxRecordAge     = 24 * time.Hour // the stream itself keeps no more
	maxFilters       = 5
)

// deadLetterRetention is the longest that SQS keeps a message: "Amazon SQS
// message quotas" in the Amazon SQS Developer Guide.
const deadLetterRetention = 14 * 24 * time.Hour

// StreamMappingArgs are the settings of a [StreamMapping]. StreamARN and
// Function are required.
type StreamMappingArgs struct {
	// StreamARN is the table's stream.
	StreamARN pulumi.StringInput
	// Function takes the records. It must answer with the failures in each
	// batch ({"batchItemFailures":[…]}): Lambda then begins again at the first
	// of them.
	Function *GoFunction
	// Filters are patterns for records, at most 5; the function is given the
	// records that match any of them, and every record if there is none. See
	// "Lambda event filtering" in the AWS Lambda Developer Guide.
	Filters []string
	// BatchSize is the most records given to one invocation: 1 to 10000. 0 means
	// 100.
	BatchSize int
	// RetryAttempts is how often a failed batch is tried again before its
	// records go to the dead-letter queue: 1 to 10000. 0 means 10; NoRetries
	// means none. A shard waits for the batch at its head, which is why the
	// endless retries of AWS's default are not to be had.
	RetryAttempts int
	// RecordAge is the age at which a record is given up: 1 min to 24 h, in whole
	// seconds. 0 means 1 h.
	RecordAge time.Duration
	// Tags are put on the mapping and its queue.
	Tags map[string]string
}

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
// the function what it needs for it.
func NewStreamMapping(ctx *pulumi.Context, name string, args *StreamMappingArgs, opts ...pulumi.ResourceOption) (*StreamMapping, error) {
	if args == nil {
		args = &StreamMappingArgs{}
	}
	settled := args.withDefaults()
	if err := invalid("stream mapping", name, settled.validate()); err != nil {
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

// withDefaults returns the settings with every zero that has a default
// replaced by it.
func (a StreamMappingArgs) withDefaults() StreamMappingArgs {
	if a.BatchSize == 0 {
		a.BatchSize = DefaultBatchSize
	}
	if a.RetryAttempts == 0 {
		a.RetryAttempts = DefaultRetryAttempts
	}
	if a.RecordAge == 0 {
		a.RecordAge = DefaultRecordAge
	}
	return a
}

// validate reports every setting outside its range, given those of
// withDefaults.
func (a StreamMappingArgs) validate() error {
	mistakes := []error{validateTags(a.Tags)}
	if a.StreamARN == nil {
		mistakes = append(mistakes, badArgument("StreamARN", measure("nil"), "the ARN of a table's stream"))
	}
	if a.Function == nil {
		mistakes = append(mistakes, badArgument("Function", measure("nil"), "a GoFunction"))
	}
	if len(a.Filters) > maxFilters {
		mistakes = append(mistakes, badArgument("Filters", len(a.Filters), "at most 5 patterns"))
	}
	for i, f := range a.Filters {
		if json.Unmarshal([]byte(f), &map[string]any{}) != nil {
			mistakes = append(mistakes, badArgument(fmt.Sprintf("Filters[%d]", i), f, "a pattern written as a JSON object"))
		}
	}
	if a.BatchSize < 1 || a.BatchSize > maxBatchSize {
		mistakes = append(mistakes, badArgument("BatchSize", a.BatchSize, "1 to 10000"))
	}
	if a.RetryAttempts != NoRetries && (a.RetryAttempts < 0 || a.RetryAttempts > maxRetryAttempts) {
		mistakes = append(mistakes, badArgument("RetryAttempts", a.RetryAttempts, "1 to 10000, or NoRetries (-1)"))
	}
	if a.RecordAge < minRecordAge || a.RecordAge > maxRecordAge || a.RecordAge%time.Second != 0 {
		mistakes = append(mistakes, badArgument("RecordAge", a.RecordAge, "1m0s to 24h0m0s, in whole seconds"))
	}
	return errors.Join(mistakes...)
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
	}, parent, pulumi.DependsOn([]pulumi.Resource{policy}))
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
