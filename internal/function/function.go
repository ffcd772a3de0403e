// Package function starts the chat's Lambda functions: it reads what all of them
// are told by their environment, and serves invocations, or says why it cannot.
package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
	"example.com/chatstack/internal/env"
)

// A Function is what a function is made of. Whatever is wrong with its
// environment is remembered, so that it is said all at once.
type Function struct {
	*env.Reader
	Log *slog.Logger
	// AWS is how to reach AWS.
	AWS aws.Config
}

// Start serves invocations with the handler that build makes, as [lambda.Start]
// takes it. If the environment lacks something that build asked for, or has it
// wrong, it logs that and ends the process.
func Start(build func(*Function) (handler any)) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	handler, err := Build(log, os.LookupEnv, build)
	if err != nil {
		log.Error("function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

// Build is what Start begins with.
func Build(log *slog.Logger, lookup func(string) (string, bool), build func(*Function) any) (handler any, err error) {
	f := &Function{Reader: env.NewReader(lookup), Log: log}
	if f.AWS, err = config.LoadDefaultConfig(context.Background()); err != nil {
		return nil, err
	}
	handler = build(f)
	return handler, f.Err()
}

// Table is the chat's table.
func (f *Function) Table() *chattable.Table {
	return chattable.New(dynamodb.NewFromConfig(f.AWS), f.String("TABLE_NAME"))
}

// Chat is the chat on a table, at a stage that knows its users or does not.
func (f *Function) Chat(table *chattable.Table) *chat.Service {
	return &chat.Service{Store: table, RequireUser: f.String("IDENTITY") != "anonymous", Log: f.Log}
}

// Limits are what the stage allows its clients.
func (f *Function) Limits() (limits chat.Limits) {
	f.JSON("LIMITS", &limits)
	return limits
}

// Channels gives a variable that must hold a JSON array of channels' names.
func (f *Function) Channels(name string) []string {
	channels := f.Strings(name)
	var errs []error
	for _, channelID := range channels {
		if err := chat.CheckChannelID(channelID); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", channelID, err))
		}
	}
	f.Refuse(name, errors.Join(errs...))
	return channels
}
