// Command connection is the function of the routes $connect, $disconnect,
// whoami and ping.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
	"example.com/chatstack/internal/env"
	"example.com/chatstack/internal/handler"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h, err := newHandler(context.Background(), log)
	if err != nil {
		log.Error("function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

func newHandler(ctx context.Context, log *slog.Logger) (*handler.WebSocket, error) {
	vars := env.NewReader(os.LookupEnv)
	table, channels, origins := vars.String("TABLE_NAME"), vars.Strings("DEFAULT_CHANNELS"), vars.Strings("ALLOWED_ORIGINS")
	if err := vars.Err(); err != nil {
		return nil, err
	}
	for _, channelID := range channels {
		if err := chat.CheckChannelID(channelID); err != nil {
			return nil, fmt.Errorf("environment variable DEFAULT_CHANNELS: %q: %w", channelID, err)
		}
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	service := &chat.Service{
		Store:           chattable.New(dynamodb.NewFromConfig(aws), table),
		DefaultChannels: channels,
		Log:             log,
	}
	return &handler.WebSocket{Chat: service, Log: log, AllowedOrigins: origins}, nil
}
