package components

import (
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// maxScheduleEvery is the longest period: EventBridge has none that is known.
const maxScheduleEvery = 365 * 24 * time.Hour

// A Schedule invokes a function again and again: an EventBridge rule of a fixed
// rate. The function is given EventBridge's scheduled event; what it answers goes
// nowhere. An invocation that fails is tried twice more by Lambda, and one that
// takes longer than the period runs beside the next.
type Schedule struct {
	pulumi.ResourceState

	// RuleName is the rule's name.
	RuleName pulumi.StringOutput `pulumi:"ruleName"`
	// RuleARN is its ARN.
	RuleARN pulumi.StringOutput `pulumi:"ruleArn"`

	// Rule and Target are the parts.
	Rule   *cloudwatch.EventRule
	Target *cloudwatch.EventTarget
}

// ScheduleArgs are the settings of a [Schedule]. Function is required.
type ScheduleArgs struct {
	// Function is what is invoked.
	Function *GoFunction
	// Every is the time from one invocation to the next: 1 min to 365 days, in
	// whole minutes. 0 means 1 min. EventBridge keeps it to the minute, not to the
	// second.
	Every time.Duration
	// Disabled keeps the rule and fires it no more. The default is false.
	Disabled bool
	// Tags are put on the rule.
	Tags map[string]string
}

// withDefaults returns the settings with every zero that has a default
// replaced by it.
func (a ScheduleArgs) withDefaults() ScheduleArgs {
	if a.Every == 0 {
		a.Every = time.Minute
	}
	return a
}

// validate reports every setting outside its range, given those of
// withDefaults.
func (a ScheduleArgs) validate() error {
	mistakes := []error{validateTags(a.Tags)}
	if a.Function == nil {
		mistakes = append(mistakes, badArgument("Function", measure("nil"), "a GoFunction"))
	}
	if a.Every < time.Minute || a.Every > maxScheduleEvery || a.Every%time.Minute != 0 {
		mistakes = append(mistakes, badArgument("Every", a.Every, "1m0s to 8760h0m0s (365 days), in whole minutes"))
	}
	return errors.Join(mistakes...)
}

// expression is the rate as EventBridge writes it, which has no plural of one.
func (a ScheduleArgs) expression() string {
	minutes := int(a.Every / time.Minute)
	if minutes == 1 {
		return "rate(1 minute)"
	}
	return fmt.Sprintf("rate(%d minutes)", minutes)
}

// NewSchedule declares a schedule for a function, and lets EventBridge invoke the
// function by it. Its name has 1 to 56 letters, digits, - and _.
func NewSchedule(ctx *pulumi.Context, name string, args *ScheduleArgs, opts ...pulumi.ResourceOption) (*Schedule, error) {
	if args == nil {
		args = &ScheduleArgs{}
	}
	settled := args.withDefaults()
	if err := invalid("schedule", name, validateName(name, maxScheduleName), settled.validate()); err != nil {
		return nil, err
	}
	s := &Schedule{}
	if err := ctx.RegisterComponentResource("chatstack:index:Schedule", name, s, opts...); err != nil {
		return nil, fmt.Errorf("schedule %q: %w", name, err)
	}
	if err := s.declare(ctx, name, settled); err != nil {
		return nil, fmt.Errorf("schedule %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{"ruleName": s.RuleName, "ruleArn": s.RuleARN}); err != nil {
		return nil, fmt.Errorf("schedule %q: %w", name, err)
	}
	return s, nil
}

func (s *Schedule) declare(ctx *pulumi.Context, name string, args ScheduleArgs) error {
	parent := pulumi.Parent(s)
	state := "ENABLED"
	if args.Disabled {
		state = "DISABLED"
	}
	rule, err := cloudwatch.NewEventRule(ctx, name, &cloudwatch.EventRuleArgs{
		ScheduleExpression: pulumi.String(args.expression()),
		State:              pulumi.String(state),
		Tags:               tagMap(args.Tags),
	}, parent)
	if err != nil {
		return err
	}
	permission, err := lambda.NewPermission(ctx, name, &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  args.Function.Name,
		Principal: pulumi.String("events.amazonaws.com"),
		SourceArn: rule.Arn,
	}, parent)
	if err != nil {
		return err
	}
	// The target depends on the permission, lest the rule fire in vain.
	target, err := cloudwatch.NewEventTarget(ctx, name, &cloudwatch.EventTargetArgs{
		Rule: rule.Name,
		Arn:  args.Function.ARN,
	}, parent, pulumi.DependsOn([]pulumi.Resource{permission}))
	if err != nil {
		return err
	}
	s.Rule, s.Target = rule, target
	s.RuleName, s.RuleARN = rule.Name, rule.Arn
	return nil
}
