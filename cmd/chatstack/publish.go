package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// publishCommand has the chat send a message.
type publishCommand struct {
	stageFlag
	Channel string        `arg:"" help:"Channel to speak in."`
	Content string        `arg:"" help:"What to say, as markup that the chat sanitises; - reads it from standard input."`
	Name    string        `default:"Operator" help:"Who says it. Default: ${default}."`
	ID      string        `placeholder:"TEXT" help:"The message's id: for 10 minutes, the same again makes no second message. Default: a new one."`
	Wait    time.Duration `default:"30s" help:"How long to wait until it is out. Default: ${default}."`
}

func (c *publishCommand) Run(ctx context.Context, p *project) error {
	if c.Content == "-" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		c.Content = strings.TrimSpace(string(text))
	}
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	sent, err := table.Publish(ctx, chat.PublishRequest{ChannelID: c.Channel, Name: c.Name, Content: c.Content, MessageID: c.ID})
	if err != nil {
		return undone("publish it", err)
	}
	fmt.Fprintf(os.Stdout, "Message %d of %s.\n", sent.Seq, visible(sent.ChannelID))
	return nil
}

// undone says why the chat did not do what a request asks for.
func undone(what string, err error) error {
	rejected, ok := errors.AsType[*chattable.RejectedError](err)
	switch {
	case ok:
		return fmt.Errorf("the chat does not %s: %s", what, rejected.Reason)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the chat has not come to %s yet; the request waits in the table: %w", what, err)
	}
	return err
}
