// Command bootstrap is the function that the tests run. The event says what it is
// to do; MODE says what it is to do before it asks for the first.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// An event asks for one thing.
type event struct {
	Do       string        `json:"do"`
	Text     string        `json:"text"`
	Size     int           `json:"size"`
	Duration time.Duration `json:"duration"`
}

func main() {
	log.SetFlags(0)
	fmt.Println("coming up")
	var opts []lambda.Option
	switch os.Getenv("MODE") {
	case "needs a variable":
		if os.Getenv("TABLE_NAME") == "" {
			log.Fatal("the environment variable TABLE_NAME is not set")
		}
	case "comes up late":
		wait, err := time.ParseDuration(os.Getenv("WAIT"))
		if err != nil {
			log.Fatal(err)
		}
		time.Sleep(wait)
	case "comes up the second time":
		if err := os.Mkdir(os.Getenv("MARK"), 0o700); err == nil {
			log.Fatal("the first time")
		}
	case "sigterm":
		opts = append(opts, lambda.WithEnableSIGTERM(func() {
			fmt.Println("told to end")
			if os.Getenv("LINGER") != "" {
				select {}
			}
			os.Exit(0)
		}))
	}
	lambda.StartWithOptions(handle, opts...)
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "echo":
		fmt.Println("echo " + e.Text)
		return e.Text, nil
	case "nothing":
		return nil, nil
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "deep panic":
		return deep(2000, e.Text), nil
	case "exit":
		code, err := strconv.Atoi(e.Text)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(os.Stderr, "leaving")
		os.Exit(code)
	case "write much and exit":
		for i := range 2000 {
			fmt.Println(i)
		}
		os.Exit(1)
	case "sleep":
		time.Sleep(e.Duration)
		return "slept", nil
	case "wait for file":
		for {
			if _, err := os.Stat(e.Text); err == nil {
				return os.Getpid(), nil
			}
			time.Sleep(2 * time.Millisecond)
		}
	case "pid":
		return os.Getpid(), nil
	case "directory":
		dir, err := os.Getwd()
		return dir, err
	case "environment":
		return os.Environ(), nil
	case "deadline":
		deadline, _ := ctx.Deadline()
		return time.Until(deadline).Milliseconds(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		return map[string]string{"id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "trace": os.Getenv("_X_AMZN_TRACE_ID")}, nil
	case "big":
		return strings.Repeat("x", e.Size), nil
	case "stream":
		return io.MultiReader(strings.NewReader(`"so far`), brokenReader{errors.New(e.Text)}), nil
	}
	return nil, fmt.Errorf("cannot do %s", mustJSON(e))
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func deep(n int, text string) int {
	if n == 0 {
		panic(strings.Repeat(text, 100<<10))
	}
	return deep(n-1, text) + 1
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }
