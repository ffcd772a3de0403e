package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// exportUserCommand writes all that the table has of a user.
type exportUserCommand struct {
	stageFlag
	User string `arg:"" help:"The user's id."`
}

// Help is shown by --help.
func (*exportUserCommand) Help() string {
	return `Writes all that the stage's table has of a user to standard output, as JSON, one
item a line: {"kind":"message","item":{…}}. It reads the whole table, which DynamoDB
charges for, and needs the permission dynamodb:Scan.`
}

func (c *exportUserCommand) Run(ctx context.Context, p *project) error {
	if err := chat.CheckUser(c.User); err != nil {
		return err
	}
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	items := 0
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for i, err := range table.ExportUser(ctx, c.User) {
		if err == nil {
			err = encoder.Encode(i)
		}
		if err != nil {
			return err
		}
		items++
	}
	fmt.Fprintf(os.Stderr, "%s of %s.\n", count(items, "item"), visible(c.User))
	return nil
}

// eraseUserCommand removes all that the table has of a user.
type eraseUserCommand struct {
	stageFlag
	User string        `arg:"" help:"The user's id."`
	Yes  bool          `help:"Do not ask."`
	Wait time.Duration `default:"10m" help:"How long to wait until all is gone. Default: ${default}."`
	JSON bool          `help:"Report as a JSON object, for programs."`
}

// Help is shown by --help.
func (*eraseUserCommand) Help() string {
	return `Closes the user's connections and removes all that export-user shows: messages
lose their content and their author and keep their place, the rest is deleted. It
cannot be undone. Make sure first that the user gets no new token; a ban goes as well
and does not keep it out. Run it again for what was left or came meanwhile.`
}

// whatStays is what no command reaches.
const whatStays = `
Not reached, and gone by itself:
  backups of the table (point-in-time recovery)    after 35 days at most
  the table's stream, unfinished deliveries        after 24 hours
  the functions' logs, which have no contents      after the stage's logRetentionDays
  dead letters, which have no contents             after 14 days at most
A ban that was erased lets the user back in.
`

func (c *eraseUserCommand) Run(ctx context.Context, p *project) error {
	if err := chat.CheckUser(c.User); err != nil {
		return err
	}
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	if !c.Yes {
		fmt.Fprintf(os.Stderr, "This erases %s from the stack %s for good. Type the user's id to go on: ", visible(c.User), c.Stack)
		typed, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		if strings.TrimSpace(typed) != strings.TrimSpace(c.User) {
			return &exitError{code: exitFailure, text: "nothing was erased; --yes does not ask"}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	report, err := table.EraseUser(ctx, c.User)
	if c.JSON {
		err = errors.Join(err, writeJSON(os.Stdout, map[string]any{"removed": report.Removed, "left": report.Left}))
	} else {
		err = errors.Join(err, writeReport(os.Stdout, report))
	}
	if err != nil {
		return fmt.Errorf("not all is erased, run it again: %w", err)
	}
	return nil
}

func writeReport(out io.Writer, report chattable.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "ITEM\tREMOVED\tLEFT\n")
	kinds := maps.Clone(report.Removed)
	maps.Copy(kinds, report.Left)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(table, "%s\t%d\t%d\n", kind, report.Removed[kind], report.Left[kind])
	}
	if len(kinds) == 0 {
		fmt.Fprint(table, "(none)\t\t\n")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, whatStays)
	return err
}
