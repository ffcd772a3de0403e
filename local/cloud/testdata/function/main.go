// Command function is what the tests of the local cloud deploy: it answers
// frames, fails on stream records, prints the time of scheduled events, and as an authorizer allows or denies as the
// header Effect says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

	Time string `json:"time"`

	MethodARN string            `json:"methodArn"`
	Headers   map[string]string `json:"headers"`
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func main() {
	lambda.Start(func(ctx context.Context, e event) (any, error) {
		if e.Records != nil {
			return nil, errors.New("records are not taken")
		}
		if e.Time != "" {
			fmt.Println("scheduled at", e.Time)
			if os.Getenv("FAIL") != "" {
				return nil, errors.New("scheduled events are not taken")
			}
			return nil, nil
		}
		if e.MethodARN != "" {
			return policy(e.Headers["Effect"], e.MethodARN), nil
		}
		var frame struct{ Action string }
		if e.Body != "" {
			if err := json.Unmarshal([]byte(e.Body), &frame); err != nil {
				return nil, err
			}
		}
		return answer{StatusCode: 200, Body: do(ctx, frame.Action)}, nil
	})
}

// policy is an authorizer's answer.
func policy(effect, resource string) any {
	type object = map[string]any
	return object{"principalId": "someone", "policyDocument": object{
		"Version":   "2012-10-17",
		"Statement": []object{{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}},
	}}
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
