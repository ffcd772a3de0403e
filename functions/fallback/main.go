// Command fallback is the function of the route $default: it tells the sender of
// a frame that no route took what is wrong with it.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/handler"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h := &handler.WebSocket{Chat: &chat.Service{Log: log}, Log: log}
	lambda.Start(h.Handle)
}
