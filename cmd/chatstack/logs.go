package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
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
	source, err := p.openLogs(ctx, false)
	if err != nil {
		return err
	}
	source.match = func(group string) bool {
		return strings.Contains(source.name(group), c.Function) || strings.Contains(group, c.Function)
	}
	source.keep = func(line logs.Line) bool { return c.Since == 0 || time.Since(line.At) < c.Since }
	if c.Follow {
		return source.follow(ctx, os.Stdout)
	}
	groups, err := source.store.Groups()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(groups, source.match) {
		var names []string
		for _, group := range groups {
			names = append(names, source.name(group))
		}
		if c.Function != "" && len(names) > 0 {
			return fmt.Errorf("no function that has printed has %q in its name; these have: %s", c.Function, strings.Join(names, ", "))
		}
		return errors.New("no function has printed anything yet")
	}
	return source.print(os.Stdout)
}

// A logSource shows the lines of functions as they come.
type logSource struct {
	store  *logs.Store
	cursor *logs.Cursor
	names  map[string]string        // of functions, by log group, as far as they were asked for
	lookup func() map[string]string // asks for them all

	match func(group string) bool // nil: all
	keep  func(logs.Line) bool    // nil: all
}

// openLogs opens the functions' logs: at their beginning or, with end, behind
// what is there.
func (p *project) openLogs(ctx context.Context, end bool) (*logSource, error) {
	store := &logs.Store{Dir: p.path("cloud", "logs")}
	cursor, err := store.From(end)
	if err != nil {
		return nil, err
	}
	return &logSource{
		store: store, cursor: cursor, names: map[string]string{},
		lookup: func() map[string]string { return p.functionsByLogGroup(ctx) },
	}, nil
}

// functionsByLogGroup asks the local cloud, where it runs, which function has
// which log group.
func (p *project) functionsByLogGroup(ctx context.Context) map[string]string {
	names := map[string]string{}
	if cloud, err := p.running(ctx); err == nil && cloud != nil {
		if status, err := cloud.Status(ctx); err == nil {
			for _, function := range status.Functions {
				names[function.LogGroup] = function.Name
			}
		}
	}
	return names
}

// name is the function's, or the log group's own where that is all that is known.
func (s *logSource) name(group string) string {
	if _, asked := s.names[group]; !asked {
		s.names[group] = group[strings.LastIndex(group, "/")+1:]
		maps.Copy(s.names, s.lookup())
	}
	return s.names[group]
}

// followEvery is how often new lines are looked for.
const followEvery = 200 * time.Millisecond

// follow prints lines as they come until ctx ends.
func (s *logSource) follow(ctx context.Context, out io.Writer) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := s.print(out); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// print prints the lines that came since the last call.
func (s *logSource) print(out io.Writer) error {
	lines, err := s.cursor.Next(s.match)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if s.keep == nil || s.keep(line) {
			fmt.Fprintf(out, "%s %s  %s\n", line.At.Local().Format("15:04:05.000"), s.name(line.Group), line.Text)
		}
	}
	return nil
}
