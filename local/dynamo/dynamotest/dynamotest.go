// Package dynamotest gives tests a real DynamoDB-compatible table engine.
package dynamotest

import (
	"context"
	"net/http"
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

// A sharedEngine runs while any test uses it.
type sharedEngine struct {
	mu     sync.Mutex
	users  int
	engine *dynamo.Engine
}

// shared is global because the tests of a process have no other way to one
// engine.
var shared sharedEngine

// Endpoint returns the base URL of an engine in memory that the tests of this
// process share, and which ends when no test uses it any more: give each test a
// table of its own. $CHATSTACK_DYNAMODB_ENDPOINT names another one to run the
// tests on.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint, err := shared.acquire(t.Context())
	if err != nil {
		t.Fatalf("no table engine for tests: %v", err)
	}
	t.Cleanup(shared.release)
	return endpoint
}

func (s *sharedEngine) acquire(ctx context.Context) (endpoint string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine == nil {
		if s.engine, err = start(ctx); err != nil {
			return "", err
		}
	}
	s.users++
	return s.engine.Endpoint(), nil
}

func (s *sharedEngine) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.engine.Close()
		s.engine = nil
	}
}

// Client returns a client of the shared engine that lasts as long as the test.
func Client(t testing.TB) *dynamodb.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(Endpoint(t)),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   &http.Client{Transport: transport},
	})
}

func start(ctx context.Context) (*dynamo.Engine, error) {
	opts := dynamo.EngineOptions{Endpoint: os.Getenv(dynamo.EndpointVar)}
	if opts.Endpoint == "" {
		path, err := Tools().Dynoxide(ctx)
		if err != nil {
			return nil, err
		}
		opts.Path = path
	}
	return dynamo.Start(ctx, opts)
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
