package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// statusCommand shows what runs.
type statusCommand struct{}

func (*statusCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.running(ctx)
	if err != nil {
		return err
	}
	if cloud == nil {
		return &exitError{code: exitStopped, text: fmt.Sprintf("nothing runs; `%s` starts it", p.how("up"))}
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	defer table.Flush()
	fmt.Fprintf(table, "local cloud\tprocess %d, for %s, Region %s\n", cloud.PID, time.Since(status.Since).Round(time.Second), status.Region)
	fmt.Fprintf(table, "page\t%s\n", status.Page)
	for _, api := range status.APIs {
		fmt.Fprintf(table, "WebSocket API\t%s, stage %s\t%s\t%s open\n", api.Name, api.Stage, api.Endpoint, count(api.Connections, "connection"))
	}
	for _, function := range status.Functions {
		fmt.Fprintf(table, "function\t%s\t%s\n", function.Name, strings.Join(function.Triggers, " "))
	}
	for _, t := range status.Tables {
		fmt.Fprintf(table, "table\t%s\t%s\n", t.Name, status.Client.Endpoint)
	}
	for _, queue := range status.Queues {
		fmt.Fprintf(table, "dead-letter queue\t%s\t%s\n", queue.Name, count(queue.Messages, "message"))
	}
	for _, idle := range status.Idle {
		fmt.Fprintf(table, "not run locally\t%s\t%s: %s\n", idle.ID, idle.Type, idle.Why)
	}
	if len(status.APIs)+len(status.Functions)+len(status.Tables) == 0 {
		fmt.Fprintf(table, "nothing is deployed\t`%s` deploys the stage\n", p.how("up"))
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
