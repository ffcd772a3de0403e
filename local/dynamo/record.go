package dynamo

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
)

// records makes an engine's answer to GetRecords read like AWS's: its Region,
// its iterator, whose deletes were TTL's, and no word of writes that changed
// nothing, nor of those before the stream was switched on.
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
	begin := streamBegin(c.stream)
	records = slices.DeleteFunc(records, func(record fields) bool { return unchanged(record) || isBefore(record, begin) })
	for _, record := range records {
		if record == nil || record.set("awsRegion", region) != nil {
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

// unchanged reports whether a record tells of a write that changed nothing. A
// stream without both images cannot tell.
func unchanged(record fields) bool {
	if record.text("eventName") != "MODIFY" {
		return false
	}
	change := record.object("dynamodb")
	before, after := change["OldImage"], change["NewImage"]
	if len(before) != len(after) || len(before) == 0 { // an engine writes one item in one length
		return false
	}
	return bytes.Equal(before, after) || reflect.DeepEqual(sorted(before), sorted(after))
}

// streamLabel finds when a stream was switched on, in seconds since 1970, where
// its label says it so: Dynoxide's do, and its streams begin with the records of
// the one that the table had before.
var streamLabel = regexp.MustCompile(`/stream/([0-9]+)\.[0-9]+$`)

// streamBegin returns that second, or 0 where the label does not tell.
func streamBegin(arn string) float64 {
	found := streamLabel.FindStringSubmatch(arn)
	if found == nil {
		return 0
	}
	begin, _ := strconv.ParseFloat(found[1], 64)
	return begin
}

// isBefore reports whether a record is older than a second, as which it is stamped.
func isBefore(record fields, second float64) bool {
	var created float64
	return json.Unmarshal(record.object("dynamodb")["ApproximateCreationDateTime"], &created) == nil && created < second
}

// sorted reads an item, with its sets in order.
func sorted(image json.RawMessage) any {
	var value any
	if json.Unmarshal(image, &value) != nil {
		return nil
	}
	sortSets(value)
	return value
}

func sortSets(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			set, isList := field.([]any)
			if isList && (name == "SS" || name == "NS" || name == "BS") {
				slices.SortFunc(set, func(x, y any) int {
					a, _ := x.(string)
					b, _ := y.(string)
					return bytes.Compare([]byte(a), []byte(b))
				})
				continue
			}
			sortSets(field)
		}
	case []any:
		for _, element := range value {
			sortSets(element)
		}
	}
}

// openShards takes the end away that an engine shows of shards which are open: a
// stream that is on goes on in every shard that has no children. Where the
// answer is a page of several, the children may be on another.
func openShards(body []byte) []byte {
	answer := parse(body)
	stream := answer.object("StreamDescription")
	var shards []fields
	if stream.text("StreamStatus") != "ENABLED" || stream.text("LastEvaluatedShardId") != "" ||
		json.Unmarshal(stream["Shards"], &shards) != nil {
		return body
	}
	parents := map[string]bool{}
	for _, shard := range shards {
		parents[shard.text("ParentShardId")] = true
	}
	for _, shard := range shards {
		numbers := shard.object("SequenceNumberRange")
		if numbers == nil || parents[shard.text("ShardId")] {
			continue
		}
		delete(numbers, "EndingSequenceNumber")
		if shard.set("SequenceNumberRange", numbers) != nil {
			return body
		}
	}
	if stream.set("Shards", shards) != nil || answer.set("StreamDescription", stream) != nil {
		return body
	}
	rewritten, err := encode(answer)
	if err != nil {
		return body
	}
	return rewritten
}
