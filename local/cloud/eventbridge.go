package cloud

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"example.com/chatstack/local/schedule"
)

const (
	typeRule   = "aws:cloudwatch/eventRule:EventRule"
	typeTarget = "aws:cloudwatch/eventTarget:EventTarget"
)

const (
	defaultBus   = "default"
	ruleEnabled  = "ENABLED"
	ruleDisabled = "DISABLED"
)

// ruleKinds are EventBridge's scheduled rules and what they invoke.
func ruleKinds() map[string]*kind {
	return map[string]*kind{
		typeRule: {
			runs:     []string{"name", "eventBusName", "scheduleExpression", "state"},
			ignores:  []string{"description", "forceDestroy"},
			replaces: []string{"name", "eventBusName"},
			named:    "name", nameMax: 64, nameChars: "A-Za-z0-9._-",
			check: checkRule,
			declare: func(c *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("name")
				r.Outputs["arn"] = c.arn("events", "rule/"+r.ID)
				return nil
			},
			apply:  applyRule,
			remove: removeRule,
		},
		typeTarget: {
			runs: []string{"rule", "eventBusName", "targetId", "arn"},
			// An event reaches a function's queue at once, so nothing is tried again.
			ignores:  []string{"forceDestroy", "retryPolicy"},
			replaces: []string{"rule", "eventBusName", "targetId"},
			named:    "targetId", nameMax: 64, nameChars: "A-Za-z0-9._-",
			check: checkTarget,
			declare: func(_ *Cloud, r *Resource) error {
				r.ID = r.Inputs.text("rule") + "/" + r.Inputs.text("targetId")
				return nil
			},
			apply: func(_ context.Context, c *Cloud, r *Resource) error {
				if name := r.Inputs.text("rule"); c.notes.get(typeRule, name) == nil {
					return fmt.Errorf("target %s: rule %s does not exist on event bus %s", r.ID, name, defaultBus)
				}
				return nil
			},
		},
	}
}

func checkRule(in Properties) error {
	if err := checkBus(in); err != nil {
		return err
	}
	switch state := in.text("state"); state {
	case "", ruleEnabled, ruleDisabled:
	default:
		return fmt.Errorf("state is %q: a scheduled rule is %s or %s", state, ruleEnabled, ruleDisabled)
	}
	_, err := schedule.ParseRate(in.text("scheduleExpression"))
	return err
}

func checkBus(in Properties) error {
	if bus := in.text("eventBusName"); bus != "" && bus != defaultBus {
		return fmt.Errorf("eventBusName is %q: schedules are rules of the bus %s", bus, defaultBus)
	}
	return nil
}

var functionARN = regexp.MustCompile(`^arn:aws:lambda:[^:]+:[0-9]{12}:function:[^:]+$`)

func checkTarget(in Properties) error {
	if target := in.text("arn"); !functionARN.MatchString(target) {
		return fmt.Errorf("arn is %q: the local cloud's rules invoke functions: give a function's arn", target)
	}
	return checkBus(in)
}

func applyRule(_ context.Context, c *Cloud, r *Resource) error {
	every, err := schedule.ParseRate(r.Inputs.text("scheduleExpression"))
	if err != nil {
		return err
	}
	c.schedule.Put(schedule.Rule{ARN: r.Outputs.text("arn"), Every: every, Enabled: ruleState(r) == ruleEnabled})
	return nil
}

func ruleState(r *Resource) string {
	if state := r.Inputs.text("state"); state != "" {
		return state
	}
	return ruleEnabled
}

func removeRule(_ context.Context, c *Cloud, r *Resource) error {
	if len(c.targets(r)) > 0 {
		return fmt.Errorf("rule %s cannot be deleted since it has targets", r.ID)
	}
	c.schedule.Delete(r.Outputs.text("arn"))
	return nil
}

// targets are those of a rule.
func (c *Cloud) targets(rule *Resource) []*Resource {
	return c.notes.list(typeTarget, func(r *Resource) bool { return r.Inputs.text("rule") == rule.ID })
}

// fire gives a rule's event to its targets, and waits for them.
func (c *Cloud) fire(ctx context.Context, ruleARN string, event []byte) {
	var invocations sync.WaitGroup
	defer invocations.Wait()
	for _, rule := range c.notes.list(typeRule, func(r *Resource) bool { return r.Outputs.text("arn") == ruleARN }) {
		for _, target := range c.targets(rule) {
			invocations.Go(func() {
				function := functionName(target.Inputs.text("arn"))
				err := c.mayInvoke(eventBridge, function, ruleARN)
				if err == nil {
					err = c.invokeAsync(ctx, function, event)
				}
				if err != nil && ctx.Err() == nil {
					c.log.Warn("a rule's event is lost", "rule", rule.ID, "function", function, "error", err)
				}
			})
		}
	}
}

// asyncRetries are the waits before Lambda tries an asynchronous invocation again
// that has failed ("How Lambda handles errors and retries with asynchronous
// invocation" in the AWS Lambda Developer Guide).
var asyncRetries = []time.Duration{time.Minute, 2 * time.Minute}

// invokeAsync invokes a function whose answer nobody waits for, up to three times.
func (c *Cloud) invokeAsync(ctx context.Context, function string, event []byte) error {
	for attempt := 0; ; attempt++ {
		_, functionError, err := direct{c.lambda}.Invoke(ctx, function, event)
		if err == nil && functionError != "" {
			err = fmt.Errorf("function error %s", functionError)
		}
		if err == nil || attempt == len(asyncRetries) {
			return err
		}
		if c.clock.Sleep(ctx, asyncRetries[attempt]) != nil {
			return err
		}
	}
}
