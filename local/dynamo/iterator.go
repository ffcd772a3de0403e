package dynamo

import (
	"encoding/json"
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

// records makes an engine's answer to GetRecords read like AWS's: its Region,
// its iterator, and whose deletes were TTL's.
func (f *Front) records(c *call, body []byte) []byte {
	answer := parse(body)
	var records []fields
	if json.Unmarshal(answer["Records"], &records) != nil {
		return body // an error
	}
	answer.wrap("NextShardIterator", c.stream)
	region, table := f.Region(), ""
	if found := tableARN.FindStringSubmatch(c.stream); found != nil {
		table = found[2]
	}
	for _, record := range records {
		if record.set("awsRegion", region) != nil {
			return body
		}
		f.expired.identify(table, record)
	}
	if answer.set("Records", records) != nil {
		return body
	}
	rewritten, err := encode(answer)
	if err != nil {
		return body
	}
	return rewritten
}
