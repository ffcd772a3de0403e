package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

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
