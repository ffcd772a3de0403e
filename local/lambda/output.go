package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Errors of the service itself. What goes wrong in a function is an Output.
var (
	// ErrNotFound reports that there is no such function
	// (ResourceNotFoundException).
	ErrNotFound = errors.New("no such function")
	// ErrThrottled reports that the function's reserved concurrency, or that of
	// the service, is used up (TooManyRequestsException).
	ErrThrottled = errors.New("rate exceeded")
	// ErrInvalidPayload reports an event that is not JSON
	// (InvalidRequestContentException).
	ErrInvalidPayload = errors.New("the payload is not JSON")
	// ErrPayloadTooLarge reports an event above MaxPayload
	// (RequestTooLargeException).
	ErrPayloadTooLarge = errors.New("the payload is too large")
	// ErrClosed reports that the service has been closed.
	ErrClosed = errors.New("the function service is shutting down")
)

// unhandled is the only value that X-Amz-Function-Error has now.
const unhandled = "Unhandled"

// An Output is what an invocation came to.
type Output struct {
	// Payload is what the function returned. If FunctionError is set it is an
	// object with errorMessage, errorType and possibly more.
	Payload []byte
	// FunctionError is empty, or "Unhandled" if the function returned an error,
	// panicked, crashed or took too long: the header X-Amz-Function-Error.
	FunctionError string
	// Report is what the REPORT line of the invocation says.
	Report Report
}

// A Report is what an invocation took.
type Report struct {
	// RequestID is the invocation's.
	RequestID string
	// Duration is how long it took, at most the function's timeout. It includes
	// the start of a process where that was not Lambda's to do before, as after
	// a crash.
	Duration time.Duration
	// InitDuration is what a new environment took to come up before the
	// invocation; 0 if it was there, or did not come up in time.
	InitDuration time.Duration
	// BilledDuration is both, rounded up to a millisecond.
	BilledDuration time.Duration
	// MemoryMB is what the function has, and MaxMemoryUsedMB the most that its
	// process has had in use until now, in units of 2^20 bytes; 0 where the
	// system does not tell.
	MemoryMB, MaxMemoryUsedMB int
}

func newReport(id string, memoryMB int, duration, init time.Duration, peak int64) Report {
	billed := duration + init
	if rest := billed % time.Millisecond; rest > 0 {
		billed += time.Millisecond - rest
	}
	return Report{
		RequestID:       id,
		Duration:        duration,
		InitDuration:    init,
		BilledDuration:  billed,
		MemoryMB:        memoryMB,
		MaxMemoryUsedMB: int((peak + 1<<20 - 1) >> 20),
	}
}

// A failure is an Output that the service makes, since the function could not.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (f *failure) output() *Output {
	payload, err := json.Marshal(f)
	if err != nil {
		panic(err) // two strings can be encoded
	}
	return &Output{Payload: payload, FunctionError: unhandled}
}

func timedOut(id string, timeout time.Duration) *failure {
	return &failure{"Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, timeout.Seconds())}
}

// exited describes the end of a process; err is what waiting for it returned.
func exited(id string, err error) *failure {
	reason := "Runtime exited without providing a reason"
	if err != nil {
		reason = "Runtime exited with error: " + err.Error()
	}
	return &failure{"Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", id, reason)}
}

// outOfMemory describes the end of a process that had too much memory in use. The
// kernel kills it on AWS, and AWS knows why.
func outOfMemory(id string) *failure {
	return &failure{"Runtime.OutOfMemory", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: signal: killed", id)}
}

func notStarted(id string, err error) *failure {
	return &failure{"Runtime.InvalidEntrypoint", fmt.Sprintf("RequestId: %s Error: %v", id, err)}
}

func responseTooLarge() *failure {
	return &failure{"Function.ResponseSizeTooLarge", tooLargeMessage}
}

// AWS's words.
var tooLargeMessage = fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
