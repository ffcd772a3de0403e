package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"example.com/chatstack/internal/toolchain"
)

// Where AWS is asked instead of the local cloud.
const (
	endpointVar = "CHATSTACK_CONFORMANCE_ENDPOINT" // of the subject's API main
	outputsVar  = "CHATSTACK_CONFORMANCE_OUTPUTS"  // file of the stack's outputs, as JSON
)

var (
	update    = flag.Bool("update", false, "write docs/parity.md")
	recordAWS = flag.Bool("record-aws", false, "write the results on AWS to testdata/aws.json")
	long      = flag.Bool("long", false, "on AWS, also wait for the limits of ten minutes and two hours")
)

// A subject is the deployed program that the cases ask.
type subject struct {
	outputs map[string]string
	cfg     aws.Config
	table   *dynamodb.Client
	streams *dynamodbstreams.Client

	cloud *localCloud // nil on AWS
}

// A localCloud is the chatstack command with a home of its own.
type localCloud struct{ command, home string }

// deployed returns the subject on AWS if the environment names one, and else
// deploys it to this machine.
func deployed(t *testing.T) *subject {
	t.Helper()
	ctx := t.Context()
	s := &subject{}
	var options []func(*config.LoadOptions) error
	if endpoint := os.Getenv(endpointVar); endpoint != "" {
		data, err := os.ReadFile(os.Getenv(outputsVar))
		if err == nil {
			err = json.Unmarshal(data, &s.outputs)
		}
		if err != nil {
			t.Fatalf("outputs of the subject in the file that %s names: %v", outputsVar, err)
		}
		if s.outputs["mainEndpoint"] != endpoint {
			t.Fatalf("%s is %s, but the outputs in %s are of %s", endpointVar, endpoint, os.Getenv(outputsVar), s.outputs["mainEndpoint"])
		}
	} else {
		s.cloud = startCloud(t)
		s.outputs = s.cloud.outputs(t)
		env := s.cloud.env(t)
		options = append(options,
			config.WithRegion(env["AWS_REGION"]),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")),
			config.WithBaseEndpoint(env["AWS_ENDPOINT_URL_DYNAMODB"]),
		)
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg, s.table, s.streams = cfg, dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg)
	return s
}

// output is one of the stack's outputs.
func (s *subject) output(c *check, name string) string {
	c.Helper()
	value := s.outputs[name]
	if value == "" {
		c.Fatalf("the subject has no output %s", name)
	}
	return value
}

// startCloud builds the chatstack command and deploys the subject with it.
func startCloud(t *testing.T) *localCloud {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(toolchain.DirVar, toolchain.Find(root))
	lookAtSources(t, root)
	dir := t.TempDir()
	l := &localCloud{command: filepath.Join(dir, "chatstack"), home: filepath.Join(dir, "home")}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", l.command, "./cmd/chatstack")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the chatstack command: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := l.try("down"); err != nil {
			t.Errorf("chatstack down: %v\n%s", err, out)
		}
	})
	began := time.Now()
	l.run(t, "up")
	t.Logf("deployed in %v", time.Since(began).Round(100*time.Millisecond))
	return l
}

// lookAtSources looks at every source of what is built below. The go command then
// knows that a result that it kept is of other sources, and runs the test again.
func lookAtSources(t *testing.T, root string) {
	t.Helper()
	for _, dir := range []string{"cmd", "components", "internal", "local", "tests/conformance/subject"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// try runs the command and returns what it printed.
func (l *localCloud) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.command, append([]string{"--program", "subject", "--home", l.home}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(out), err
}

func (l *localCloud) run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := l.try(args...)
	if err != nil {
		t.Fatalf("chatstack %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (l *localCloud) outputs(t testing.TB) (outputs map[string]string) {
	t.Helper()
	if err := json.Unmarshal([]byte(l.run(t, "outputs", "--json")), &outputs); err != nil {
		t.Fatalf("chatstack outputs: %v", err)
	}
	return outputs
}

// env is what chatstack env sets.
func (l *localCloud) env(t testing.TB) map[string]string {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(l.run(t, "env")) {
		if assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			env[name] = value
		}
	}
	return env
}

// pass lets time pass: on this machine by the control API of the local cloud, on
// AWS by waiting.
func (s *subject) pass(c *check, d time.Duration) {
	c.Helper()
	if s.cloud != nil {
		s.cloud.advance(c, d)
		return
	}
	c.Logf("waiting for %v", d)
	select {
	case <-time.After(d):
	case <-c.Context().Done():
	}
}

func (l *localCloud) advance(c *check, d time.Duration) {
	c.Helper()
	var address struct{ URL, Token string }
	data, err := os.ReadFile(filepath.Join(l.home, "cloud.json"))
	if err == nil {
		err = json.Unmarshal(data, &address)
	}
	if err != nil {
		c.Fatalf("address of the local cloud: %v", err)
	}
	body := strings.NewReader(fmt.Sprintf(`{"advance":%q}`, d))
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, address.URL+"/control/clock", body)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+address.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		c.Fatalf("let %v pass: %s %s", d, resp.Status, answer)
	}
}
