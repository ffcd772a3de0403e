package eventsource

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// letterOf is the letter of a batch that fails, of records first and next after
// others, and before more.
func letterOf(t *testing.T, w *world, m Mapping) []byte {
	t.Helper()
	w.streams.write("shard-1", 2)
	w.function.set(failsOn("103"))
	w.streams.write("shard-1", 1)
	w.streams.write("shard-1", 1, func(r *types.Record) { r.EventName = types.OperationTypeRemove })
	w.streams.write("shard-1", 2)
	w.mustPut(t, m)
	settle(time.Minute)
	letter, err := json.Marshal(w.queue.body(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	return letter
}

func parseLetter(t *testing.T, letter []byte) (d DeadLetter) {
	t.Helper()
	if err := json.Unmarshal(letter, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func reread(t *testing.T, streams Streams, m Mapping, letter []byte) string {
	t.Helper()
	records, err := Reread(t.Context(), streams, m, parseLetter(t, letter))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, data := range records {
		dynamodb := parseEvent(t, string(data))["dynamodb"].(map[string]any)
		all = append(all, dynamodb["SequenceNumber"].(string))
	}
	return strings.Join(all, " ")
}

func TestRereadFindsTheRecordsOfALetter(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := mapping(func(m *Mapping) {
			m.BatchSize, m.MaximumRetryAttempts, m.Filters = 2, 0, []string{`{"eventName":["INSERT"]}`}
		})
		letter := letterOf(t, w, m)
		w.streams.change(func() { w.streams.pageSize = 1 })
		wantSame(t, "records: not those around, nor what was filtered out", "103 105", reread(t, w.streams, m, letter))
		wantSame(t, "over pages without a record", "103 105", reread(t, &gaps{fakeStreams: w.streams}, m, letter))
		w.streams.change(func() { w.streams.shard("shard-1").trimmed = 3 })
		wantSame(t, "after the stream has dropped some", "105", reread(t, w.streams, m, letter))
		w.streams.change(func() { w.streams.shard("shard-1").trimmed = 5 })
		wantSame(t, "after the stream has dropped all", "", reread(t, w.streams, m, letter))
	})
}

// gaps are streams that give a page without a record before each one with some.
type gaps struct {
	*fakeStreams
	full bool
}

func (g *gaps) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	if g.full = !g.full; g.full {
		return &dynamodbstreams.GetRecordsOutput{NextShardIterator: in.ShardIterator}, nil
	}
	return g.fakeStreams.GetRecords(ctx, in, opts...)
}

func TestRereadEndsWhereTheRecordsAreGone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		letter := []byte(`{"DDBStreamBatchInfo":{"shardId":"shard-1","startSequenceNumber":"101","endSequenceNumber":"999"}}`)
		w.streams.write("shard-1", 2)
		wantSame(t, "records", "101 102", reread(t, w.streams, mapping(), letter))
	})
}

func TestRereadNamesWhatItCannotRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		letter := []byte(`{"DDBStreamBatchInfo":{"shardId":"other","startSequenceNumber":"101","endSequenceNumber":"102"}}`)
		_, err := Reread(t.Context(), w.streams, mapping(), parseLetter(t, letter))
		if err == nil || !strings.Contains(err.Error(), "records 101 to 102 of shard other") {
			t.Error(err)
		}
	})
}

func TestSequenceNumbersCompareAsNumbers(t *testing.T) {
	t.Parallel()
	ordered := []string{"0", "9", "10", "0099", "100", "49590338271490256608559692538361571095921575989136588898", "59590338271490256608559692538361571095921575989136588898"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := compareSequences(a, b), cmp.Compare(i, j); got != want {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
}
