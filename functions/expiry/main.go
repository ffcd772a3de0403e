// Command expiry is the function of the schedule that ends connections when the
// tokens expire with which they were opened.
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
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	service, err := newService(context.Background(), log)
	if err != nil {
		log.Error("function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(service.EndExpired) // whatever the event says
}

func newService(ctx context.Context, log *slog.Logger) (*chat.Service, error) {
	vars := env.NewReader(os.LookupEnv)
	name, endpoint := vars.String("TABLE_NAME"), vars.URL("MANAGEMENT_ENDPOINT")
	if err := vars.Err(); err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &chat.Service{
		Store:  chattable.New(dynamodb.NewFromConfig(aws), name),
		Poster: connections.New(aws, endpoint, connections.Options{}),
		Log:    log,
	}, nil
}
