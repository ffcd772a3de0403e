// Package dynamotest gives tests a real DynamoDB-compatible table engine.
package dynamotest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/internal/toolchain"
	"example.com/chatstack/local/dynamo"
)

var shared struct {
	once     sync.Once
	endpoint string
	err      error
}

// Endpoint returns the base URL of an engine in memory that the tests of this
// process share and that ends with it: give each test a table of its own.
// $CHATSTACK_DYNAMODB_ENDPOINT names another one to run the tests on.
func Endpoint(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.endpoint, shared.err = start(context.Background()) })
	if shared.err != nil {
		t.Fatalf("no table engine for tests: %v", shared.err)
	}
	return shared.endpoint
}

// Client returns a client of the shared engine.
func Client(t testing.TB) *dynamodb.Client {
	t.Helper()
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(Endpoint(t)),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func start(ctx context.Context) (string, error) {
	opts := dynamo.EngineOptions{Endpoint: os.Getenv(dynamo.EndpointVar)}
	if opts.Endpoint == "" {
		path, err := Tools().Dynoxide(ctx)
		if err != nil {
			return "", err
		}
		opts.Path = path
	}
	engine, err := dynamo.Start(ctx, opts)
	if err != nil {
		return "", err
	}
	return engine.Endpoint(), nil
}

// Tools returns the toolchain of the module under test, in its own ignored
// folder.
func Tools() toolchain.Toolchain {
	dir, err := os.Getwd()
	if err == nil {
		if out, err := exec.Command("go", "env", "GOMOD").Output(); err == nil {
			dir = filepath.Dir(strings.TrimSpace(string(out)))
		}
	}
	return toolchain.Toolchain{Dir: toolchain.Find(dir)}
}
