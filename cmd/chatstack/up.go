package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// upCommand deploys the stage.
type upCommand struct{}

func (*upCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.deploy(ctx, os.Stdout)
	if err != nil {
		return err
	}
	return p.showDeployed(ctx, os.Stdout, cloud)
}

// deploy brings the stage to what the program declares, and returns the cloud
// that runs it.
func (p *project) deploy(ctx context.Context, out io.Writer) (*connection, error) {
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cloud, engine, err := p.openStage(ctx, true)
	if err != nil {
		return nil, err
	}
	defer engine.close()
	if err := engine.build(ctx); err != nil {
		return nil, err
	}
	err = engine.show(ctx, out, "up", "--yes", "--skip-preview", "--stack", stage, "--suppress-outputs")
	if err != nil {
		return nil, err
	}
	return cloud, p.forgetLeftovers(ctx, cloud)
}

// build builds the program before Pulumi asks for it, so that people see what
// takes its time.
func (e *engine) build(ctx context.Context) error {
	defer e.project.steps.begin("building the program")()
	return e.host.Build(ctx, e.project.dir)
}

// forgetLeftovers has the local cloud drop what no stack holds: resources that
// an interrupted deployment made and could not note.
func (p *project) forgetLeftovers(ctx context.Context, cloud *connection) error {
	held, err := p.heldResources()
	if err != nil {
		return err
	}
	return cloud.Keep(ctx, held)
}

// showDeployed ends a deployment with what people need next.
func (p *project) showDeployed(ctx context.Context, out io.Writer, cloud *connection) error {
	engine, err := p.openEngine(ctx, nil)
	if err != nil {
		return err
	}
	defer engine.close()
	outputs, err := engine.outputs(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := printOutputs(out, outputs); err != nil {
		return err
	}
	status, err := cloud.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nOpen the chat page:  %s\nStop it all with:    %s\n", status.Page, p.how("down"))
	return nil
}

// how says how a command of this program is typed here.
func (p *project) how(command string) string {
	if os.Getenv("MAKELEVEL") != "" {
		return "make " + command
	}
	words := []string{"chatstack"}
	if here, err := os.Getwd(); err != nil || !strings.HasPrefix(here+string(os.PathSeparator), p.dir+string(os.PathSeparator)) {
		words = append(words, "--program", p.dir)
	}
	if p.home != filepath.Join(p.dir, ".chatstack") && os.Getenv("CHATSTACK_HOME") == "" {
		words = append(words, "--home", p.home)
	}
	return strings.Join(append(words, command), " ")
}

func printOutputs(out io.Writer, outputs map[string]any) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		fmt.Fprintf(table, "%s\t%v\n", name, outputs[name])
	}
	return table.Flush()
}
