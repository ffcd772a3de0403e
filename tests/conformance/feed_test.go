package conformance

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A feed is what one case does with a table whose stream a probe reads. One case
// has it at a time, with a partition of its own.
type feed struct {
	c    *check
	s    *subject
	name string
	pk   string
}

var feedLocks sync.Map // a *sync.Mutex for each

// feed waits until no other case uses a feed.
func (s *subject) feed(c *check, name string) *feed {
	c.Helper()
	lock, _ := feedLocks.LoadOrStore(name, &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	c.Cleanup(lock.(*sync.Mutex).Unlock)
	return &feed{c: c, s: s, name: name, pk: rand.Text()}
}

type item = map[string]types.AttributeValue

// put writes an item with a sort key and attributes in pairs: strings are S,
// numbers N.
func (f *feed) put(sk string, pairs ...any) {
	f.c.Helper()
	f.putIn(f.pk, sk, pairs...)
}

func (f *feed) putIn(pk, sk string, pairs ...any) {
	f.c.Helper()
	i := item{"pk": text(pk), "sk": text(sk)}
	for n := 0; n < len(pairs); n += 2 {
		switch value := pairs[n+1].(type) {
		case string:
			i[pairs[n].(string)] = text(value)
		case int:
			i[pairs[n].(string)] = number(fmt.Sprint(value))
		case types.AttributeValue:
			i[pairs[n].(string)] = value
		}
	}
	if _, err := f.s.table.PutItem(f.c.Context(), &dynamodb.PutItemInput{TableName: f.table(), Item: i}); err != nil {
		f.c.Fatalf("put %s: %v", sk, err)
	}
}

func (f *feed) delete(sk string) {
	f.c.Helper()
	if _, err := f.s.table.DeleteItem(f.c.Context(), &dynamodb.DeleteItemInput{
		TableName: f.table(), Key: item{"pk": text(f.pk), "sk": text(sk)},
	}); err != nil {
		f.c.Fatalf("delete %s: %v", sk, err)
	}
}

func (f *feed) table() *string { return aws.String(f.s.output(f.c, f.name+"Feed")) }

// A streamRecord is a record as the function got it.
type streamRecord struct {
	EventID, EventName, EventVersion, EventSource, AWSRegion, EventSourceARN string
	UserIdentity                                                             map[string]string
	Dynamodb                                                                 struct {
		ApproximateCreationDateTime json.Number
		Keys, NewImage, OldImage    map[string]map[string]any
		SequenceNumber              string
		SizeBytes                   int
		StreamViewType              string
	}
	fields map[string]any
}

func (r streamRecord) sk() string {
	sk, _ := r.Dynamodb.Keys["sk"]["S"].(string)
	return sk
}

// batches are those with records of the feed's partition, and of them these.
func (f *feed) batches() (batches [][]streamRecord) {
	f.c.Helper()
	for _, n := range f.s.notes(f.c, "batch-"+f.name) {
		if !strings.Contains(n.raw, f.pk) {
			continue
		}
		var typed struct{ Records []streamRecord }
		var untyped struct{ Records []map[string]any }
		if err := json.Unmarshal([]byte(n.raw), &typed); err != nil {
			f.c.Fatalf("batch %s: %v", n.raw, err)
		}
		if err := json.Unmarshal([]byte(n.raw), &untyped); err != nil {
			f.c.Fatal(err)
		}
		var batch []streamRecord
		for i, r := range typed.Records {
			if pk, _ := r.Dynamodb.Keys["pk"]["S"].(string); strings.HasPrefix(pk, f.pk) {
				r.fields = untyped.Records[i]
				batch = append(batch, r)
			}
		}
		batches = append(batches, batch)
	}
	return batches
}

// last is the sort key of what closes a case: it comes after all that was before
// it in the partition has been dealt with.
const last = "~last"

// deliveries closes the case and returns the sort keys of each batch, in the
// order of deliveries, without what closes.
func (f *feed) deliveries() []string {
	f.c.Helper()
	var all []string
	for _, batch := range f.finish() {
		var keys []string
		for _, r := range batch {
			if r.sk() != last {
				keys = append(keys, r.sk())
			}
		}
		if keys != nil {
			all = append(all, strings.Join(keys, " "))
		}
	}
	return all
}

// finish closes the case and returns what was delivered.
func (f *feed) finish(pairs ...any) (batches [][]streamRecord) {
	f.c.Helper()
	f.put(last, pairs...)
	eventually(f.c, "the delivery of what was written last", func() bool {
		batches = f.batches()
		return slices.ContainsFunc(batches, func(batch []streamRecord) bool {
			return slices.ContainsFunc(batch, func(r streamRecord) bool { return r.sk() == last })
		})
	})
	return batches
}

// delivered holds the deliveries of a case.
func (f *feed) delivered(want ...string) {
	f.c.Helper()
	if got := f.deliveries(); !slices.Equal(got, want) {
		f.c.Errorf("delivered %q, want %q", got, want)
	}
}

// sequence waits for a delivery of a record and returns its sequence number.
func (f *feed) sequence(sk string) (sequence string) {
	f.c.Helper()
	eventually(f.c, "a delivery of "+sk, func() bool {
		for _, batch := range f.batches() {
			for _, r := range batch {
				if r.sk() == sk {
					sequence = r.Dynamodb.SequenceNumber
					return true
				}
			}
		}
		return false
	})
	return sequence
}

// A letter is what an on-failure queue got.
type letter struct {
	fields         map[string]any
	RequestContext struct {
		RequestID, FunctionARN, Condition string
		ApproximateInvokeCount            int
	}
	ResponseContext map[string]any
	Version         string
	Timestamp       string
	Batch           struct {
		ShardID, StartSequenceNumber, EndSequenceNumber, StreamARN      string
		ApproximateArrivalOfFirstRecord, ApproximateArrivalOfLastRecord string
		BatchSize                                                       int
	} `json:"DDBStreamBatchInfo"`
}

// letter waits for the letter of the batch that begins with a record.
func (f *feed) letter(sequence string) letter {
	f.c.Helper()
	var found letter
	eventually(f.c, "a dead letter", func() bool {
		for _, body := range f.s.letters(f.c, f.name) {
			var l letter
			if err := json.Unmarshal([]byte(body), &l); err != nil {
				f.c.Fatalf("dead letter %s: %v", body, err)
			}
			if l.Batch.StartSequenceNumber == sequence {
				if err := json.Unmarshal([]byte(body), &l.fields); err != nil {
					f.c.Fatal(err)
				}
				found = l
				return true
			}
		}
		return false
	})
	return found
}

// letters are what a feed's queue got.
func (s *subject) letters(c *check, feed string) (bodies []string) {
	c.Helper()
	url := s.output(c, feed+"Queue")
	if s.cloud == nil {
		return s.receive(c, url)
	}
	var letters []struct {
		Queue string
		Body  json.RawMessage
	}
	if err := json.Unmarshal([]byte(s.cloud.run(c, "dlq", "--json")), &letters); err != nil {
		c.Fatal(err)
	}
	for _, l := range letters {
		if strings.HasSuffix(url, "/"+l.Queue) {
			bodies = append(bodies, string(l.Body))
		}
	}
	return bodies
}

// number of milliseconds since the epoch at which a note was made.
func (n note) time() time.Time {
	var nanos, pid int64
	fmt.Sscanf(n.at, "%d-%d", &nanos, &pid)
	return time.Unix(0, nanos)
}
