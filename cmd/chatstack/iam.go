package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"example.com/chatstack/local/control"
)

// iamCommand shows what functions may do and have done.
type iamCommand struct {
	Function string `arg:"" optional:"" help:"Only functions with this in their name, as message. Default: all."`
	JSON     bool   `xor:"form" help:"As a JSON list, for programs."`
	Suggest  bool   `xor:"form" help:"The policies without what was never used, as JSON: by function, by policy."`
}

// Help is shown by --help.
func (*iamCommand) Help() string {
	return `Shows, for each function, what its role allows and how often that was used since
the local cloud was started. What was never used is what the role may lose, once
the run has seen all that the function does: let it fail too (chatstack fault).
"asked for" is what Lambda wants before it makes an event source mapping, "not seen
here" what the local cloud cannot see.

    chatstack iam
    chatstack iam message
    chatstack iam message --suggest`
}

func (c *iamCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	list, err := cloud.Access(ctx)
	if err != nil {
		return err
	}
	var functions []string
	for _, a := range list {
		functions = append(functions, a.Function)
	}
	if functions, err = p.named("function", functions, c.Function); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(a control.Access) bool { return !slices.Contains(functions, a.Function) })
	switch {
	case c.JSON:
		return writeJSON(os.Stdout, list)
	case c.Suggest:
		suggested := map[string]map[string]control.PolicyDocument{}
		for _, a := range list {
			suggested[a.Function] = a.Suggested
		}
		return writeJSON(os.Stdout, suggested)
	}
	return writeAccess(os.Stdout, list)
}

func writeAccess(out io.Writer, list []control.Access) error {
	never, all := 0, 0
	for _, a := range list {
		fmt.Fprintf(out, "%s  (%s)\n", a.Function, a.RoleARN)
		table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
		for _, g := range a.Grants {
			all++
			uses := g.Seen
			switch g.Seen {
			case control.SeenUsed:
				uses = fmt.Sprintf("used %s", count(int(g.Used), "time"))
			case control.SeenNever:
				never++
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\n", uses, actionText(g), resourceText(g.Resource))
		}
		if len(a.Grants) == 0 {
			fmt.Fprintln(table, "  its role allows nothing")
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	if never == 0 {
		_, err := fmt.Fprintln(out, "Everything that is seen here was used.")
		return err
	}
	_, err := fmt.Fprintf(out, "%d of %d were never used since the local cloud was started; --suggest writes the policies without them.\n", never, all)
	return err
}

// actionText is the action, with what a wildcard was used for.
func actionText(g control.Grant) string {
	if !strings.ContainsAny(g.Action, "*?") || len(g.Actions) == 0 {
		return g.Action
	}
	var uses []string
	for _, action := range slices.Sorted(maps.Keys(g.Actions)) {
		uses = append(uses, fmt.Sprintf("%s %d", action[strings.IndexByte(action, ':')+1:], g.Actions[action]))
	}
	return g.Action + " (" + strings.Join(uses, ", ") + ")"
}

// resourceText is what an ARN ends with, which is all that differs here.
func resourceText(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[5]
	}
	return arn
}
