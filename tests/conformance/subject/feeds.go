package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/components"
)

// A feed is a table whose stream is mapped to a function that fails on demand.
// Each has a table of its own, since a batch that fails holds up its shard.
type feed struct {
	name     string
	settings lambda.EventSourceMappingArgs
	filters  []string
	view     string // of the stream; empty: NEW_AND_OLD_IMAGES
	queue    bool   // failures go to a queue
}

var partial = pulumi.StringArray{pulumi.String("ReportBatchItemFailures")}

func feeds() []feed {
	return []feed{
		{name: "plain"},
		{name: "keys", view: "KEYS_ONLY"},
		// Batches of three are whole as soon as three records are there.
		{name: "partial", queue: true, settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(3), MaximumBatchingWindowInSeconds: pulumi.Int(2),
			MaximumRetryAttempts: pulumi.Int(3), FunctionResponseTypes: partial,
		}},
		{name: "answers", settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(1), MaximumRetryAttempts: pulumi.Int(1), FunctionResponseTypes: partial,
		}},
		{name: "split", queue: true, settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(4), MaximumBatchingWindowInSeconds: pulumi.Int(2),
			MaximumRetryAttempts: pulumi.Int(1), BisectBatchOnFunctionError: pulumi.Bool(true),
		}},
		{name: "splitpartial", settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(4), MaximumBatchingWindowInSeconds: pulumi.Int(2),
			MaximumRetryAttempts: pulumi.Int(2), BisectBatchOnFunctionError: pulumi.Bool(true), FunctionResponseTypes: partial,
		}},
		{name: "whole", settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(2), MaximumBatchingWindowInSeconds: pulumi.Int(2),
			MaximumRetryAttempts: pulumi.Int(1),
		}},
		{name: "aged", queue: true, settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(1), MaximumRecordAgeInSeconds: pulumi.Int(60),
		}},
		{name: "parallel", settings: lambda.EventSourceMappingArgs{
			BatchSize: pulumi.Int(1), ParallelizationFactor: pulumi.Int(4),
		}},
		{name: "filtered", filters: []string{
			`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["message","notice"]}}}}`,
			`{"dynamodb":{"NewImage":{"untyped":["message"]}}}`,
			`{"dynamodb":{"NewImage":{"size":{"N":[{"numeric":[">",1]}]}}}}`,
			`{"dynamodb":{"NewImage":{"count":{"N":["5"]}}}}`,
			`{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`,
		}},
		{name: "leaves", filters: []string{
			`{"dynamodb":{"NewImage":{"flag":{"S":[{"exists":true}]},"name":{"S":[{"prefix":"a-"}]}}}}`,
			`{"dynamodb":{"NewImage":{"mood":{"S":[{"anything-but":["sad"]}]}}}}`,
			`{"dynamodb":{"NewImage":{"blank":{"S":[""]}}}}`,
			`{"dynamodb":{"NewImage":{"twice":{"S":["first"]},"twice":{"S":["second"]}}}}`,
			`{"dynamodb":{"NewImage":{"branch":[{"exists":false}],"only":{"S":["branch"]}}}}`,
		}},
	}
}

func (s *subject) declareFeeds() error {
	tables, queues := pulumi.StringMap{}, pulumi.StringMap{}
	for _, f := range feeds() {
		table, queue, err := s.declareFeed(f)
		if err != nil {
			return err
		}
		tables[f.name] = table.Name
		if queue != nil {
			queues[f.name] = queue.Url
		}
	}
	for name, table := range tables {
		s.ctx.Export(name+"Feed", table)
	}
	for name, url := range queues {
		s.ctx.Export(name+"Queue", url)
	}
	return nil
}

func (s *subject) declareFeed(f feed) (*dynamodb.Table, *sqs.Queue, error) {
	view := f.view
	if view == "" {
		view = "NEW_AND_OLD_IMAGES"
	}
	text := func(name string) *dynamodb.TableAttributeArgs {
		return &dynamodb.TableAttributeArgs{Name: pulumi.String(name), Type: pulumi.String("S")}
	}
	table, err := dynamodb.NewTable(s.ctx, "feed-"+f.name, &dynamodb.TableArgs{
		BillingMode: pulumi.String("PAY_PER_REQUEST"),
		HashKey:     pulumi.String("pk"), RangeKey: pulumi.String("sk"),
		Attributes:    dynamodb.TableAttributeArray{text("pk"), text("sk")},
		StreamEnabled: pulumi.Bool(true), StreamViewType: pulumi.String(view),
		Ttl: &dynamodb.TableTtlArgs{AttributeName: pulumi.String("ttl"), Enabled: pulumi.Bool(true)},
	})
	if err != nil {
		return nil, nil, err
	}
	statements := []components.PolicyStatement{
		{
			Actions:   []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
			Resources: []pulumi.StringInput{table.StreamArn},
		},
		{Actions: []string{"dynamodb:ListStreams"}, Resources: []pulumi.StringInput{pulumi.String("*")}},
		{Actions: []string{"dynamodb:UpdateItem"}, Resources: []pulumi.StringInput{s.record.ARN}}, // it counts
	}
	var queue *sqs.Queue
	if f.queue {
		if queue, err = sqs.NewQueue(s.ctx, "feed-"+f.name, nil); err != nil {
			return nil, nil, err
		}
		destination := &lambda.EventSourceMappingDestinationConfigOnFailureArgs{DestinationArn: queue.Arn}
		f.settings.DestinationConfig = &lambda.EventSourceMappingDestinationConfigArgs{OnFailure: destination}
	}
	if f.queue {
		statements = append(statements, components.PolicyStatement{
			Actions: []string{"sqs:SendMessage"}, Resources: []pulumi.StringInput{queue.Arn},
		})
	}
	reader, err := s.probe("reader-"+f.name, components.GoFunctionArgs{
		Environment: pulumi.StringMap{"PROBE": pulumi.String("reader"), "FEED": pulumi.String(f.name)},
		Statements:  statements,
	})
	if err != nil {
		return nil, nil, err
	}
	f.settings.EventSourceArn = table.StreamArn.ToStringPtrOutput()
	f.settings.FunctionName = reader.ARN
	f.settings.StartingPosition = pulumi.String("TRIM_HORIZON")
	if len(f.filters) > 0 {
		var filters lambda.EventSourceMappingFilterCriteriaFilterArray
		for _, pattern := range f.filters {
			filters = append(filters, &lambda.EventSourceMappingFilterCriteriaFilterArgs{Pattern: pulumi.String(pattern)})
		}
		f.settings.FilterCriteria = &lambda.EventSourceMappingFilterCriteriaArgs{Filters: filters}
	}
	_, err = lambda.NewEventSourceMapping(s.ctx, "feed-"+f.name, &f.settings)
	return table, queue, err
}
