package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/chatstack/local/fault"
)

// faultAddCommand is what a rule can be on.
type faultAddCommand struct {
	Post       faultPostCommand       `cmd:"" help:"Posts to connections are answered with 410, 429 or 500, or are slow."`
	Table      faultTableCommand      `cmd:"" help:"Writes to the table are throttled, or calls are slow."`
	Invoke     faultInvokeCommand     `cmd:"" help:"A function is killed in the middle of an invocation."`
	Batch      faultBatchCommand      `cmd:"" help:"A stream batch is delivered twice."`
	Disconnect faultDisconnectCommand `cmd:"" help:"The $$disconnect of a connection is lost."`
}

// faultFlags are those of every rule.
type faultFlags struct {
	Share share    `placeholder:"SHARE" help:"Strike this share of calls, as 10% or 0.1. Default: every call."`
	Nth   positive `placeholder:"N" help:"Strike only the N-th call from now on, 1 being the next."`
	Times positive `placeholder:"N" help:"Strike N calls at most."`
	Seed  positive `placeholder:"N" help:"Make the same decisions as another rule with this seed, 1 or more. Default: one is drawn."`
	ID    string   `name:"id" placeholder:"ID" help:"What to call the rule. Default: the next number."`
}

type faultPostCommand struct {
	Status     int           `placeholder:"CODE" help:"Answer with 410 (gone), 429 (throttled) or 500, and send nothing."`
	Latency    time.Duration `placeholder:"DURATION" help:"Take so much longer, as 50ms."`
	Connection string        `placeholder:"ID" help:"Only posts to this connection."`
	faultFlags
}

type faultTableCommand struct {
	Throttle bool          `help:"Answer with ProvisionedThroughputExceededException: writes, or what --action names."`
	Latency  time.Duration `placeholder:"DURATION" help:"Take so much longer, as 50ms."`
	Table    string        `placeholder:"NAME" help:"Only calls to the table with this in its name."`
	Action   string        `placeholder:"OPERATION" help:"Only this operation, as PutItem or Query."`
	faultFlags
}

type faultInvokeCommand struct {
	Function string        `placeholder:"NAME" help:"Only functions with this in their name, as broadcast."`
	After    time.Duration `placeholder:"DURATION" help:"How long after the function got its event. Default: 5ms."`
	faultFlags
}

type faultBatchCommand struct {
	Function string `placeholder:"NAME" help:"Only batches for functions with this in their name."`
	faultFlags
}

type faultDisconnectCommand struct {
	Connection string `placeholder:"ID" help:"Only this connection."`
	faultFlags
}

func (c *faultPostCommand) Run(ctx context.Context, p *project) error {
	return p.addFault(ctx, c.rule())
}

func (c *faultPostCommand) rule() fault.Rule {
	return c.with(fault.Rule{On: fault.Post, Target: c.Connection, Status: c.Status, Latency: c.Latency})
}

func (c *faultTableCommand) Run(ctx context.Context, p *project) error {
	return p.addFault(ctx, c.rule())
}

func (c *faultTableCommand) rule() fault.Rule {
	return c.with(fault.Rule{On: fault.Table, Target: c.Table, Action: c.Action, Throttle: c.Throttle, Latency: c.Latency})
}

func (c *faultInvokeCommand) Run(ctx context.Context, p *project) error {
	return p.addFault(ctx, c.rule())
}

func (c *faultInvokeCommand) rule() fault.Rule {
	return c.with(fault.Rule{On: fault.Invoke, Target: c.Function, After: c.After})
}

func (c *faultBatchCommand) Run(ctx context.Context, p *project) error {
	return p.addFault(ctx, c.rule())
}

func (c *faultBatchCommand) rule() fault.Rule {
	return c.with(fault.Rule{On: fault.Batch, Target: c.Function})
}

func (c *faultDisconnectCommand) Run(ctx context.Context, p *project) error {
	return p.addFault(ctx, c.rule())
}

func (c *faultDisconnectCommand) rule() fault.Rule {
	return c.with(fault.Rule{On: fault.Disconnect, Target: c.Connection})
}

// with returns a rule with what the flags say.
func (f *faultFlags) with(r fault.Rule) fault.Rule {
	r.ID, r.Share, r.Nth, r.Times, r.Seed = f.ID, float64(f.Share), int(f.Nth), int(f.Times), uint64(f.Seed)
	return r
}

// addFault puts a rule into force and says what it will do.
func (p *project) addFault(ctx context.Context, rule fault.Rule) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	targets, err := p.targets(ctx, cloud, rule)
	if err != nil {
		return err
	}
	rule, err = cloud.AddFault(ctx, rule)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "rule %s: %s (seed %d)\n", rule.ID, describe(rule), rule.Seed)
	if len(targets) > 0 {
		fmt.Fprintf(os.Stdout, "It looks at %s.\n", strings.Join(targets, ", "))
	}
	return nil
}

// targets returns the functions or tables that a rule's target names. One that
// names none is an error: the rule would never strike.
func (p *project) targets(ctx context.Context, cloud *connection, rule fault.Rule) ([]string, error) {
	if rule.Target == "" {
		return nil, nil
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	switch rule.On {
	case fault.Invoke, fault.Batch:
		for _, function := range status.Functions {
			names = append(names, function.Name)
		}
		return p.named("function", names, rule.Target)
	case fault.Table:
		for _, table := range status.Tables {
			names = append(names, table.Name)
		}
		return p.named("table", names, rule.Target)
	}
	return nil, nil // connections come and go
}

// A share is a share of calls, typed as 10% or 0.1.
type share float64

// UnmarshalText reads a share.
func (s *share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	value, err := strconv.ParseFloat(number, 64)
	if percent {
		value /= 100
	}
	if err != nil || !(value > 0 && value <= 1) {
		return fmt.Errorf("%q is no share: say 10%% or 0.1, more than none and at most all", text)
	}
	*s = share(value)
	return nil
}

// A positive is a whole number from 1 on. A rule takes 0 for "not given", so it is
// refused where someone gives it.
type positive uint64

// UnmarshalText reads a positive number.
func (p *positive) UnmarshalText(text []byte) error {
	value, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil || value == 0 {
		return fmt.Errorf("%q cannot be it: say a whole number from 1 on", text)
	}
	*p = positive(value)
	return nil
}
