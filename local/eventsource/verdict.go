package eventsource

import (
	"bytes"
	"encoding/json"
)

// A verdict is what one invocation says about a batch.
type verdict struct {
	// err says that the function did not run; nothing else is set then.
	err error
	// done is how many records, from the front, are done.
	done int
	// failed says that those after them are not.
	failed bool
	// partial says that the function named the failure itself, so that the batch
	// is cut there and nowhere else.
	partial bool
	// functionError is set if the function returned an error.
	functionError string
	// reason is for the log, and answer for the status, of a function that failed.
	reason string
	answer []byte
}

// judge reads the answer of a function that reports batch item failures. Records
// from the lowest sequence number named have failed, also those after it that
// succeeded. An answer that says nothing is success; one that cannot be understood,
// or names a record that is not in the batch, is failure of the whole.
func judge(answer []byte, items []*item) verdict {
	whole := func(reason string) verdict { return verdict{failed: true, reason: reason} }
	success := verdict{done: len(items)}

	answer = bytes.TrimSpace(answer)
	switch string(answer) {
	case "", "null", `""`, "[]":
		return success
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(answer, &fields); err != nil {
		return whole("the answer is not an object")
	}
	var failures []map[string]json.RawMessage
	if list, ok := fields["batchItemFailures"]; !ok {
		return success
	} else if err := json.Unmarshal(list, &failures); err != nil {
		return whole("batchItemFailures is not a list of objects")
	}
	index := make(map[string]int, len(items))
	for i, it := range items {
		index[it.sequence] = i
	}
	lowest := len(items)
	for _, failure := range failures {
		var id *string
		if err := json.Unmarshal(failure["itemIdentifier"], &id); err != nil || id == nil || *id == "" {
			return whole("an itemIdentifier is missing or no text")
		}
		i, ok := index[*id]
		if !ok {
			return whole("an itemIdentifier is not in the batch")
		}
		lowest = min(lowest, i)
	}
	if len(failures) == 0 {
		return success
	}
	return verdict{done: lowest, failed: true, partial: true, reason: "the function reported failed records"}
}
