// Command bot is a service that takes part in a chat through its table alone: it
// follows a channel and throws the dice for whoever writes "!roll 2d6" there.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/chat/chattable"
)

func main() {
	channel := flag.String("channel", "General", "the `channel` to follow")
	name := flag.String("name", "Dice", "the bot's `name` in the chat")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log, *channel, *name); err != nil {
		log.Error("bot ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, channel, name string) error {
	table := os.Getenv("TABLE_NAME")
	if table == "" {
		return errors.New("environment variable TABLE_NAME is not set: it is the stack's output tableName")
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	b := &bot{table: chattable.New(dynamodb.NewFromConfig(aws), table), channel: channel, name: name, log: log}
	return b.run(ctx)
}
