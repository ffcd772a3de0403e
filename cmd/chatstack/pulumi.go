package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// pulumiCommand runs Pulumi itself against the local stage.
type pulumiCommand struct {
	Args []string `arg:"" optional:"" help:"What to hand to Pulumi, behind --."`
}

const pulumiHelp = `Usage: chatstack pulumi -- ARGS

Runs "pulumi ARGS" in the program's folder, on the stack "local" and the local
cloud, with the state in .chatstack. For example:

  chatstack pulumi -- preview --diff
  chatstack pulumi -- stack export
  chatstack pulumi -- --help`

func (c *pulumiCommand) Run(ctx context.Context, p *project) error {
	args := c.Args
	switch {
	case len(args) > 0 && args[0] == "--":
		args = args[1:]
	case len(args) == 0 || args[0] == "--help" || args[0] == "-h":
		fmt.Println(pulumiHelp)
		return nil
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, engine, err := p.openStage(ctx, false)
	if err != nil {
		return err
	}
	defer engine.close()
	cmd := engine.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return &exitError{code: exit.ExitCode()} // Pulumi has said why
	}
	return err
}
