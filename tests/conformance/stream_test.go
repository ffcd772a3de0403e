package conformance

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// changes writes, changes and deletes an item and returns the records by what
// happened.
func changes(c *check, s *subject, feed string) map[string]streamRecord {
	c.Helper()
	f := s.feed(c, feed)
	f.put("item", "word", "one")
	f.put("item", "word", "two!")
	f.delete("item")
	records := map[string]streamRecord{}
	for _, batch := range f.finish() {
		for _, r := range batch {
			if r.sk() == "item" {
				records[r.EventName] = r
			}
		}
	}
	if diff := cmp.Diff([]string{"INSERT", "MODIFY", "REMOVE"}, slices.Sorted(maps.Keys(records))); diff != "" {
		c.Fatalf("events (-want +got):\n%s", diff)
	}
	return records
}

func keysOf(fields map[string]any, path ...string) []string {
	for _, name := range path {
		fields, _ = fields[name].(map[string]any)
	}
	return slices.Sorted(maps.Keys(fields))
}

// expired waits for the deletion of an item whose time is over.
func expired(c *check, f *feed) streamRecord {
	c.Helper()
	f.put("old", "ttl", int(time.Now().Add(-time.Hour).Unix()))
	var found streamRecord
	eventually(c, "the deletion of what has expired", func() bool {
		for _, batch := range f.batches() {
			for _, r := range batch {
				if r.sk() == "old" && r.EventName == "REMOVE" {
					found = r
					return true
				}
			}
		}
		return false
	})
	return found
}

const takesDays = "AWS deletes expired items within days"

// streamEventClaims are of what a function on a stream gets (E1).
func streamEventClaims() []claim {
	return []claim{
		{
			rows: "E1.record E1.arn", how: captured, check: []string{"stream-event"},
			says: "A record has AWS's keys: eventSourceARN, which GetRecords does not have, and no userIdentity",
			run: func(c *check, s *subject) {
				for name, r := range changes(c, s, "plain") {
					want := []string{"awsRegion", "dynamodb", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion"}
					if diff := cmp.Diff(want, keysOf(r.fields)); diff != "" {
						c.Errorf("%s: keys (-want +got):\n%s", name, diff)
					}
					if r.EventVersion != "1.1" || r.EventSource != "aws:dynamodb" || r.AWSRegion != s.cfg.Region {
						c.Errorf("%s: eventVersion %q, eventSource %q, awsRegion %q", name, r.EventVersion, r.EventSource, r.AWSRegion)
					}
					if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(r.EventID) {
						c.Errorf("%s: eventID is %q", name, r.EventID)
					}
					if !strings.HasPrefix(r.EventSourceARN, "arn:aws:dynamodb:"+s.cfg.Region+":") || !strings.Contains(r.EventSourceARN, "/stream/") {
						c.Errorf("%s: eventSourceARN is %q", name, r.EventSourceARN)
					}
				}
			},
		},
		{
			rows: "E1.images", how: captured,
			says: "NewImage is absent on REMOVE, OldImage on INSERT, and values keep their type",
			run: func(c *check, s *subject) {
				old, now := changes(c, s, "plain"), map[string][2]string{"INSERT": {"", "one"}, "MODIFY": {"one", "two!"}, "REMOVE": {"two!", ""}}
				for name, r := range old {
					before, _ := r.Dynamodb.OldImage["word"]["S"].(string)
					after, _ := r.Dynamodb.NewImage["word"]["S"].(string)
					if got := [2]string{before, after}; got != now[name] {
						c.Errorf("%s: word goes from %q to %q, want %q", name, before, after, now[name])
					}
					if (r.Dynamodb.NewImage == nil) != (name == "REMOVE") || (r.Dynamodb.OldImage == nil) != (name == "INSERT") {
						c.Errorf("%s: images are %v and %v", name, r.Dynamodb.OldImage, r.Dynamodb.NewImage)
					}
				}
			},
		},
		{
			rows: "E1.date", how: captured,
			says: "ApproximateCreationDateTime is in seconds, whole ones",
			run: func(c *check, s *subject) {
				r := changes(c, s, "plain")["INSERT"]
				at, err := r.Dynamodb.ApproximateCreationDateTime.Float64()
				if err != nil || at != float64(int64(at)) || time.Since(time.Unix(int64(at), 0)).Abs() > 5*time.Minute {
					c.Errorf("ApproximateCreationDateTime is %s: %v", r.Dynamodb.ApproximateCreationDateTime, err)
				}
			},
		},
		{
			rows: "E1.ttl F.ttl-record", how: source, check: []string{"stream-event"}, aws: takesDays,
			says: "What TTL deletes is a REMOVE with userIdentity of type Service and principalId dynamodb.amazonaws.com, its keys in lower case",
			run: func(c *check, s *subject) {
				r := expired(c, s.feed(c, "plain"))
				if diff := cmp.Diff(map[string]any{"type": "Service", "principalId": "dynamodb.amazonaws.com"}, r.fields["userIdentity"]); diff != "" {
					c.Errorf("userIdentity (-want +got):\n%s", diff)
				}
			},
		},
		{
			rows: "E1.binary", how: source,
			says: "Binary values are base64 texts",
			run: func(c *check, s *subject) {
				f := s.feed(c, "plain")
				f.put("item", "data", &types.AttributeValueMemberB{Value: []byte{0, 1, 254, 255}})
				for _, batch := range f.finish() {
					for _, r := range batch {
						if got := r.Dynamodb.NewImage["data"]["B"]; r.sk() == "item" && got != base64.StdEncoding.EncodeToString([]byte{0, 1, 254, 255}) {
							c.Errorf("data is %v", got)
						}
					}
				}
			},
		},
		{
			rows: "E1.view", how: source,
			says: "Images are there as the stream's view type says: with KEYS_ONLY there are none",
			run: func(c *check, s *subject) {
				for name, r := range changes(c, s, "keys") {
					if r.Dynamodb.StreamViewType != "KEYS_ONLY" || r.Dynamodb.NewImage != nil || r.Dynamodb.OldImage != nil {
						c.Errorf("%s: view type %s, images %v and %v", name, r.Dynamodb.StreamViewType, r.Dynamodb.OldImage, r.Dynamodb.NewImage)
					}
				}
			},
		},
		{
			rows: "E1.size", how: captured,
			says: "SizeBytes is the size of keys, new image and old image: names and values",
			run: func(c *check, s *subject) {
				for name, r := range changes(c, s, "plain") {
					want := 0
					for _, image := range []map[string]map[string]any{r.Dynamodb.Keys, r.Dynamodb.NewImage, r.Dynamodb.OldImage} {
						for attribute, value := range image {
							want += len(attribute) + len(value["S"].(string))
						}
					}
					if r.Dynamodb.SizeBytes != want {
						c.Errorf("%s: SizeBytes is %d, want %d", name, r.Dynamodb.SizeBytes, want)
					}
				}
			},
		},
		{
			rows: "E1.no-change", how: captured,
			says: "A write that changes nothing makes no record",
			run: func(c *check, s *subject) {
				f := s.feed(c, "plain")
				f.put("item", "word", "same")
				f.put("item", "word", "same")
				f.delete("absent")
				f.delivered("item")
			},
		},
	}
}

// parameterClaims are of a mapping's settings (E2).
func parameterClaims() []claim {
	return []claim{
		{
			rows: "E2.BatchSize E2.close", how: documented,
			says: "A batch has at most BatchSize records, in their order",
			run: func(c *check, s *subject) {
				f := s.feed(c, "partial")
				for i := range 7 {
					f.put(fmt.Sprint(i))
				}
				got := f.deliveries()
				if all := strings.Join(got, " "); all != "0 1 2 3 4 5 6" {
					c.Errorf("delivered %q", got)
				}
				for _, batch := range got {
					if n := len(strings.Fields(batch)); n > 3 {
						c.Errorf("a batch has %d records, want at most 3", n)
					}
				}
			},
		},
		{
			rows: "E2.MaximumBatchingWindowInSeconds E2.close", how: documented,
			says: "With a batching window, records that come within it are gathered into one batch, which comes when the window ends",
			run: func(c *check, s *subject) {
				f := s.feed(c, "partial")
				began := time.Now()
				f.put("a")
				f.put("b")
				f.sequence("b")
				if waited := time.Since(began); waited < 1500*time.Millisecond {
					c.Errorf("two records of three were delivered after %v, want the window of 2s", waited)
				}
				f.delivered("a b")
			},
		},
		{
			rows: "E2.ParallelizationFactor", how: documented,
			says: "With a parallelization factor, a partition key that takes long does not hold up the others",
			run: func(c *check, s *subject) {
				f := s.feed(c, "parallel")
				f.putIn(f.pk+"-slow", "slow", "ms", 3000)
				for i := range 12 {
					f.putIn(fmt.Sprint(f.pk, "-", i), fmt.Sprint("quick", i))
				}
				f.finish()
				var slow time.Time
				early := 0
				for _, n := range s.notes(c, "batch-parallel") {
					if strings.Contains(n.raw, f.pk+"-slow") {
						slow = n.time()
					}
				}
				for _, n := range s.notes(c, "batch-parallel") {
					if strings.Contains(n.raw, f.pk) && strings.Contains(n.raw, "quick") && n.time().Before(slow.Add(3*time.Second)) {
						early++
					}
				}
				if early == 0 {
					c.Errorf("none of 12 other keys was delivered while one took 3s")
				}
			},
		},
		{
			rows: "E2.MaximumRecordAgeInSeconds E3.age", how: documented, check: []string{"failures"}, when: alone,
			says: "A record older than the mapping's record age is given up, with the condition RecordAgeExpired",
			run: func(c *check, s *subject) {
				f := s.feed(c, "aged")
				f.put("a", "do", "error")
				sequence := f.sequence("a")
				s.pass(c, 62*time.Second)
				if l := f.letter(sequence); l.RequestContext.Condition != "RecordAgeExpired" {
					c.Errorf("condition is %q, want RecordAgeExpired", l.RequestContext.Condition)
				}
				f.finish()
			},
		},
		{
			rows: "E2.MaximumRetryAttempts", how: documented, check: []string{"failures"},
			says: "N retry attempts make 1 + N invocations of the same batch; then the shard goes on",
			run: func(c *check, s *subject) {
				f := s.feed(c, "whole")
				f.put("a", "do", "error")
				f.put("b")
				f.delivered("a b", "a b")
			},
		},
		{
			rows: "E2.BisectBatchOnFunctionError E3.bisect", how: documented, check: []string{"failures"},
			says: "With bisect, a batch that fails is halved until the bad record is alone; halving uses up no retry",
			run: func(c *check, s *subject) {
				f := s.feed(c, "split")
				for _, sk := range []string{"a", "b", "c", "d"} {
					f.put(sk, "do", map[bool]string{true: "error", false: "nothing"}[sk == "c"])
				}
				got := f.deliveries()
				if len(got) == 0 || got[0] != "a b c d" {
					c.Fatalf("delivered %q, want first the whole batch", got)
				}
				alone, without := 0, ""
				for _, batch := range got {
					if batch == "c" {
						alone++
					}
					if !strings.Contains(batch, "c") {
						without += batch + " "
					}
				}
				if alone != 2 {
					c.Errorf("the bad record was delivered alone %d times, want 1 and 1 retry: %q", alone, got)
				}
				if without != "a b d " {
					c.Errorf("delivered without the bad record: %q, want a b and d once each: %q", without, got)
				}
				l := f.letter(f.sequence("c"))
				if l.Batch.BatchSize != 1 || l.Batch.StartSequenceNumber != l.Batch.EndSequenceNumber {
					c.Errorf("the dead letter is of %+v, want the one record", l.Batch)
				}
			},
		},
		{
			rows: "E2.TumblingWindowInSeconds E6.tumbling", how: documented,
			says:    "Tumbling windows gather a state over batches",
			without: "not run here: the local cloud refuses them by name, and the components do not offer them",
		},
		{
			rows: "E2.StartingPosition E2.latest", how: documented,
			says:    "TRIM_HORIZON begins with the oldest record, LATEST may miss what is written meanwhile",
			without: "a matter of the moment in which a mapping is made: held beside the code (local/eventsource)",
		},
		{
			rows: "E2.FunctionResponseTypes E3.ignored", how: documented,
			says: "Without ReportBatchItemFailures what the function answers is ignored: the batch has succeeded",
			run: func(c *check, s *subject) {
				f := s.feed(c, "whole")
				f.put("a", "do", "fail")
				f.put("b")
				f.delivered("a b")
			},
		},
		{
			rows: "E2.sqs-text", how: captured,
			says:    "BatchSize above 10 needs no window on DynamoDB",
			without: "a matter of deployment: the mapping of the feed plain has 100 and none",
		},
		{
			rows: "E2.polls", how: documented,
			says:    "Lambda polls each shard four times a second",
			without: "no client sees a poll; the local cloud polls ten times a second",
		},
		{
			rows: "E2.state E2.six-mb", how: captured,
			says:    "States and refusals of a mapping that is made; a batch closes at 6 MB",
			without: "matters of deployment, and of 6 MB of writes a run: held beside the code (local/eventsource)",
		},
	}
}

// failureClaims are of what fails (E3).
func failureClaims() []claim {
	answers := func(times string, list ...string) func(c *check, s *subject) {
		return func(c *check, s *subject) {
			f := s.feed(c, "answers")
			var want []string
			for i, answer := range list {
				sk := fmt.Sprint(i)
				f.put(sk, "do", "answer", "answer", answer)
				for range len(times) {
					want = append(want, sk)
				}
			}
			f.delivered(want...)
		}
	}
	return []claim{
		{
			rows: "E3.blocked", how: documented, check: []string{"failures"},
			says: "A batch that fails holds up its shard: what comes after it is delivered only once it succeeds",
			run: func(c *check, s *subject) {
				f := s.feed(c, "aged")
				f.put("a", "do", "error", "times", 2)
				f.put("b")
				f.delivered("a", "a", "a", "b")
			},
		},
		{
			rows: "E3.throttles", how: documented,
			says:    "Throttles and errors of the service use up no retry",
			without: "a client cannot make the service fail: held beside the code (local/eventsource)",
		},
		{
			rows: "E3.lowest", how: documented, check: []string{"failures"},
			says: "The batch is retried from the lowest sequence number reported, inclusive, to its end",
			run: func(c *check, s *subject) {
				f := s.feed(c, "partial")
				f.put("a")
				f.put("b", "do", "fail", "times", 1)
				f.put("c", "do", "fail", "times", 1) // reported first
				f.delivered("a b c", "b c")
			},
		},
		{
			rows: "E3.success", how: documented, check: []string{"failures"},
			says: "An empty list, a null list, an empty object, null and an empty text are success",
			run:  answers("1", `{"batchItemFailures":[]}`, `{"batchItemFailures":null}`, `{}`, `null`, `""`),
		},
		{
			rows: "E3.failure", how: captured, check: []string{"failures"},
			says: "An empty or null identifier, a wrong key or an id that is not in the batch is failure of the whole batch",
			run: answers("12", `{"batchItemFailures":[{"itemIdentifier":""}]}`, `{"batchItemFailures":[{"itemIdentifier":null}]}`,
				`{"batchItemFailures":[{"itemId":"1"}]}`, `{"batchItemFailures":[{"itemIdentifier":"123456789"}]}`),
		},
		{
			rows: "E3.error", how: documented,
			says: "A handler that fails or panics is failure of the whole batch",
			run: func(c *check, s *subject) {
				f := s.feed(c, "answers")
				f.put("a", "do", "error", "times", 1)
				f.put("b", "do", "panic", "times", 1)
				f.delivered("a", "a", "b", "b")
			},
		},
		{
			rows: "E3.bisect-partial", how: documented, check: []string{"failures"},
			says: "With bisect, a partial failure splits at the reported record, and only what remains is retried",
			run: func(c *check, s *subject) {
				f := s.feed(c, "splitpartial")
				f.put("a")
				f.put("b")
				f.put("c", "do", "fail", "times", 1)
				f.put("d")
				got := f.deliveries()
				if len(got) < 2 || got[0] != "a b c d" || strings.Join(got[1:], " ") != "c d" {
					c.Errorf("delivered %q, want a b c d and then c and d", got)
				}
			},
		},
		{
			rows: "E3.counter E4.condition", how: captured, check: []string{"failures"},
			says: "The retry counter begins again when the checkpoint advances: of three records the last is delivered once with them and 1 + 3 times alone, and its letter says 4 invocations of 1 record and functionError null",
			run: func(c *check, s *subject) {
				f := s.feed(c, "partial")
				f.put("a")
				f.put("b")
				f.put("c", "do", "fail")
				f.delivered("a b c", "c", "c", "c", "c")
				l := f.letter(f.sequence("c"))
				if l.RequestContext.Condition != "RetryAttemptsExhausted" || l.RequestContext.ApproximateInvokeCount != 4 || l.Batch.BatchSize != 1 {
					c.Errorf("the letter says %+v of %+v", l.RequestContext, l.Batch)
				}
				if value, has := l.ResponseContext["functionError"]; !has || value != nil {
					c.Errorf("functionError is %v, want null", value)
				}
			},
		},
	}
}

// destinationClaims are of on-failure destinations (E4).
func destinationClaims() []claim {
	return []claim{
		{
			rows: "E4.kinds", how: documented,
			says:    "A destination is a standard queue, a topic or a bucket",
			without: "the components use a queue, and the local cloud refuses the others by name",
		},
		{
			rows: "E4.permission G.queue", how: documented,
			says:    "The function's role must allow sqs:SendMessage",
			without: "a mapping whose role does not is refused at deployment, here with the sentence that names what is missing",
		},
		{
			rows: "E4.body E4.contents", how: captured, check: []string{"failures"},
			says: "A dead letter has AWS's keys and times, and not the records themselves",
			run: func(c *check, s *subject) {
				f := s.feed(c, "split")
				f.put("a", "do", "error", "secret", "not to be seen")
				l := f.letter(f.sequence("a"))
				for path, want := range map[string][]string{
					"":                {"DDBStreamBatchInfo", "requestContext", "responseContext", "timestamp", "version"},
					"requestContext":  {"approximateInvokeCount", "condition", "functionArn", "requestId"},
					"responseContext": {"executedVersion", "functionError", "statusCode"},
					"DDBStreamBatchInfo": {
						"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord", "batchSize", "endSequenceNumber",
						"shardId", "startSequenceNumber", "streamArn",
					},
				} {
					got := keysOf(l.fields)
					if path != "" {
						got = keysOf(l.fields, path)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						c.Errorf("keys of %q (-want +got):\n%s", path, diff)
					}
				}
				if l.Version != "1.0" || l.ResponseContext["functionError"] != "Unhandled" || l.ResponseContext["executedVersion"] != "$LATEST" {
					c.Errorf("version %q, response context %v", l.Version, l.ResponseContext)
				}
				if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(l.Timestamp) {
					c.Errorf("timestamp is %q", l.Timestamp)
				}
				if at := l.Batch.ApproximateArrivalOfFirstRecord; !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(at) {
					c.Errorf("approximateArrivalOfFirstRecord is %q", at)
				}
				f.finish()
			},
		},
	}
}

// filterClaims are of filters (E5).
func filterClaims() []claim {
	// through puts items, each by its sort key with its attributes, and holds which
	// of them get through a feed's filters.
	through := func(feed string, want []string, items map[string][]any) func(c *check, s *subject) {
		return func(c *check, s *subject) {
			f := s.feed(c, feed)
			for _, sk := range slices.Sorted(maps.Keys(items)) {
				f.put(sk, items[sk]...)
			}
			open := []any{"kind", "message"} // what lets the last one through
			if feed == "leaves" {
				open = []any{"flag", "yes", "name", "a-last"}
			}
			var got []string
			for _, batch := range f.finish(open...) {
				for _, r := range batch {
					if r.sk() != last {
						got = append(got, r.sk())
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				c.Errorf("let through (-want +got):\n%s", diff)
			}
		}
	}
	return []claim{
		{
			rows: "E5.five", how: documented,
			says: "A mapping has up to five filters, of which one must match (a list of values too); in a filter every key must",
			run: through("filtered", []string{"a", "b"}, map[string][]any{
				"a": {"kind", "message"}, "b": {"kind", "notice"}, "c": {"kind", "other"}, "d": {"word", "message"},
			}),
		},
		{
			rows: "E5.event", how: captured,
			says: "A filter on eventName works",
			run: func(c *check, s *subject) {
				f := s.feed(c, "filtered")
				f.put("a", "kind", "message")
				f.put("a", "kind", "message", "more", "x") // MODIFY
				f.delete("a")
				var got []string
				for _, batch := range f.finish("kind", "message") {
					for _, r := range batch {
						got = append(got, r.EventName+" "+r.sk())
					}
				}
				if want := []string{"INSERT a", "INSERT " + last}; !slices.Equal(got, want) {
					c.Errorf("let through %q, want %q", got, want)
				}
			},
		},
		{
			rows: "E5.wrapper", how: captured,
			says: "A pattern without the attribute's type matches nothing",
			run:  through("filtered", nil, map[string][]any{"a": {"untyped", "message"}}),
		},
		{
			rows: "E5.numeric", how: documented,
			says: "numeric does not match attributes of type N, which are texts; an exact text does",
			run:  through("filtered", []string{"b"}, map[string][]any{"a": {"size", 5}, "b": {"count", 5}, "c": {"count", 6}}),
		},
		{
			rows: "E5.idioms E5.event", how: documented, aws: takesDays,
			says: "A filter on userIdentity lets what TTL deletes through, and no other deletion",
			run: func(c *check, s *subject) {
				f := s.feed(c, "filtered")
				f.put("own")
				f.delete("own")
				expired(c, f)
				for _, batch := range f.batches() {
					for _, r := range batch {
						if r.sk() == "own" {
							c.Errorf("a deletion that is not TTL's is let through: %v", r.fields)
						}
					}
				}
			},
		},
		{
			rows: "E5.syntax", how: documented,
			says: "prefix, exists and an empty text match as EventBridge has them, and case counts",
			run: through("leaves", []string{"a", "e"}, map[string][]any{
				"a": {"flag", "yes", "name", "a-b"}, "b": {"flag", "yes", "name", "A-b"}, "c": {"name", "a-b"}, "d": {"flag", "yes", "name", "b"},
				"e": {"blank", ""},
			}),
		},
		{
			rows: "E5.syntax", how: documented,
			says: "anything-but matches every other value, and not one that is absent",
			run:  through("leaves", []string{"a"}, map[string][]any{"a": {"mood", "glad"}, "b": {"mood", "sad"}, "c": {"word", "x"}}),
		},
		{
			rows: "E5.syntax", how: documented,
			says: "Of a key that is written twice the last one counts",
			run:  through("leaves", []string{"b"}, map[string][]any{"a": {"twice", "first"}, "b": {"twice", "second"}}),
		},
		{
			rows: "E5.exists", how: captured,
			says: "exists: false on what is no leaf always matches",
			run:  through("leaves", []string{"a", "b"}, map[string][]any{"a": {"only", "branch"}, "b": {"only", "branch", "branch", "there"}}),
		},
		{
			rows: "E5.handled", how: documented,
			says: "What filters hold back counts as handled: what comes after it is delivered",
			run: func(c *check, s *subject) {
				f := s.feed(c, "filtered")
				for i := range 20 {
					f.put(fmt.Sprint(i), "kind", "other")
				}
				f.finish("kind", "message")
			},
		},
	}
}

// orderClaims are of order and duplicates (E6).
func orderClaims() []claim {
	return []claim{
		{
			rows: "E6.order", how: documented,
			says: "Records of one item key come in the order of their writes, also with a parallelization factor",
			run: func(c *check, s *subject) {
				f := s.feed(c, "parallel")
				const keys, writes = 4, 5
				for i := range writes {
					for k := range keys {
						f.putIn(fmt.Sprint(f.pk, "-", k), "item", "n", i)
					}
				}
				seen := map[any][]string{}
				eventually(c, "every delivery", func() bool {
					clear(seen)
					total := 0
					for _, batch := range f.batches() {
						for _, r := range batch {
							key := r.Dynamodb.Keys["pk"]["S"]
							seen[key] = append(seen[key], r.Dynamodb.NewImage["n"]["N"].(string))
							total++
						}
					}
					return total >= keys*writes
				})
				for key, got := range seen {
					if strings.Join(got, " ") != "0 1 2 3 4" {
						c.Errorf("%v was delivered as %q", key, got)
					}
				}
			},
		},
		{
			rows: "E6.parents", how: documented,
			says:    "A parent shard is drained before its children",
			without: "shards of small tables do not split within a run: held beside the code (local/eventsource)",
		},
		{
			rows: "E6.duplicates", how: documented,
			says:    "Delivery is at least once: duplicates come without any error too",
			without: "AWS makes none on demand; chatstack fault does, held beside the code (local/fault)",
		},
		{
			rows: "E6.mixed", how: documented,
			says: "One batch may mix partition keys",
			run: func(c *check, s *subject) {
				f := s.feed(c, "partial")
				f.putIn(f.pk+"-1", "a")
				f.putIn(f.pk+"-2", "b")
				f.sequence("b")
				if got := f.deliveries(); !slices.Contains(got, "a b") {
					c.Errorf("delivered %q, want a and b together", got)
				}
			},
			aws: "a table on AWS may have several shards, with a key in each",
		},
	}
}
