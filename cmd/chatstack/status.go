package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/eventsource"
)

// statusCommand shows what runs.
type statusCommand struct{}

func (*statusCommand) Run(ctx context.Context, p *project) error {
	running, err := p.running(ctx)
	if err != nil {
		return err
	}
	if running == nil {
		return &exitError{code: exitStopped, text: fmt.Sprintf("nothing runs; `%s` starts it", p.how("up"))}
	}
	status, err := running.Status(ctx)
	if err != nil {
		return err
	}
	advanced, err := running.Advanced(ctx)
	if err != nil {
		return err
	}
	rules, err := running.Faults(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	defer table.Flush()
	fmt.Fprintf(table, "local cloud\tprocess %d, for %s, Region %s\n", running.PID, time.Since(status.Since).Round(time.Second), status.Region)
	fmt.Fprintf(table, "page\t%s\n", status.Page)
	if advanced > 0 {
		fmt.Fprintf(table, "clock\t%s\n", letPass(advanced))
	}
	for _, r := range rules {
		fmt.Fprintf(table, "fault %s\t%s\tstruck %d of %d\n", r.ID, describe(r), r.Struck, r.Asked)
	}
	writeOverview(table, status.Overview, status.Client.Endpoint)
	if len(status.APIs)+len(status.Functions)+len(status.Tables) == 0 {
		fmt.Fprintf(table, "nothing is deployed\t`%s` deploys the stage\n", p.how("up"))
	}
	return nil
}

// writeOverview writes what is deployed, a line each, in columns. tables is the
// endpoint of the tables.
func writeOverview(out io.Writer, o cloud.Overview, tables string) {
	for _, api := range o.APIs {
		fmt.Fprintf(out, "WebSocket API\t%s, stage %s\t%s\t%s open\n", api.Name, api.Stage, api.Endpoint, count(api.Connections, "connection"))
	}
	for _, function := range o.Functions {
		triggers := strings.Join(function.Triggers, " ")
		if function.Muted {
			triggers += " (its role does not let it write its log)"
		}
		fmt.Fprintf(out, "function\t%s\t%s\n", function.Name, triggers)
	}
	for _, m := range o.Mappings {
		fmt.Fprintf(out, "event source mapping\t%s\t%s, %s\t%s\n", m.Function, m.State, m.LastProcessingResult, counts(m.Counts))
		for _, shard := range m.Shards {
			for _, retry := range shard.Retrying {
				fmt.Fprintf(out, "\tretrying %s\t%s\t%s\n", count(retry.Records, "record"),
					"since "+retry.Since.Local().Format(time.TimeOnly)+", "+count(retry.Attempt, "failure"), retry.Error)
			}
		}
	}
	for _, r := range o.Rules {
		fmt.Fprintf(out, "rule\t%s\t%s, %s\tfired %s\n", r.Name, r.Schedule, r.State, count(r.Fired, "time"))
	}
	for _, t := range o.Tables {
		fmt.Fprintf(out, "table\t%s\t%s\n", t.Name, tables)
	}
	for _, queue := range o.Queues {
		fmt.Fprintf(out, "dead-letter queue\t%s\t%s\n", queue.Name, count(queue.Messages, "message"))
	}
	for _, idle := range o.Idle {
		fmt.Fprintf(out, "not run locally\t%s\t%s: %s\n", idle.ID, idle.Type, idle.Why)
	}
}

// counts says what a mapping has done with the records that it read.
func counts(c eventsource.Counts) string {
	text := count(int(c.Delivered), "record") + " delivered"
	for _, more := range []struct {
		n    int64
		what string // with how often, or how many
	}{
		{c.Filtered, fmt.Sprintf("%d filtered out", c.Filtered)},
		{c.Retries, "retried " + count(int(c.Retries), "time")},
		{c.Duplicates, "doubled " + count(int(c.Duplicates), "time")},
		{c.Dropped, fmt.Sprintf("%d given up", c.Dropped)},
		{c.Expired, fmt.Sprintf("%d expired", c.Expired)},
	} {
		if more.n > 0 {
			text += ", " + more.what
		}
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
