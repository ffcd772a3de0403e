package eventsource

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Starting positions.
const (
	TrimHorizon = "TRIM_HORIZON" // the oldest record that the stream still has
	Latest      = "LATEST"       // what is written after the mapping was created
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
	// BatchSize is the most records in a batch; 0 means 100. 1 to 10,000.
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
	// MaximumRecordAge is the age from which a record is not tried any more; 0
	// or less means that none is too old. 60 s to 7 days.
	MaximumRecordAge time.Duration
	// BisectBatchOnFunctionError splits a batch in two when the function fails,
	// and tries each half. Splitting uses up no retries.
	BisectBatchOnFunctionError bool
	// ReportBatchItemFailures takes from the function's answer which records
	// failed; without it the answer is ignored.
	ReportBatchItemFailures bool
	// ParallelizationFactor can only be 1; 0 means 1.
	ParallelizationFactor int
	// Filters are event patterns: a record passes if any matches, or if there
	// are none. At most 5.
	Filters []string
	// OnFailureARN is the queue for what is given up; empty drops it.
	OnFailureARN string
	// Enabled lets the mapping poll. One that does not keeps its checkpoint.
	Enabled bool
}

// withDefaults returns the mapping with its own copy of what it holds, and the
// defaults filled in.
func (m Mapping) withDefaults() Mapping {
	if m.BatchSize == 0 {
		m.BatchSize = 100
	}
	if m.ParallelizationFactor == 0 {
		m.ParallelizationFactor = 1
	}
	m.Filters = slices.Clone(m.Filters)
	return m
}

// uuidForm is also what makes a UUID safe as a file's name.
var uuidForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)

// check says what AWS, or the local cloud, does not take.
func (m Mapping) check() error {
	switch {
	case !uuidForm.MatchString(m.UUID):
		return fmt.Errorf("UUID %q: it must be letters, digits and hyphens", m.UUID)
	case m.FunctionName == "":
		return errors.New("it names no function")
	case m.StreamARN == "":
		return errors.New("it names no stream")
	case m.BatchSize < 1 || m.BatchSize > 10_000:
		return fmt.Errorf("batch size %d: it must be 1 to 10,000", m.BatchSize)
	case m.Window < 0 || m.Window > 300*time.Second:
		return fmt.Errorf("batching window %v: it must be 0 to 300 s", m.Window)
	case m.StartingPosition != TrimHorizon && m.StartingPosition != Latest:
		return fmt.Errorf("starting position %q: for a DynamoDB stream it must be %s or %s", m.StartingPosition, TrimHorizon, Latest)
	case m.MaximumRetryAttempts < -1 || m.MaximumRetryAttempts > 10_000:
		return fmt.Errorf("maximum retry attempts %d: it must be -1 to 10,000", m.MaximumRetryAttempts)
	case m.MaximumRecordAge > 0 && (m.MaximumRecordAge < time.Minute || m.MaximumRecordAge > 7*24*time.Hour):
		return fmt.Errorf("maximum record age %v: it must be 60 s to 604,800 s, or -1", m.MaximumRecordAge)
	case m.ParallelizationFactor != 1:
		return fmt.Errorf("parallelization factor %d: the local cloud has only 1", m.ParallelizationFactor)
	case len(m.Filters) > maxFilters:
		return fmt.Errorf("%d filters: there may be %d", len(m.Filters), maxFilters)
	}
	return nil
}
