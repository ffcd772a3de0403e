// Command message is the function of the routes sendMessage, editMessage,
// deleteMessage and typing.
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
	"example.com/chatstack/internal/connections"
	"example.com/chatstack/internal/env"
	"example.com/chatstack/internal/handler"
	"example.com/chatstack/internal/markup"
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
	name, endpoint, retention := vars.String("TABLE_NAME"), vars.URL("MANAGEMENT_ENDPOINT"), vars.Duration("MESSAGE_RETENTION")
	var limits chat.Limits
	vars.JSON("LIMITS", &limits)
	if err := vars.Err(); err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	table := chattable.New(dynamodb.NewFromConfig(aws), name)
	table.Retention = retention
	service := &chat.Service{
		Store:    table,
		Poster:   connections.New(aws, endpoint, connections.Options{}),
		Sanitize: markup.NewSanitizer().Sanitize,
		Limits:   limits,
		Log:      log,
	}
	return &handler.WebSocket{Chat: service, Log: log}, nil
}
