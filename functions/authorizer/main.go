// Command authorizer is the function that decides who may connect: it verifies
// the token that a client offers, on stages with the identity jwt.
package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/chatstack/internal/env"
	"example.com/chatstack/internal/handler"
	"example.com/chatstack/internal/issuer"
	"example.com/chatstack/internal/token"
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

func newHandler(log *slog.Logger) (*handler.Authorizer, error) {
	vars := env.NewReader(os.LookupEnv)
	var settings issuer.Settings
	vars.JSON("JWT", &settings)
	if err := vars.Err(); err != nil {
		return nil, err
	}
	if err := settings.Check(); err != nil {
		return nil, err
	}
	return &handler.Authorizer{Verifier: token.New(settings, http.DefaultClient, log), Log: log}, nil
}
