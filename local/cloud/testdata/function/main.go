// Command function is what the tests of the local cloud deploy: it answers
// frames, and fails on stream records.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

var version = "1" // set by the linker

type event struct {
	Body    string
	Records []json.RawMessage
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func main() {
	lambda.Start(func(ctx context.Context, e event) (answer, error) {
		if e.Records != nil {
			return answer{}, errors.New("records are not taken")
		}
		var frame struct{ Action string }
		if e.Body != "" {
			if err := json.Unmarshal([]byte(e.Body), &frame); err != nil {
				return answer{}, err
			}
		}
		return answer{StatusCode: 200, Body: do(ctx, frame.Action)}, nil
	})
}

func do(ctx context.Context, action string) string {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(1))
	switch {
	case err != nil:
	case action == "elsewhere":
		_, err = apigatewaymanagementapi.NewFromConfig(cfg).PostToConnection(ctx,
			&apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String("c"), Data: []byte("d")})
	case action == "key":
		var keys aws.Credentials
		if keys, err = cfg.Credentials.Retrieve(ctx); err == nil {
			return keys.AccessKeyID
		}
	case action == "table":
		_, err = dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(os.Getenv("TABLE_NAME"))})
	}
	if err != nil {
		return err.Error()
	}
	return "version " + version
}
