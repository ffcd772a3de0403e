package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"example.com/chatstack/chat"
)

// exportUserCommand writes all that the table has of a user.
type exportUserCommand struct {
	stageFlag
	User string `arg:"" help:"The user's id."`
}

// Help is shown by --help.
func (*exportUserCommand) Help() string {
	return `Writes all that the stage's table has of a user to standard output, as JSON, one
item a line: {"kind":"message","item":{…}}. It reads the whole table, which DynamoDB
charges for, and needs the permission dynamodb:Scan.`
}

func (c *exportUserCommand) Run(ctx context.Context, p *project) error {
	if err := chat.CheckUser(c.User); err != nil {
		return err
	}
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	items := 0
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for i, err := range table.ExportUser(ctx, c.User) {
		if err == nil {
			err = encoder.Encode(i)
		}
		if err != nil {
			return err
		}
		items++
	}
	fmt.Fprintf(os.Stderr, "%s of %s.\n", count(items, "item"), visible(c.User))
	return nil
}
