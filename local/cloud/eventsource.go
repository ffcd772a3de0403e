package cloud

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/internal/uuid"
	"example.com/chatstack/local/eventsource"
)

const typeMapping = "aws:lambda/eventSourceMapping:EventSourceMapping"

func mappingKinds() map[string]*kind {
	return map[string]*kind{
		typeMapping: {
			runs: []string{
				"eventSourceArn", "functionName", "startingPosition", "batchSize", "maximumBatchingWindowInSeconds",
				"maximumRetryAttempts", "maximumRecordAgeInSeconds", "bisectBatchOnFunctionError",
				"parallelizationFactor", "functionResponseTypes", "filterCriteria", "destinationConfig", "enabled",
			},
			replaces: []string{"eventSourceArn", "startingPosition"},
			check:    checkMapping,
			declare: func(c *Cloud, r *Resource) error {
				if r.ID == "" {
					r.ID = uuid.New()
				}
				r.Outputs["uuid"] = r.ID
				r.Outputs["arn"] = c.arn("lambda", "event-source-mapping:"+r.ID)
				r.Outputs["functionArn"] = c.arn("lambda", "function:"+functionName(r.Inputs.text("functionName")))
				return nil
			},
			apply: func(ctx context.Context, c *Cloud, r *Resource) error {
				if c.notes.get(typeMapping, r.ID) == nil {
					if err := c.checkMappingRole(ctx, r); err != nil {
						return err
					}
				}
				return c.poller.Put(mapping(c, r))
			},
			remove: func(_ context.Context, c *Cloud, r *Resource) error {
				return c.poller.Delete(r.ID)
			},
		},
	}
}

var streamARN = regexp.MustCompile(`^arn:aws:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/stream/[^/]+$`)

func checkMapping(in Properties) error {
	if source := in.text("eventSourceArn"); !streamARN.MatchString(source) {
		return fmt.Errorf("eventSourceArn is %q: the local cloud reads the streams of tables: give a table's streamArn", source)
	}
	for _, typ := range in.texts("functionResponseTypes") {
		if typ != reportBatchItemFailures {
			return fmt.Errorf("functionResponseTypes has %q: Lambda knows %s only", typ, reportBatchItemFailures)
		}
	}
	return nil
}

const reportBatchItemFailures = "ReportBatchItemFailures"

// checkMappingRole refuses a new mapping whose function may not read the stream or
// send to the on-failure destination. AWS asks once: a mapping that exists stays.
func (c *Cloud) checkMappingRole(ctx context.Context, r *Resource) error {
	if err := c.poller.CheckAccess(ctx, mapping(c, r)); err != nil {
		return err
	}
	function := functionName(r.Inputs.text("functionName"))
	// The poller lists no streams, AWS does. IAM knows no resource for it.
	if err := c.identities.authorize(function, "dynamodb:ListStreams", "*"); err != nil {
		return fmt.Errorf("event source mapping: %w", err)
	}
	queue := onFailure(r)
	if queue == "" {
		return nil
	}
	if len(c.notes.list(typeQueue, func(r *Resource) bool { return r.Outputs.text("arn") == queue })) == 0 {
		return fmt.Errorf("event source mapping: there is no queue %s: the local cloud sends what fails to standard SQS queues of the same program", queue)
	}
	if err := c.identities.authorize(function, sendMessage, queue); err != nil {
		return fmt.Errorf("event source mapping: the function's role cannot send to its on-failure destination: %w", err)
	}
	return nil
}

func onFailure(r *Resource) string {
	return r.Inputs.sub("destinationConfig").sub("onFailure").text("destinationArn")
}

// streamsFor lets a mapping read as the role of its function.
func (c *Cloud) streamsFor(m eventsource.Mapping) eventsource.Streams {
	own, _ := c.identities.of(m.FunctionName) // without one, the front refuses every call
	return dynamodbstreams.NewFromConfig(c.clientConfig(own.provider()))
}

// partitionKey is the attribute by which a stream's records keep their order.
func (c *Cloud) partitionKey(m eventsource.Mapping) string {
	for _, r := range c.notes.list(typeTable, nil) {
		if r.Outputs.text("streamArn") == m.StreamARN {
			return r.Inputs.text("hashKey")
		}
	}
	return ""
}

func mapping(c *Cloud, r *Resource) eventsource.Mapping {
	in := r.Inputs
	seconds := func(name string, otherwise int) time.Duration {
		return time.Duration(in.number(name, otherwise)) * time.Second
	}
	m := eventsource.Mapping{
		UUID:                       r.ID,
		FunctionName:               functionName(in.text("functionName")),
		FunctionARN:                r.Outputs.text("functionArn"),
		StreamARN:                  in.text("eventSourceArn"),
		Region:                     c.Region(),
		BatchSize:                  in.number("batchSize", 100),
		Window:                     seconds("maximumBatchingWindowInSeconds", 0),
		StartingPosition:           in.text("startingPosition"),
		MaximumRetryAttempts:       in.number("maximumRetryAttempts", -1),
		MaximumRecordAge:           seconds("maximumRecordAgeInSeconds", -1),
		BisectBatchOnFunctionError: in.flag("bisectBatchOnFunctionError"),
		ParallelizationFactor:      in.number("parallelizationFactor", 1),
		ReportBatchItemFailures:    slices.Contains(in.texts("functionResponseTypes"), reportBatchItemFailures),
		OnFailureARN:               onFailure(r),
		Enabled:                    true,
	}
	if enabled, given := in["enabled"].(bool); given {
		m.Enabled = enabled
	}
	for _, filter := range in.sub("filterCriteria").subs("filters") {
		m.Filters = append(m.Filters, filter.text("pattern"))
	}
	return m
}
