package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// whoCommand shows who is in a channel.
type whoCommand struct {
	stageFlag
	Channel string `arg:"" help:"Channel to look at."`
	JSON    bool   `help:"As a JSON list, for programs."`
}

// memberPage is how many members are read at a time.
const memberPage = 500

// A memberLine is a member as programs read it.
type memberLine struct {
	User        string    `json:"user"`
	Name        string    `json:"name"`
	Connections []string  `json:"connections"`
	Since       time.Time `json:"since"`
}

func (c *whoCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	members := []memberLine{}
	for m, err := range table.ListMembers(ctx, c.Channel, "", memberPage) {
		if err != nil {
			return err
		}
		members = append(members, memberLine{User: m.User, Name: m.Name, Connections: m.Connections, Since: m.Since})
	}
	if c.JSON {
		return writeJSON(os.Stdout, members)
	}
	if len(members) == 0 {
		fmt.Fprintf(os.Stdout, "Nobody is in %s.\n", visible(c.Channel))
		return nil
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprint(out, "USER\tNAME\tSINCE\tCONNECTIONS\n")
	for _, m := range members {
		user := m.User
		if user == "" {
			user = "(anonymous)"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", visible(user), visible(m.Name), m.Since.Local().Format(time.DateTime), visible(strings.Join(m.Connections, " ")))
	}
	return out.Flush()
}
