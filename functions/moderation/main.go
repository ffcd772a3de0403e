// Command moderation is the function of the routes kickUser, banUser, unbanUser,
// muteUser, unmuteUser and setSlowMode.
package main

import (
	"context"
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
	table := vars.String("TABLE_NAME")
	if err := vars.Err(); err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	service := &chat.Service{Store: chattable.New(dynamodb.NewFromConfig(aws), table), Log: log}
	return &handler.WebSocket{Chat: service, Log: log}, nil
}
