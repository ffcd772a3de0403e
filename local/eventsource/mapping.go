package eventsource

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Starting positions.
const (
	TrimHorizon = "TRIM_HORIZON" // the oldest record that the stream still has
	Latest      = "LATEST"       // what is written after the mapping was created
	atTimestamp = "AT_TIMESTAMP" // not for DynamoDB
)

// maxFilters is AWS's quota of filter patterns in a mapping.
const maxFilters = 5

// Mapping is an event source mapping for a DynamoDB stream. Field for field it is
// what CreateEventSourceMapping takes:
// docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html.
type Mapping struct {
	// UUID of the mapping; its checkpoint is kept under it.
	UUID string
	// FunctionName is what the Invoker is given.
	FunctionName string
	// FunctionARN is what dead letters name.
	FunctionARN string
	// StreamARN is what records and dead letters name. Options.ResolveStream
	// says what the Streams call it.
	StreamARN string
	// Region is what records name.
	Region string
	// BatchSize is the most records in a batch, 1 to 10,000. AWS's default is 100.
	BatchSize int
	// Window is how long to gather records before a batch that is not full is
	// delivered; 0 means not at all. At most 300 s.
	Window time.Duration
	// StartingPosition is TrimHorizon or Latest. It counts when the mapping has
	// no checkpoint yet.
	StartingPosition string
	// MaximumRetryAttempts is how often a failed batch is tried again; 0 means
	// never and -1 until it succeeds. At most 10,000.
	MaximumRetryAttempts int
	// MaximumRecordAge is the age above which a record is not tried any more, 60 s
	// to 7 days; -1 s means that only its stream, after 24 hours, gives it up.
	MaximumRecordAge time.Duration
	// BisectBatchOnFunctionError splits a batch in two when the function fails,
	// and tries each half. Splitting uses up no retries.
	BisectBatchOnFunctionError bool
	// ReportBatchItemFailures takes from the function's answer which records
	// failed; without it the answer is ignored.
	ReportBatchItemFailures bool
	// ParallelizationFactor is how many batches of a shard are under way at once, 1
	// to 10, those of a partition key one after the other. AWS's default is 1.
	ParallelizationFactor int
	// Filters are event patterns: a record passes if any matches, or if there
	// are none. At most 5.
	Filters []string
	// OnFailureARN is the queue for what is given up; empty drops it.
	OnFailureARN string
	// Enabled lets the mapping poll. One that does not keeps its checkpoint.
	Enabled bool
}

// uuidForm is also what makes a UUID safe as a file's name.
var uuidForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)

// check says what AWS does not take, in its words as far as they are known.
func (m Mapping) check() error {
	switch {
	case !uuidForm.MatchString(m.UUID):
		return fmt.Errorf("UUID %q: it must be letters, digits and hyphens", m.UUID)
	case m.FunctionName == "":
		return errors.New("it names no function")
	case m.StreamARN == "":
		return errors.New("it names no stream")
	case strings.HasSuffix(m.OnFailureARN, ".fifo"):
		return fmt.Errorf("on-failure destination %s: it cannot be a FIFO queue", m.OnFailureARN)
	case len(m.Filters) > maxFilters:
		return fmt.Errorf("%d filters: there may be %d", len(m.Filters), maxFilters)
	}
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	for _, parameter := range []struct {
		name               string
		value, least, most int64
	}{
		{"batchSize", int64(m.BatchSize), 1, 10_000},
		{"maximumBatchingWindowInSeconds", seconds(m.Window), 0, 300},
		{"parallelizationFactor", int64(m.ParallelizationFactor), 1, 10},
		{"maximumRecordAgeInSeconds", seconds(m.MaximumRecordAge), -1, 604_800},
		{"maximumRetryAttempts", int64(m.MaximumRetryAttempts), -1, 10_000},
	} {
		switch {
		case parameter.value < parameter.least:
			return constraint(parameter.value, parameter.name, "Member must have value greater than or equal to %d", parameter.least)
		case parameter.value > parameter.most:
			return constraint(parameter.value, parameter.name, "Member must have value less than or equal to %d", parameter.most)
		}
	}
	switch m.StartingPosition {
	case TrimHorizon, Latest:
	case atTimestamp:
		return fmt.Errorf("InvalidParameterValueException: Unsupported starting position for arn type: %s", m.StreamARN)
	default:
		return constraint(m.StartingPosition, "startingPosition", "Member must satisfy enum value set: [%s, %s, %s]", Latest, TrimHorizon, atTimestamp)
	}
	if age := seconds(m.MaximumRecordAge); age > -1 && age < 60 {
		return fmt.Errorf("InvalidParameterValueException: maximumRecordAgeInSeconds %d: it must be -1, or 60 to 604800", age)
	}
	return nil
}

// constraint is a ValidationException.
func constraint(value any, name, format string, args ...any) error {
	return fmt.Errorf("ValidationException: 1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s",
		value, name, fmt.Sprintf(format, args...))
}
