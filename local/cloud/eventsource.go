package cloud

import (
	"context"
	"fmt"
	"slices"
	"time"

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
			declare: func(c *Cloud, r *Resource) error {
				if r.ID == "" {
					r.ID = newUUID()
				}
				r.Outputs["uuid"] = r.ID
				r.Outputs["arn"] = c.arn("lambda", "event-source-mapping:"+r.ID)
				r.Outputs["functionArn"] = c.arn("lambda", "function:"+functionName(r.Inputs.text("functionName")))
				return nil
			},
			apply: func(_ context.Context, c *Cloud, r *Resource) error {
				if err := c.poller.Put(mapping(c, r)); err != nil {
					return fmt.Errorf("event source mapping: %w", err)
				}
				return nil
			},
			remove: func(_ context.Context, c *Cloud, r *Resource) error {
				return c.poller.Delete(r.ID)
			},
		},
	}
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
		ReportBatchItemFailures:    slices.Contains(in.texts("functionResponseTypes"), "ReportBatchItemFailures"),
		OnFailureARN:               in.sub("destinationConfig").sub("onFailure").text("destinationArn"),
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
