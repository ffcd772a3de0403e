package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// clockCommand shows how much time was let pass, and lets more pass.
type clockCommand struct {
	Change string `arg:"" optional:"" placeholder:"+DURATION|reset" help:"What to let pass, as +10m, +2h or +1h30m, or reset. Default: show what was let pass."`
}

// Help is shown by --help.
func (*clockCommand) Help() string {
	return `Lets time pass for the whole local cloud at once: connections become idle or too
old, items with a TTL expire, what is retried is retried, stream records age.
Functions and timestamps stay in the machine's time.

    chatstack clock          how much time was let pass
    chatstack clock +10m     idle connections are closed
    chatstack clock +2h      every connection reaches its end
    chatstack clock reset    back to the machine's time; what has happened stays`
}

func (c *clockCommand) Run(ctx context.Context, p *project) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	switch {
	case c.Change == "":
		advanced, err := cloud.Advanced(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, letPass(advanced))
	case c.Change == "reset":
		if err := cloud.ResetClock(ctx); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, letPass(0))
	default:
		advanced, err := cloud.Advance(ctx, by)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, letPass(advanced))
	}
	return nil
}

// by is what is to be let pass.
func (c *clockCommand) by() (time.Duration, error) {
	if c.Change == "" || c.Change == "reset" {
		return 0, nil
	}
	d, err := time.ParseDuration(c.Change)
	if err != nil || d <= 0 {
		return 0, &exitError{code: exitUsage, text: fmt.Sprintf("%q cannot be let pass: say +10m, +2h or +36h, or reset", c.Change)}
	}
	return d, nil
}

// letPass says how much time was let pass.
func letPass(advanced time.Duration) string {
	if advanced == 0 {
		return "The clock is the machine's: no time was let pass."
	}
	return short(advanced) + " were let pass in all."
}

// short writes a duration without the zeros at its end: 2h10m, not 2h10m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
