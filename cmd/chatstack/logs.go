package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/chatstack/local/logs"
)

// logsCommand shows what the functions printed.
type logsCommand struct {
	Function string        `arg:"" optional:"" help:"Only functions whose name has this in it, e.g. message. Default: all."`
	Follow   bool          `short:"f" help:"Go on with lines as they come, until Ctrl-C."`
	Since    time.Duration `help:"Only lines younger than this, e.g. 10m. Default: all that is kept."`
}

func (c *logsCommand) Run(ctx context.Context, p *project) error {
	store := &logs.Store{Dir: p.path("cloud", "logs")}
	match := func(group string) bool { return strings.Contains(group, c.Function) }
	groups, err := store.Groups()
	if err != nil {
		return err
	}
	found := false
	for _, group := range groups {
		found = found || match(group)
	}
	if !found && !c.Follow {
		if c.Function != "" && len(groups) > 0 {
			return fmt.Errorf("no function that has printed has %q in its name; these have: %s", c.Function, strings.Join(groups, ", "))
		}
		return fmt.Errorf("no function has printed anything yet; `%s` deploys the stage", p.how("up"))
	}
	cursor, err := store.From(false)
	if err != nil {
		return err
	}
	young := func(line logs.Line) bool { return c.Since == 0 || time.Since(line.At) < c.Since }
	if !c.Follow {
		return printNew(os.Stdout, cursor, match, young)
	}
	return follow(ctx, os.Stdout, cursor, match, young)
}

// followEvery is how often new lines are looked for.
const followEvery = 200 * time.Millisecond

func follow(ctx context.Context, out io.Writer, cursor *logs.Cursor, match func(string) bool, keep func(logs.Line) bool) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := printNew(out, cursor, match, keep); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func printNew(out io.Writer, cursor *logs.Cursor, match func(string) bool, keep func(logs.Line) bool) error {
	lines, err := cursor.Next(match)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if keep == nil || keep(line) {
			name := line.Group[strings.LastIndex(line.Group, "/")+1:]
			fmt.Fprintf(out, "%s %s  %s\n", line.At.Local().Format("15:04:05.000"), name, line.Text)
		}
	}
	return nil
}
