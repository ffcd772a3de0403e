package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/local/process"
)

// EndpointVar names the environment variable that points to a
// DynamoDB-compatible endpoint to be used instead of Dynoxide.
const EndpointVar = "CHATSTACK_DYNAMODB_ENDPOINT"

// startTimeout bounds how long an engine may take to answer, and stopTimeout
// how long it may take to put its tables in order.
const (
	startTimeout = 15 * time.Second
	stopTimeout  = 3 * time.Second
)

// An Engine is a running DynamoDB-compatible endpoint.
type Engine struct {
	endpoint string
	process  *process.Process // nil for an endpoint that was given
}

// EngineOptions say what to run.
type EngineOptions struct {
	// Endpoint is the base URL of a DynamoDB-compatible service that runs
	// already, or will within 15 s; when it is set, nothing is started.
	Endpoint string

	Path     string            // the Dynoxide executable
	Database string            // its SQLite file; empty keeps tables in memory
	Output   func(line string) // gets the lines that it prints; nil discards them
}

// Start starts the engine, or checks the endpoint that was given, and returns
// once it answers.
func Start(ctx context.Context, opts EngineOptions) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if opts.Endpoint != "" {
		return attach(ctx, opts.Endpoint)
	}
	engine, err := start(ctx, opts)
	for attempt := 1; err != nil && attempt < startAttempts && ctx.Err() == nil; attempt++ {
		engine, err = start(ctx, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("start the table engine: %w", err)
	}
	return engine, nil
}

// startAttempts are made because the port that was free may be taken by someone
// else before the engine has it.
const startAttempts = 3

func start(ctx context.Context, opts EngineOptions) (*Engine, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	engine := &Engine{endpoint: "http://127.0.0.1:" + strconv.Itoa(port)}
	args := []string{"--host", "127.0.0.1", "--port", strconv.Itoa(port)}
	if opts.Database != "" {
		args = append(args, "--db-path", opts.Database)
	}
	listens := make(chan struct{}, 1)
	engine.process, err = process.Start(context.Background(), process.Options{
		Path: opts.Path, Args: args,
		Stdout: func(line string) {
			if strings.Contains(line, engine.endpoint) {
				select {
				case listens <- struct{}{}:
				default:
				}
			}
			if opts.Output != nil {
				opts.Output(line)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	// Only its own word that it listens tells it from another program that took
	// the port meanwhile.
	select {
	case <-listens:
		err = engine.wait(ctx)
	case <-engine.Done():
		err = errEnded
	case <-ctx.Done():
		err = fmt.Errorf("it does not listen within %v", startTimeout)
	}
	if err != nil {
		engine.Close()
		return nil, err
	}
	return engine, nil
}

func attach(ctx context.Context, endpoint string) (*Engine, error) {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("DynamoDB endpoint %q is not a URL: give it as http://HOST:PORT", endpoint)
	}
	engine := &Engine{endpoint: endpoint}
	if err := engine.wait(ctx); err != nil {
		return nil, fmt.Errorf("no DynamoDB at the endpoint %s: %w", endpoint, err)
	}
	return engine, nil
}

// Endpoint returns the engine's own base URL. Clients use a Front's.
func (e *Engine) Endpoint() string { return e.endpoint }

// Done is closed when an engine that was started here ends; it is nil, and so
// blocks for ever, for an endpoint that was given.
func (e *Engine) Done() <-chan struct{} {
	if e.process == nil {
		return nil
	}
	return e.process.Done()
}

// Close stops the engine if it was started here, and waits for its end.
func (e *Engine) Close() {
	if e.process != nil {
		e.process.Stop(stopTimeout)
	}
}

// errEnded reports an engine that ended before it was of any use.
var errEnded = errors.New("it ended at once; its output says why")

// wait asks for the tables until the engine lists them. What answers, but not as
// DynamoDB does, is not waited for.
func (e *Engine) wait(ctx context.Context) error {
	transport := &http.Transport{DisableKeepAlives: true}
	client := newClient(e.endpoint, transport)
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
		if err == nil {
			return nil
		}
		var answer interface{ HTTPStatusCode() int }
		if errors.As(err, &answer) && answer.HTTPStatusCode() < http.StatusInternalServerError {
			return fmt.Errorf("what answers is no DynamoDB: %w", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-e.Done():
			return errEnded
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// accessKey and scopeRegion are what every call to an engine is signed with, by
// the local cloud itself and, through a Front, by all others: DynamoDB Local
// keeps tables apart by them.
const (
	accessKey   = "chatstack"
	scopeRegion = "us-east-1"
)

// newClient returns a client of the engine itself, which tries once.
func newClient(endpoint string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: scopeRegion, BaseEndpoint: &endpoint, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, accessKey, ""),
		HTTPClient:  &http.Client{Transport: transport},
	})
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
