package components

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const streamARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"

// previewMapping declares a mapping to a function called feed.
func previewMapping(args StreamMappingArgs) (*cloud, error) {
	return preview(func(ctx *pulumi.Context) error {
		f, err := newFunction(ctx, "feed")
		if err != nil {
			return err
		}
		args.StreamARN, args.Function = pulumi.String(streamARN), f
		_, err = NewStreamMapping(ctx, "stream", &args)
		return err
	})
}

func TestStreamMappingWithDefaults(t *testing.T) {
	t.Parallel()
	c, err := previewMapping(StreamMappingArgs{})
	if err != nil {
		t.Fatal(err)
	}
	const queue = "arn:aws:sqs:eu-central-1:123456789012:stream-dead-letters-a1b2c3d"
	mapping := c.get(t, "EventSourceMapping", "stream")
	if diff := cmp.Diff(map[string]any{
		"eventSourceArn":             streamARN,
		"functionName":               "arn:aws:lambda:eu-central-1:123456789012:function:feed-a1b2c3d",
		"startingPosition":           "TRIM_HORIZON",
		"functionResponseTypes":      []any{"ReportBatchItemFailures"},
		"batchSize":                  100.0,
		"bisectBatchOnFunctionError": true,
		"maximumRetryAttempts":       10.0,
		"maximumRecordAgeInSeconds":  3600.0,
		"destinationConfig":          map[string]any{"onFailure": map[string]any{"destinationArn": queue}},
	}, mapping.Inputs); diff != "" {
		t.Errorf("mapping (-want +got):\n%s", diff)
	}
	if !containsSuffix(mapping.DependsOn, "::stream-policy") {
		t.Errorf("the mapping depends on %v, not on its policy", mapping.DependsOn)
	}
	if diff := cmp.Diff(map[string]any{
		"messageRetentionSeconds": 1209600.0,
		"sqsManagedSseEnabled":    true,
	}, c.get(t, "Queue", "stream-dead-letters").Inputs); diff != "" {
		t.Errorf("queue (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"role": "feed-role-a1b2c3d",
		"policy": `{"Version":"2012-10-17","Statement":[` +
			`{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator"],"Resource":["` + streamARN + `"]},` +
			`{"Effect":"Allow","Action":["dynamodb:ListStreams"],"Resource":["*"]},` +
			`{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":["` + queue + `"]}]}`,
	}, c.get(t, "RolePolicy", "stream-policy").Inputs); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

func TestStreamMappingWithEverySetting(t *testing.T) {
	t.Parallel()
	c, err := previewMapping(StreamMappingArgs{
		Filters:       []string{`{"eventName":["INSERT"]}`, `{"eventName":["REMOVE"]}`},
		BatchSize:     10_000,
		RetryAttempts: NoRetries,
		RecordAge:     24 * time.Hour,
		Tags:          map[string]string{"team": "chat"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := c.get(t, "EventSourceMapping", "stream").Inputs
	tags := map[string]any{"team": "chat"}
	for name, want := range map[string]any{
		"filterCriteria": map[string]any{"filters": []any{
			map[string]any{"pattern": `{"eventName":["INSERT"]}`}, map[string]any{"pattern": `{"eventName":["REMOVE"]}`},
		}},
		"batchSize":                 10000.0,
		"maximumRetryAttempts":      0.0,
		"maximumRecordAgeInSeconds": 86400.0,
		"tags":                      tags,
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(any(tags), c.get(t, "Queue", "stream-dead-letters").Inputs["tags"]); diff != "" {
		t.Errorf("queue's tags (-want +got):\n%s", diff)
	}
}

func TestStreamMappingMistakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args StreamMappingArgs
		want []string
	}{
		"batch too small":     {StreamMappingArgs{BatchSize: -1}, []string{`stream mapping "stream"`, "BatchSize is -1: allowed is 1 to 10000"}},
		"batch too large":     {StreamMappingArgs{BatchSize: 10_001}, []string{"BatchSize is 10001"}},
		"too many retries":    {StreamMappingArgs{RetryAttempts: 10_001}, []string{"RetryAttempts is 10001: allowed is 1 to 10000, or NoRetries (-1)"}},
		"negative retries":    {StreamMappingArgs{RetryAttempts: -2}, []string{"RetryAttempts is -2"}},
		"records too young":   {StreamMappingArgs{RecordAge: time.Second}, []string{"RecordAge is 1s: allowed is 1m0s to 24h0m0s"}},
		"records too old":     {StreamMappingArgs{RecordAge: 25 * time.Hour}, []string{"RecordAge is 25h0m0s"}},
		"age not whole":       {StreamMappingArgs{RecordAge: 90*time.Second + 1}, []string{"RecordAge", "whole seconds"}},
		"filter is no JSON":   {StreamMappingArgs{Filters: []string{`{}`, `eventName`}}, []string{`Filters[1] is "eventName": allowed is a pattern written as a JSON object`}},
		"filter is no object": {StreamMappingArgs{Filters: []string{`[]`}}, []string{"Filters[0]"}},
		"too many filters":    {StreamMappingArgs{Filters: []string{"{}", "{}", "{}", "{}", "{}", "{}"}}, []string{"Filters is 6: allowed is at most 5"}},
		"tags":                {StreamMappingArgs{Tags: map[string]string{"aws:x": ""}}, []string{"Tags key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := previewMapping(test.args)
			expectError(t, err, test.want...)
		})
	}
	_, err := preview(func(ctx *pulumi.Context) error {
		_, err := NewStreamMapping(ctx, "stream", nil)
		return err
	})
	expectError(t, err, "StreamARN is nil", "Function is nil")
}
