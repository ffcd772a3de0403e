package fault

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestARuleThatIsWrongIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule Rule
		says string
	}{
		{Rule{}, "on is missing: a rule is on post, table, invoke, batch or disconnect"},
		{Rule{On: "posts", Status: 410}, `on is "posts": a rule is on post, table, invoke, batch or disconnect`},
		{Rule{On: Post}, "a rule on post has a status (410, 429 or 500), a latency, or both: this one would do nothing"},
		{Rule{On: Post, Status: 404}, "status is 404: a post can be answered with 410, 429 or 500"},
		{Rule{On: Post, Status: -1}, "status is -1: a post can be answered with 410, 429 or 500"},
		{Rule{On: Post, Throttle: true}, "a rule on post has no throttle: a post is throttled by status 429"},
		{Rule{On: Post, Status: 410, Action: "PutItem"}, `action is "PutItem": only a rule on table has one`},
		{Rule{On: Post, Status: 410, After: 1}, "a rule on post has no after, which says when an invocation is killed: to let calls wait, give it a latency"},
		{Rule{On: Table}, "a rule on table has throttle, a latency, or both: this one would do nothing"},
		{Rule{On: Table, Throttle: true, Status: 429}, "a rule on table has no status: it throttles by throttle"},
		{Rule{On: Table, Throttle: true, Action: "Put"}, `action is "Put": it is one of PutItem, UpdateItem, `},
		{Rule{On: Invoke, Status: 500}, "a rule on invoke has no status: only posts are answered with one"},
		{Rule{On: Batch, Throttle: true}, "a rule on batch has no throttle: only calls to a table have"},
		{Rule{On: Invoke, Latency: 1}, "a rule on invoke has no latency: only posts and calls to a table have"},
		{Rule{On: Disconnect, After: 1}, "a rule on disconnect has no after: only invocations are killed"},
		{Rule{On: Batch, Share: 1.1}, "share is 1.1: it is more than 0 and at most 1, as 0.1 for every tenth call"},
		{Rule{On: Batch, Share: -0.5}, "share is -0.5: "},
		{Rule{On: Batch, Share: math.NaN()}, "share is NaN: "},
		{Rule{On: Batch, Nth: -1}, "nth is -1: the first call is 1, and 0 means any"},
		{Rule{On: Batch, Times: -1}, "times is -1: it is 1 or more, and 0 means no limit"},
		{Rule{On: Post, Latency: -1}, "latency is -1ns: it is at most 15m0s, and not less than 0"},
		{Rule{On: Invoke, After: time.Hour}, "after is 1h0m0s: it is at most 15m0s, and not less than 0"},
		{Rule{On: Batch, ID: "a/b"}, `id is "a/b": it has 1 to 32 letters, digits, - and _`},
	} {
		f := New()
		_, err := f.Add(c.rule)
		if err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%+v: %v\nwant %s", c.rule, err, c.says)
		}
		if list := f.List(); len(list) > 0 {
			t.Errorf("%+v is in force", list)
		}
	}
}

func TestARuleInJSON(t *testing.T) {
	t.Parallel()
	rule := Rule{ID: "slow", On: Post, Target: "abc=", Status: 410, Latency: 50 * time.Millisecond, Share: 0.1, Nth: 3, Times: 5, Seed: 7, Asked: 2, Struck: 1}
	text := `{"id":"slow","on":"post","target":"abc=","status":410,"share":0.1,"nth":3,"times":5,"seed":7,"asked":2,"struck":1,"latency":"50ms"}`
	got, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(got)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	var back Rule
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rule, back); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestJSONThatIsNoRuleIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"on":"post","stauts":410}`:      `a rule has no field "stauts": it has id, on, target, action, status, throttle, latency, after, share, nth, times and seed`,
		`{"on":"post","status":"410"}`:    "status cannot be a string",
		`{"on":"post","share":"10%"}`:     "share cannot be a string",
		`{"on":"post","nth":1.5}`:         "nth cannot be a number 1.5",
		`{"on":"post","seed":-1}`:         "seed cannot be a number -1",
		`{"on":"post","latency":50}`:      "latency cannot be a number",
		`{"on":"post","latency":"50"}`:    `latency is "50": a duration is a number and its unit, as 50ms or 1.5s`,
		`{"on":"invoke","after":"a bit"}`: `after is "a bit": a duration is a number and its unit, as 50ms or 1.5s`,
		`[]`:                              "a rule is a JSON object, and this is of type array",
		`7`:                               "a rule is a JSON object, and this is of type number",
	} {
		var rule Rule
		err := json.Unmarshal([]byte(text), &rule)
		if err == nil || err.Error() != says {
			t.Errorf("%s: %v\nwant %s", text, err, says)
		}
	}
}

// A rule that was accepted can be written, read and added elsewhere, and is the
// same there.
func FuzzRule(f *testing.F) {
	for _, seed := range []string{
		`{"on":"post","status":410,"share":0.1,"latency":"50ms","target":"abc=","nth":3,"times":5,"seed":7}`,
		`{"on":"table","throttle":true,"action":"PutItem"}`,
		`{"on":"invoke","after":"5ms","target":"broadcast"}`,
		`{"on":"batch"}`, `{"on":"disconnect","id":"x","asked":9}`, `{"on":"post","Status":429}`, `null`, `[]`, `{"on":"post","latency":"1h"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var read Rule
		if json.Unmarshal([]byte(text), &read) != nil {
			return
		}
		added, err := New().Add(read)
		if err != nil {
			return
		}
		written, err := json.Marshal(added)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", added, err)
		}
		var again Rule
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%s cannot be read: %v", written, err)
		}
		same, err := New().Add(again)
		if err != nil {
			t.Fatalf("%s is refused: %v", written, err)
		}
		if diff := cmp.Diff(added, same); diff != "" {
			t.Errorf("%s (-first +second):\n%s", written, diff)
		}
	})
}
