package cloud

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A scheduled is a function that a rule invokes.
type scheduled struct{ function, rule, permission, target *Resource }

func (r *rig) schedule(changes Properties) scheduled {
	r.t.Helper()
	var s scheduled
	s.function = r.put(typeFunction, "f", functionInputs("f", "1"))
	s.rule = r.put(typeRule, "tick", Properties{"name": "tick", "scheduleExpression": "rate(1 hour)"}.with(changes))
	s.permission = r.put(typePermission, "tick", permissionInputs(s.function, s.rule.Outputs.text("arn")).with(Properties{"principal": eventBridge}))
	s.target = r.put(typeTarget, "tick", Properties{"rule": "tick", "targetId": "t", "arn": s.function.Outputs["arn"]})
	return s
}

// ticks counts the scheduled events that functions have printed.
func (r *rig) ticks() (n int) {
	r.t.Helper()
	err := filepath.WalkDir(filepath.Join(r.dir, "logs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		n += strings.Count(string(text), "scheduled at 20")
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nobody has written a log yet
		r.t.Fatal(err)
	}
	return n
}

// pass lets an hour pass, and holds how often the rule has fired by then.
func (r *rig) pass(what string, want int) {
	r.t.Helper()
	if err := r.Advance(r.t.Context(), time.Hour); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, what, func() bool { return r.Overview().Rules[0].Fired == want })
}

func TestARuleInvokesItsFunctionOnSchedule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.schedule(nil)
	r.pass("the first hour", 1)
	eventually(t, "the function is invoked", func() bool { return r.ticks() == 1 })
	if got := r.Overview(); got.Rules[0].Name != "tick" || !slices.Equal(got.Functions[0].Triggers, []string{"schedule"}) {
		t.Errorf("overview %+v", got)
	}

	r.restart()
	r.pass("an hour after a restart", 1) // counted anew
	eventually(t, "the function is invoked again", func() bool { return r.ticks() == 2 })

	s.rule = r.update(s.rule, Properties{"state": "DISABLED"})
	r.pass("an hour of a disabled rule", 1)
	s.rule = r.update(s.rule, Properties{"state": "ENABLED", "scheduleExpression": "rate(2 hours)"})
	r.pass("one hour of two", 1)
	r.pass("two hours", 2)
	eventually(t, "the function is invoked by the updated rule", func() bool { return r.ticks() == 3 })

	if err := r.Delete(t.Context(), typeRule, "tick"); err == nil || !strings.Contains(err.Error(), "cannot be deleted since it has targets") {
		t.Errorf("a rule with a target: %v", err)
	}
	r.delete(s.target)
	r.pass("a rule without a target", 2)
	r.delete(s.rule)
	if rules := r.Overview().Rules; len(rules) != 0 {
		t.Errorf("left over: %v", rules)
	}
	if got := r.ticks(); got != 3 {
		t.Errorf("%d invocations, want 3", got)
	}
}

func TestAScheduledInvocationThatFailsIsTriedTwiceMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.schedule(nil)
	r.update(s.function, Properties{"environment": map[string]any{"variables": map[string]any{"FAIL": "yes"}}})
	r.pass("an hour", 1)
	eventually(t, "the first attempt", func() bool { return r.ticks() == 1 })
	for attempt, wait := range asyncRetries {
		want := attempt + 2
		eventually(t, "another attempt", func() bool {
			if r.ticks() < want { // the wait for it may not have begun
				if err := r.Advance(t.Context(), wait); err != nil {
					t.Fatal(err)
				}
			}
			return r.ticks() == want
		})
	}
	eventually(t, "somebody is told", func() bool { return len(r.logged.with("a rule's event is lost")) == 1 })
}

func TestARuleInvokesOnlyWithAPermission(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.schedule(nil)
	hours := 0
	for _, test := range []struct {
		name    string
		changes Properties
		want    bool
	}{
		{"of another rule", Properties{"sourceArn": s.rule.Outputs.text("arn") + "-else"}, false},
		{"of API Gateway", Properties{"principal": apiGateway}, false},
		{"of every rule", Properties{"sourceArn": "arn:aws:events:us-east-1:000000000000:rule/*"}, true},
	} {
		r.delete(s.permission)
		s.permission = r.put(typePermission, "tick", s.permission.Inputs.with(Properties{
			"principal": eventBridge, "sourceArn": s.rule.Outputs["arn"],
		}).with(test.changes))
		told := len(r.logged.with("EventBridge is not permitted to invoke function f"))
		hours++
		r.pass(test.name, hours)
		if test.want {
			eventually(t, test.name+": invoked", func() bool { return r.ticks() == 1 })
		} else {
			eventually(t, test.name+": somebody is told", func() bool { return len(r.logged.with("EventBridge is not permitted to invoke function f")) > told })
		}
	}
	if got := r.ticks(); got != 1 {
		t.Errorf("%d invocations, want 1", got)
	}
}

func TestWhatRulesDoNotDoHereIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	function := "arn:aws:lambda:us-east-1:000000000000:function:f"
	for _, test := range []struct {
		typ  string
		in   Properties
		says string
	}{
		{typeRule, Properties{"scheduleExpression": "rate(5 minutes)", "state": "ENABLED", "eventBusName": "default", "description": "d"}, ""},
		{typeRule, Properties{"scheduleExpression": "cron(0 12 * * ? *)"}, "no cron"},
		{typeRule, Properties{"scheduleExpression": "rate(1 minutes)"}, "a rate is rate(1 minute)"},
		{typeRule, Properties{}, "scheduleExpression"},
		{typeRule, Properties{"scheduleExpression": "rate(1 minute)", "state": "OFF"}, `state is "OFF"`},
		{typeRule, Properties{"scheduleExpression": "rate(1 minute)", "eventBusName": "mine"}, "rules of the bus default"},
		{typeRule, Properties{"scheduleExpression": "rate(1 minute)", "eventPattern": "{}"}, "does not run the property eventPattern"},
		{typeTarget, Properties{"rule": "r", "arn": function, "retryPolicy": map[string]any{}}, ""},
		{typeTarget, Properties{"rule": "r", "arn": "arn:aws:sqs:us-east-1:000000000000:q"}, "invoke functions"},
		{typeTarget, Properties{"rule": "r", "arn": function, "eventBusName": "mine"}, "rules of the bus default"},
		{typeTarget, Properties{"rule": "r", "arn": function, "input": "{}"}, "does not run the property input"},
	} {
		problems, err := r.Check(test.typ, test.in)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		if len(problems) > 0 {
			said = problems[0].Reason
		}
		if (said == "") != (test.says == "") || !strings.Contains(said, test.says) {
			t.Errorf("%s %v: %q, want %q", test.typ, test.in, said, test.says)
		}
	}
	_, err := r.Put(t.Context(), declared(typeTarget, "t", Properties{"rule": "r", "targetId": "t", "arn": function}))
	if err == nil || !strings.Contains(err.Error(), "rule r does not exist") {
		t.Errorf("a target of no rule: %v", err)
	}
}
