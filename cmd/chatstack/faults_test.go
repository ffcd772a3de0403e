package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/local/fault"
)

// parse parses a command line as the program does.
func parse(t *testing.T, args ...string) (*commandLine, error) {
	t.Helper()
	var cl commandLine
	parser, err := newParser(t.Context(), &cl)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &cl, err
}

func TestRulesAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]fault.Rule{
		"post --status 410 --share 10% --seed 7":             {On: fault.Post, Status: 410, Share: 0.1, Seed: 7},
		"post --latency 50ms --connection=-abc= --times 5":   {On: fault.Post, Latency: 50 * time.Millisecond, Target: "-abc=", Times: 5},
		"table --throttle --share 0.2 --action PutItem":      {On: fault.Table, Throttle: true, Share: 0.2, Action: "PutItem"},
		"table --latency 1s --table chat --id slow":          {On: fault.Table, Latency: time.Second, Target: "chat", ID: "slow"},
		"invoke --function broadcast --nth 3 --after 5ms":    {On: fault.Invoke, Target: "broadcast", Nth: 3, After: 5 * time.Millisecond},
		"batch --function broadcast":                         {On: fault.Batch, Target: "broadcast"},
		"disconnect --connection abc= --share 100% --seed 1": {On: fault.Disconnect, Target: "abc=", Share: 1, Seed: 1},
	} {
		cl, err := parse(t, append([]string{"fault", "add"}, strings.Fields(typed)...)...)
		if err != nil {
			t.Errorf("%s: %v", typed, err)
			continue
		}
		add := cl.Fault.Add
		got := map[fault.Call]fault.Rule{
			fault.Post: add.Post.rule(), fault.Table: add.Table.rule(), fault.Invoke: add.Invoke.rule(),
			fault.Batch: add.Batch.rule(), fault.Disconnect: add.Disconnect.rule(),
		}[want.On]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typed, diff)
		}
	}
}

func TestWhatIsNoShareIsRefused(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"0", "0%", "101%", "1.5", "-1", "ten", "", "NaN"} {
		_, err := parse(t, "fault", "add", "batch", "--share="+typed)
		if err == nil || !strings.Contains(err.Error(), "is no share: say 10% or 0.1") {
			t.Errorf("share %q: %v", typed, err)
		}
	}
}

// A rule takes 0 for "not given": a seed of 0 would be another one in every run.
func TestNumbersOfRulesBeginAtOne(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--nth", "--times", "--seed"} {
		for _, typed := range []string{"0", "-1", "1.5", "many", "", "18446744073709551615"} {
			_, err := parse(t, "fault", "add", "batch", flag+"="+typed)
			if err == nil || !strings.Contains(err.Error(), "say a whole number from 1 on") {
				t.Errorf("%s %q: %v", flag, typed, err)
			}
		}
	}
}

func TestRulesInWords(t *testing.T) {
	t.Parallel()
	for want, rule := range map[string]fault.Rule{
		"10% of posts: answered with 410":                          {On: fault.Post, Status: 410, Share: 0.1},
		"0.5% of posts to abc=: answered with 429, 50ms slower":    {On: fault.Post, Status: 429, Share: 0.005, Latency: 50 * time.Millisecond, Target: "abc="},
		"every post, 5 at most: 1s slower":                         {On: fault.Post, Share: 1, Latency: time.Second, Times: 5},
		"every write to chat: throttled":                           {On: fault.Table, Share: 1, Throttle: true, Target: "chat"},
		"25% of calls: 50ms slower":                                {On: fault.Table, Share: 0.25, Latency: 50 * time.Millisecond},
		"20% of PutItem calls: throttled":                          {On: fault.Table, Share: 0.2, Throttle: true, Action: "PutItem"},
		"the 3rd invocation of broadcast: killed after 5ms":        {On: fault.Invoke, Share: 1, Nth: 3, After: 5 * time.Millisecond, Target: "broadcast"},
		"the 11th invocation, by a chance of 50%: killed after 1s": {On: fault.Invoke, Share: 0.5, Nth: 11, After: time.Second},
		"30% of batches for broadcast, 2 at most: delivered twice": {On: fault.Batch, Share: 0.3, Target: "broadcast", Times: 2},
		"the 22nd $disconnect: lost":                               {On: fault.Disconnect, Share: 1, Nth: 22},
		"33.33% of $disconnects: lost":                             {On: fault.Disconnect, Share: 0.33333333},
	} {
		if got := describe(rule); got != want {
			t.Errorf("%+v is\n%q, want\n%q", rule, got, want)
		}
	}
}

func TestRulesAreListedWithWhatTheyDid(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := writeRules(&out, []fault.Rule{
		{ID: "1", On: fault.Post, Status: 410, Share: 0.1, Seed: 7, Asked: 31, Struck: 3},
		{ID: "slow", On: fault.Batch, Share: 1, Seed: 4_000_000_000},
	})
	want := `
ID     RULE                              STRUCK    SEED
1      10% of posts: answered with 410   3 of 31   7
slow   every batch: delivered twice      0 of 0    4000000000
`
	if diff := cmp.Diff(want[1:], out.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestNamesAreFoundByAPart(t *testing.T) {
	t.Parallel()
	p := &project{dir: t.TempDir()}
	all := []string{"chat-message-1", "chat-broadcast-2", "chat-message-board-3"}
	got, err := p.named("function", all, "message")
	if diff := cmp.Diff([]string{"chat-message-1", "chat-message-board-3"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = p.named("function", all, "massage")
	if want := `no function has "massage" in its name; these are there: chat-message-1, chat-broadcast-2, chat-message-board-3`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = p.named("table", nil, "chat")
	if err == nil || !strings.HasPrefix(err.Error(), "no table is deployed: ") {
		t.Errorf("%v", err)
	}
}

func TestTimeToLetPass(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]time.Duration{
		"": 0, "reset": 0, "+10m": 10 * time.Minute, "2h": 2 * time.Hour, "+1h30m": 90 * time.Minute, "+36h": 36 * time.Hour,
	} {
		if got, err := (&clockCommand{Change: typed}).by(); err != nil || got != want {
			t.Errorf("%q lets %v pass, %v; want %v", typed, got, err, want)
		}
	}
	for _, typed := range []string{"10", "+", "+0s", "-10m", "+1d", "back", "++10m"} {
		_, err := (&clockCommand{Change: typed}).by()
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != exitUsage || !strings.Contains(exit.text, "say +10m, +2h or +36h, or reset") {
			t.Errorf("%q: %v, want a refusal with exit code %d", typed, err, exitUsage)
		}
	}
}

func TestTimeInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                            "The clock is the machine's: no time was let pass.",
		2*time.Hour + 10*time.Minute: "2h10m were let pass in all.",
		2 * time.Hour:                "2h were let pass in all.",
		10 * time.Minute:             "10m were let pass in all.",
		90 * time.Second:             "1m30s were let pass in all.",
		100 * time.Second:            "1m40s were let pass in all.",
		20 * time.Hour:               "20h were let pass in all.",
		1500 * time.Millisecond:      "1.5s were let pass in all.",
	} {
		if got := letPass(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
