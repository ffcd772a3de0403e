package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// pulumiCommand runs Pulumi itself against the local stage.
type pulumiCommand struct {
	Args []string `arg:"" optional:"" help:"What to hand to Pulumi, behind --."`
}

func (c *pulumiCommand) Run(ctx context.Context, p *project) error {
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, engine, err := p.openStage(ctx)
	if err != nil {
		return err
	}
	defer engine.close()
	args := c.Args
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	cmd := engine.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return &exitError{code: exit.ExitCode()} // Pulumi has said why
	}
	return err
}
