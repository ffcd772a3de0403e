package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
