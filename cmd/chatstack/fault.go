package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/chatstack/local/fault"
)

// faultCommand makes bad days on purpose.
type faultCommand struct {
	List  faultListCommand  `cmd:"" default:"withargs" help:"List the rules in force, and how often each struck. The default."`
	Add   faultAddCommand   `cmd:"" help:"Add a rule."`
	Clear faultClearCommand `cmd:"" help:"Take one rule out of force, or all."`
}

// Help is shown by --help.
func (*faultCommand) Help() string {
	return `Makes the bad days of a cloud on purpose, by rules. A rule with a seed makes the
same decisions in every run; without --seed one is drawn and shown.

    chatstack fault add post --status 410 --share 10% --seed 7
    chatstack fault add post --latency 50ms
    chatstack fault add table --throttle --share 20% --action PutItem
    chatstack fault add invoke --function broadcast --nth 3 --after 5ms
    chatstack fault add batch --function broadcast --times 1
    chatstack fault add disconnect --share 50%
    chatstack fault
    chatstack fault clear 2
    chatstack fault clear`
}

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

// faultListCommand lists the rules.
type faultListCommand struct {
	JSON bool `help:"As a JSON list, for programs."`
}

func (c *faultListCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	rules, err := cloud.Faults(ctx)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return writeJSON(os.Stdout, rules)
	case len(rules) == 0:
		fmt.Fprintln(os.Stdout, "No fault rule is in force: nothing goes wrong on purpose. `chatstack fault --help` shows how to add one.")
		return nil
	}
	return writeRules(os.Stdout, rules)
}

func writeRules(out io.Writer, rules []fault.Rule) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "ID\tRULE\tSTRUCK\tSEED\n")
	for _, r := range rules {
		fmt.Fprintf(table, "%s\t%s\t%d of %d\t%d\n", r.ID, describe(r), r.Struck, r.Asked, r.Seed)
	}
	return table.Flush()
}

// faultClearCommand takes rules out of force.
type faultClearCommand struct {
	ID string `arg:"" optional:"" help:"The rule to take out of force. Default: all."`
}

func (c *faultClearCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	if c.ID == "" {
		if err := cloud.ClearFaults(ctx); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, "No fault rule is in force.")
		return nil
	}
	if err := cloud.RemoveFault(ctx, c.ID); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "Rule %s is no longer in force.\n", c.ID)
	return nil
}

// describe says what a rule does, and to which calls.
func describe(r fault.Rule) string { return which(r) + ": " + effect(r) }

// which says which calls a rule strikes.
func which(r fault.Rule) string {
	one, many := "post", "posts"
	of := " to "
	switch r.On {
	case fault.Table:
		one, many, of = "call", "calls", " to "
		switch {
		case r.Action != "":
			one, many = r.Action, r.Action+" calls"
		case r.Throttle:
			one, many = "write", "writes"
		}
	case fault.Invoke:
		one, many, of = "invocation", "invocations", " of "
	case fault.Batch:
		one, many, of = "batch", "batches", " for "
	case fault.Disconnect:
		one, many, of = "$disconnect", "$disconnects", " of "
	}
	if r.Target == "" {
		of = ""
	}
	of += r.Target
	percent := strconv.FormatFloat(r.Share*100, 'g', 4, 64) + "%"
	var text string
	switch {
	case r.Nth > 0 && r.Share < 1:
		text = fmt.Sprintf("the %s %s%s, by a chance of %s", ordinal(r.Nth), one, of, percent)
	case r.Nth > 0:
		text = fmt.Sprintf("the %s %s%s", ordinal(r.Nth), one, of)
	case r.Share < 1:
		text = percent + " of " + many + of
	default:
		text = "every " + one + of
	}
	if r.Times > 0 {
		text += fmt.Sprintf(", %d at most", r.Times)
	}
	return text
}

// effect says what a rule does to a call.
func effect(r fault.Rule) string {
	var does string
	switch r.On {
	case fault.Post:
		if r.Status != 0 {
			does = fmt.Sprintf("answered with %d", r.Status)
		}
	case fault.Table:
		if r.Throttle {
			does = "throttled"
		}
	case fault.Invoke:
		return fmt.Sprintf("killed after %v", r.After)
	case fault.Batch:
		return "delivered twice"
	case fault.Disconnect:
		return "lost"
	}
	switch {
	case r.Latency == 0:
		return does
	case does == "":
		return fmt.Sprintf("%v slower", r.Latency)
	}
	return fmt.Sprintf("%s, %v slower", does, r.Latency)
}

// ordinal writes 1st, 2nd, 3rd, 4th …
func ordinal(n int) string {
	suffix := "th"
	if tens := n / 10 % 10; tens != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
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

// named returns the names that have part in them.
func (p *project) named(what string, names []string, part string) ([]string, error) {
	found := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(name, part) })
	switch {
	case len(found) > 0:
		return found, nil
	case len(names) == 0:
		return nil, fmt.Errorf("no %s is deployed: `%s` deploys the stage", what, p.how("up"))
	}
	return nil, fmt.Errorf("no %s has %q in its name; these are there: %s", what, part, strings.Join(names, ", "))
}
