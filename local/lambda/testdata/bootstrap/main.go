// Command bootstrap is the function that the tests run. The event says what it is
// to do; MODE says what it is to do before it asks for the first.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	case "allocates":
		allocate(256 << 20)
	case "cannot come up":
		fmt.Println("giving up")
		post("init/error", `{"errorMessage":"no configuration","errorType":"ConfigError"}`)
		if os.Getenv("LINGER") != "" {
			select {}
		}
		os.Exit(1)
	case "answers and exits":
		post("invocation/"+next()+"/response", `"answered"`)
		os.Exit(1)
	case "answers and lingers":
		post("invocation/"+next()+"/response", `"answered"`)
		select {}
	case "beats":
		beat(os.Getenv("TEXT"))
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
	case "write much", "write much and exit":
		for i := range 2000 {
			fmt.Println(i)
		}
		if e.Do == "write much and exit" {
			os.Exit(1)
		}
		return nil, nil
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
	case "leak":
		go beat(e.Text)
		return os.Getpid(), nil
	case "leak a process":
		child := exec.Command(os.Args[0])
		child.Env = []string{"MODE=beats", "TEXT=" + e.Text}
		return os.Getpid(), child.Start()
	case "wait for growth":
		for size(e.Text) <= e.Size {
			time.Sleep(time.Millisecond)
		}
		return os.Getpid(), nil
	case "allocate":
		allocate(e.Size)
		time.Sleep(e.Duration)
		return "allocated", nil
	case "write temporary":
		return os.TempDir(), os.WriteFile(filepath.Join(os.TempDir(), "kept"), []byte(e.Text), 0o600)
	case "read temporary":
		data, err := os.ReadFile(filepath.Join(os.TempDir(), "kept"))
		if errors.Is(err, os.ErrNotExist) {
			return "", nil
		}
		return string(data), err
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

// beat adds a byte to a file as long as the process runs.
func beat(path string) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	for {
		if _, err := file.WriteString("."); err != nil {
			log.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func size(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// allocated is what the process has in use, for good.
var allocated []byte

func allocate(n int) { allocated = bytes.Repeat([]byte{1}, n) }

// next and post are the Runtime API without the library.
func next() (id string) {
	resp, err := http.Get(runtimeURL("invocation/next"))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

func post(path, body string) {
	resp, err := http.Post(runtimeURL(path), "application/json", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		log.Fatal(resp.Status)
	}
}

func runtimeURL(path string) string {
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/" + path
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
