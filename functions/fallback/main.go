// Command fallback is the function of the route $default: it tells the sender of
// a frame that no route took what is wrong with it.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/env"
	"example.com/chatstack/internal/handler"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h, err := newHandler(log)
	if err != nil {
		log.Error("function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

func newHandler(log *slog.Logger) (*handler.WebSocket, error) {
	vars := env.NewReader(os.LookupEnv)
	actions := vars.Strings("FURTHER_ACTIONS")
	if err := vars.Err(); err != nil {
		return nil, err
	}
	return &handler.WebSocket{Chat: &chat.Service{FurtherActions: actions, Log: log}, Log: log}, nil
}
