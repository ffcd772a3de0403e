package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"example.com/chatstack/local/cloud"
)

// dlqCommand shows what event source mappings gave up.
type dlqCommand struct {
	List  dlqListCommand  `cmd:"" default:"withargs" help:"List the dead letters, the newest first. The default."`
	Clear dlqClearCommand `cmd:"" help:"Empty the dead-letter queues."`
}

// Help is shown by --help.
func (*dlqCommand) Help() string {
	return `Shows what event source mappings gave up, after their retries or the records'
age. A dead letter holds no records, only where in the stream they are; they are
read again from there for as long as the stream keeps them.

    chatstack dlq              one line a letter
    chatstack dlq 5f3c         one letter whole, by its id or how that begins
    chatstack dlq --records    all of them whole
    chatstack dlq --json       all of them, for programs
    chatstack dlq clear        empty the queues`
}

type dlqListCommand struct {
	ID      string `arg:"" optional:"" help:"Show this letter whole, by its id or how that begins."`
	Records bool   `help:"Show every letter whole, with the records that it speaks of."`
	JSON    bool   `help:"As a JSON list, for programs."`
}

func (c *dlqListCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	letters, err := cloud.DeadLetters(ctx)
	if err != nil {
		return err
	}
	if c.ID != "" {
		if letters, err = lettersByID(letters, c.ID); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return writeJSON(os.Stdout, letters)
	case len(letters) == 0:
		fmt.Fprintln(os.Stdout, "There are no dead letters.")
		return nil
	case c.Records || c.ID != "":
		return writeWholeLetters(os.Stdout, letters)
	}
	return writeLetters(os.Stdout, letters)
}

// lettersByID returns the letters whose ids begin with id.
func lettersByID(letters []cloud.Letter, id string) ([]cloud.Letter, error) {
	var found []cloud.Letter
	for _, l := range letters {
		if strings.HasPrefix(l.ID, id) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no dead letter has an id that begins with %s: `chatstack dlq` lists them", id)
	}
	return found, nil
}

const letterTime = "2006-01-02 15:04:05"

func writeLetters(out io.Writer, letters []cloud.Letter) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "SENT\tID\tFUNCTION\tWHY\tINVOKED\tRECORDS\tQUEUE\n")
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%.8s\t%s\t%s\t%s\t%d\t%s\n",
			l.SentAt.Local().Format(letterTime), l.ID, l.Function, l.Condition, count(l.InvokeCount, "time"), l.BatchSize, l.Queue)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, "\n`chatstack dlq ID` shows a letter whole, with its records.\n")
	return err
}

func writeWholeLetters(out io.Writer, letters []cloud.Letter) error {
	for i, l := range letters {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s  %s  sent to %s\n", l.SentAt.Local().Format(letterTime), l.ID, l.Queue)
		if err := writeIndented(out, l.Body); err != nil {
			return err
		}
		switch {
		case len(l.Records) == 0:
			fmt.Fprintln(out, "Its records are no longer in the stream.")
		case len(l.Records) < l.BatchSize:
			fmt.Fprintf(out, "Of its %d records, %d are still in the stream:\n", l.BatchSize, len(l.Records))
		default:
			fmt.Fprintln(out, "Its records:")
		}
		for _, record := range l.Records {
			if err := writeIndented(out, record); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeIndented writes JSON for people; what is none, as it is.
func writeIndented(out io.Writer, data json.RawMessage) error {
	var text bytes.Buffer
	if json.Indent(&text, data, "  ", "  ") != nil {
		text.Reset()
		text.Write(data)
	}
	_, err := fmt.Fprintf(out, "  %s\n", text.Bytes())
	return err
}

// dlqClearCommand empties the queues.
type dlqClearCommand struct{}

func (*dlqClearCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	if err := cloud.ClearDeadLetters(ctx); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "The dead-letter queues are empty.")
	return nil
}
