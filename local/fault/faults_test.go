package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func add(t testing.TB, f *Faults, rule Rule) Rule {
	t.Helper()
	rule, err := f.Add(rule)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// posts makes n posts to one connection and returns how they were answered.
func posts(f *Faults, n int) []int {
	answers := make([]int, n)
	for i := range answers {
		answers[i] = f.Post(context.Background(), "abc=")
	}
	return answers
}

func TestNothingGoesWrongWithoutARule(t *testing.T) {
	t.Parallel()
	f := New()
	_, killed := f.Kill("message")
	if f.Post(t.Context(), "abc=") != 0 || f.Table(t.Context(), "chat", "PutItem") || killed || f.Duplicate("broadcast") || f.LoseDisconnect("abc=") {
		t.Error("something went wrong")
	}
}

// The decisions of a seed are written down here: a change of them would make
// every run that someone noted another one.
func TestTheDecisionsOfASeedStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	f := New()
	add(t, f, Rule{On: Post, Status: 410, Share: 0.3, Seed: 7})
	var struck []int
	for i, status := range posts(f, 30) {
		if status == 410 {
			struck = append(struck, i+1)
		}
	}
	if diff := cmp.Diff([]int{3, 4, 6, 7, 11, 15, 18, 20, 26, 28}, struck); diff != "" {
		t.Errorf("struck (-want +got):\n%s", diff)
	}
}

// anyRule draws a rule on posts with a seed.
func anyRule(t *rapid.T, label string) Rule {
	return Rule{
		On:     Post,
		Status: rapid.SampledFrom([]int{410, 429, 500}).Draw(t, label+" status"),
		Share:  rapid.Float64Range(0.01, 1).Draw(t, label+" share"),
		Times:  rapid.IntRange(0, 4).Draw(t, label+" times"),
		Nth:    rapid.IntRange(0, 20).Draw(t, label+" nth"),
		Seed:   rapid.Uint64Range(1, 1<<63).Draw(t, label+" seed"),
	}
}

func TestARunIsRepeatedByItsSeed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := anyRule(t, "rule")
		first, second := New(), New()
		if _, err := first.Add(rule); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Add(rule); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(posts(first, 50), posts(second, 50)); diff != "" {
			t.Errorf("two runs (-first +second):\n%s", diff)
		}
	})
}

func TestASeedThatWasDrawnRepeatsItsRun(t *testing.T) {
	t.Parallel()
	first, second := New(), New()
	drawn := add(t, first, Rule{On: Post, Status: 410, Share: 0.5})
	if drawn.Seed == 0 || drawn.Seed >= 1<<32 {
		t.Errorf("seed %d is not one that was drawn below 2^32", drawn.Seed)
	}
	add(t, second, first.List()[0])
	if diff := cmp.Diff(posts(first, 100), posts(second, 100)); diff != "" {
		t.Errorf("two runs (-first +second):\n%s", diff)
	}
	if other := add(t, first, Rule{On: Post, Status: 410}); other.Seed == drawn.Seed {
		t.Errorf("two rules drew the seed %d", drawn.Seed)
	}
}

func TestWhatARuleDoesDoesNotDependOnOtherRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule, other := anyRule(t, "rule"), anyRule(t, "other")
		alone, among := New(), New()
		if _, err := alone.Add(rule); err != nil {
			t.Fatal(err)
		}
		for _, r := range []Rule{other, rule, other} {
			if _, err := among.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		for call := range 30 {
			alone.Post(context.Background(), "abc=")
			among.Post(context.Background(), "abc=")
			if got, want := among.List()[1].Struck, alone.List()[0].Struck; got != want {
				t.Fatalf("after %d calls it struck %d among others and %d alone", call+1, got, want)
			}
		}
	})
}

func TestAShareIsStruck(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.01, 0.1, 0.5, 0.9} {
		for seed := range uint64(5) {
			f := New()
			add(t, f, Rule{On: Disconnect, Share: share, Seed: seed + 1})
			const calls = 20_000
			lost := 0
			for range calls {
				if f.LoseDisconnect("abc=") {
					lost++
				}
			}
			if got := float64(lost) / calls; got < share-0.02 || got > share+0.02 {
				t.Errorf("seed %d: %v of the calls were struck, want %v", seed+1, got, share)
			}
		}
	}
}

func TestOnlyTheNthCallIsStruck(t *testing.T) {
	t.Parallel()
	f := New()
	add(t, f, Rule{On: Post, Status: 500, Nth: 3})
	if diff := cmp.Diff([]int{0, 0, 500, 0, 0, 0, 0}, posts(f, 7)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestNoMoreThanTimesAreStruck(t *testing.T) {
	t.Parallel()
	f := New()
	add(t, f, Rule{On: Post, Status: 500, Times: 2})
	if diff := cmp.Diff([]int{500, 500, 0, 0}, posts(f, 4)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestRulesCountWhatTheyLookAt(t *testing.T) {
	t.Parallel()
	f := New()
	rule := add(t, f, Rule{On: Post, Status: 429, Target: "abc", Times: 1, Asked: 9, Struck: 9})
	posts(f, 3)
	f.Post(t.Context(), "other=")
	f.LoseDisconnect("abc=")
	rule.Asked, rule.Struck = 3, 1
	if diff := cmp.Diff([]Rule{rule}, f.List()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestCallsAreStruckByTheirTarget(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{"": true, "broadcast": true, "chat-broadcast-1f": true, "message": false, "chat-broadcast-1f2": false} {
		f := New()
		add(t, f, Rule{On: Batch, Target: target})
		if got := f.Duplicate("chat-broadcast-1f"); got != want {
			t.Errorf("target %q: struck %t, want %t", target, got, want)
		}
	}
}

func TestRulesOnTableLookAtTheirOperations(t *testing.T) {
	t.Parallel()
	all := append(slices.Clone(operations), "CreateTable", "DescribeTable")
	for _, c := range []struct {
		rule Rule
		want []string
	}{
		{Rule{On: Table, Throttle: true}, writes},
		{Rule{On: Table, Throttle: true, Latency: 1}, writes},
		{Rule{On: Table, Latency: 1}, slices.Concat(writes, reads, partiQL)},
		{Rule{On: Table, Throttle: true, Action: "Query"}, []string{"Query"}},
		{Rule{On: Table, Throttle: true, Action: "ExecuteStatement"}, []string{"ExecuteStatement"}},
		{Rule{On: Table, Latency: 1, Action: "GetRecords"}, []string{"GetRecords"}},
		{Rule{On: Table, Throttle: true, Target: "other"}, nil},
	} {
		f := New()
		add(t, f, c.rule)
		var asked []string
		for _, action := range all {
			if throttled := f.Table(t.Context(), "chat", action); throttled != (c.rule.Throttle && slices.Contains(c.want, action)) {
				t.Errorf("%+v: %s throttled: %t", c.rule, action, throttled)
			}
			if f.List()[0].Asked > len(asked) {
				asked = append(asked, action)
			}
		}
		if diff := cmp.Diff(c.want, asked); diff != "" {
			t.Errorf("%+v looks at (-want +got):\n%s", c.rule, diff)
		}
	}
}

func TestTheFirstOfSeveralStatusesIsAnswered(t *testing.T) {
	t.Parallel()
	f := New()
	add(t, f, Rule{On: Post, Latency: 1})
	add(t, f, Rule{On: Post, Status: 429})
	add(t, f, Rule{On: Post, Status: 410})
	if got := f.Post(t.Context(), "abc="); got != 429 {
		t.Errorf("answered %d, want 429", got)
	}
	if list := f.List(); list[2].Struck != 1 {
		t.Errorf("the last rule struck %d times, want 1", list[2].Struck)
	}
}

func TestTheEarliestOfSeveralDeathsHappens(t *testing.T) {
	t.Parallel()
	f := New()
	for _, after := range []time.Duration{30 * time.Millisecond, 0, time.Second} {
		add(t, f, Rule{On: Invoke, After: after})
	}
	if after, kill := f.Kill("message"); !kill || after != DefaultAfter {
		t.Errorf("killed: %t, after %v; want after %v", kill, after, DefaultAfter)
	}
}

func TestLatenciesAddUpInTheMachinesTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := New()
		add(t, f, Rule{On: Post, Latency: 50 * time.Millisecond})
		add(t, f, Rule{On: Post, Latency: 20 * time.Millisecond, Status: 429})
		start := time.Now()
		if status := f.Post(t.Context(), "abc="); status != 429 {
			t.Errorf("answered %d, want 429", status)
		}
		if took := time.Since(start); took != 70*time.Millisecond {
			t.Errorf("a post took %v, want 70ms", took)
		}
	})
}

func TestLatencyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := New()
		add(t, f, Rule{On: Table, Latency: time.Minute, Throttle: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if throttled := f.Table(ctx, "chat", "PutItem"); !throttled {
			t.Error("the call was not throttled")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

func TestWhatWaitsDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := New()
		add(t, f, Rule{On: Post, Latency: time.Minute, Target: "slow"})
		start := time.Now()
		var waits sync.WaitGroup
		waits.Go(func() { f.Post(t.Context(), "slow=") })
		synctest.Wait()
		f.Post(t.Context(), "quick=")
		f.Clear()
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %v", took)
		}
		waits.Wait()
	})
}

func TestRulesHaveIDs(t *testing.T) {
	t.Parallel()
	f := New()
	add(t, f, Rule{On: Batch, ID: "2"})
	for _, want := range []string{"1", "3"} {
		if got := add(t, f, Rule{On: Batch}).ID; got != want {
			t.Errorf("id %s, want %s", got, want)
		}
	}
	if _, err := f.Add(Rule{On: Batch, ID: "3"}); err == nil || !strings.Contains(err.Error(), "there is a rule 3 already") {
		t.Errorf("a second rule 3: %v", err)
	}
	f.Remove("3")
	if got := add(t, f, Rule{On: Batch}).ID; got != "4" {
		t.Errorf("id %s after 3 was removed, want 4", got)
	}
}

func TestARemovedRuleStrikesNoMore(t *testing.T) {
	t.Parallel()
	f := New()
	rule := add(t, f, Rule{On: Post, Status: 410})
	kept := add(t, f, Rule{On: Batch})
	if !f.Remove(rule.ID) {
		t.Error("it was not there")
	}
	if f.Remove(rule.ID) {
		t.Error("it is still there")
	}
	if f.Post(t.Context(), "abc=") != 0 || !f.Duplicate("broadcast") {
		t.Error("the wrong rule is in force")
	}
	if diff := cmp.Diff(kept.ID, f.List()[0].ID); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
	f.Clear()
	if f.Duplicate("broadcast") || len(f.List()) > 0 {
		t.Error("a rule is in force after Clear")
	}
}

func TestAsManyCallsAreStruckWhenTheyAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	rule := Rule{On: Post, Status: 500, Share: 0.3, Seed: 7}
	const callers, each = 8, 250
	one, many := New(), New()
	add(t, one, rule)
	add(t, many, rule)
	posts(one, callers*each)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range each {
				many.Post(t.Context(), fmt.Sprint(i))
				many.List()
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff(one.List(), many.List()); diff != "" {
		t.Errorf("rules (-one after the other +at once):\n%s", diff)
	}
}

func BenchmarkPostWithoutARule(b *testing.B) {
	f := New()
	for b.Loop() {
		f.Post(b.Context(), "abc=")
	}
}
