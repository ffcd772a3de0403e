package main

import (
	"context"
	"fmt"
	"os"
)

// downCommand destroys the stage and stops the local cloud.
type downCommand struct{}

func (*downCommand) Run(ctx context.Context, p *project) error {
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.destroy(ctx); err != nil {
		return err
	}
	cloud, err := p.running(ctx)
	if err != nil {
		return err
	}
	if cloud == nil {
		fmt.Fprintf(os.Stderr, "Nothing runs in %s.\n", p.home)
		return nil
	}
	if err := p.stop(ctx, cloud); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "The local cloud has stopped.")
	return nil
}

// destroy destroys the stage's stack, for which the local cloud must run.
func (p *project) destroy(ctx context.Context) error {
	if held, err := p.heldResources(); err != nil || len(held) == 0 {
		return err // without one, nothing is deployed
	}
	cloud, engine, err := p.openStage(ctx, false)
	if err != nil {
		return err
	}
	defer engine.close()
	if err := engine.show(ctx, os.Stdout, "destroy", "--yes", "--skip-preview", "--stack", stage); err != nil {
		return err
	}
	return p.forgetLeftovers(ctx, cloud)
}
