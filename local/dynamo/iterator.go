package dynamo

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Iterators carry the ARN of their stream, as AWS's do, so that a GetRecords can
// be authorized, also after a restart.
const iteratorVersion = "|1|"

// wrapIterator makes an engine's iterator one of a stream, given by its ARN.
func wrapIterator(stream, iterator string) string { return stream + iteratorVersion + iterator }

// unwrapIterator takes it apart. The stream of what is no such iterator is empty.
func unwrapIterator(wrapped string) (stream, iterator string) {
	stream, iterator, ok := strings.Cut(wrapped, iteratorVersion)
	if !ok {
		return "", wrapped
	}
	return stream, iterator
}

// wrapField wraps the iterator in a field of an answer, if it has one.
func wrapField(body []byte, name, stream string) []byte {
	answer := parse(body)
	if !answer.wrap(name, stream) {
		return body
	}
	wrapped, err := encode(answer)
	if err != nil {
		return body
	}
	return wrapped
}

// wrap wraps the iterator in a field, and reports whether there is one.
func (f fields) wrap(name, stream string) bool {
	iterator := f.text(name)
	return iterator != "" && f.set(name, wrapIterator(stream, iterator)) == nil
}

// maxRecords is the most records that GetRecords gives at once.
const maxRecords = 1000

// checkLimit refuses a GetRecords that asks for more, which engines let pass.
func checkLimit(c *call) error {
	if c.operation != "GetRecords" {
		return nil
	}
	var limit int
	if json.Unmarshal(c.request["Limit"], &limit) != nil || limit <= maxRecords {
		return nil
	}
	return refuse(ofValidate+"ValidationException", fmt.Sprintf(
		"1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", limit, maxRecords))
}
