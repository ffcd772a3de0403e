// Package dynamo runs the table of the local cloud: a DynamoDB-compatible
// engine (Dynoxide, or any endpoint that is given), behind an HTTP front that
// makes its ARNs read like AWS's, and the sweeper that its TTL lacks.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

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
	// already; when it is set, nothing is started.
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
	args := []string{"--host", "127.0.0.1", "--port", strconv.Itoa(port)}
	if opts.Database != "" {
		args = append(args, "--db-path", opts.Database)
	}
	child, err := process.Start(context.Background(), process.Options{Path: opts.Path, Args: args, Stdout: opts.Output})
	if err != nil {
		return nil, err
	}
	engine := &Engine{endpoint: "http://127.0.0.1:" + strconv.Itoa(port), process: child}
	if err := engine.wait(ctx); err != nil {
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
		return nil, fmt.Errorf("nothing answers at the DynamoDB endpoint %s: %w", endpoint, err)
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

// wait polls until the engine answers HTTP, whatever it answers.
func (e *Engine) wait(ctx context.Context) error {
	var last error
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.endpoint, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("no answer within %v", startTimeout), last)
		case <-e.Done():
			return errors.New("it ended at once; its output says why")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
