package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Args[0] == relayName {
		main()
	}
	goleak.VerifyTestMain(m)
}

// started is DynamoDB Local for one test.
func started(t *testing.T) *engine {
	t.Helper()
	e, err := start(t.Context())
	var unavailable *unavailableError
	if errors.As(err, &unavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	return e
}

func TestTablesThatACommandLeavesAreNamed(t *testing.T) {
	t.Parallel()
	e := started(t)
	if err := e.run(t.Context(), []string{"true"}); err != nil {
		t.Errorf("a command that leaves nothing: %v", err)
	}
	_, err := e.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("forgotten"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.run(t.Context(), []string{"true"}); err == nil || !strings.Contains(err.Error(), "forgotten") {
		t.Errorf("a command that leaves a table: %v, want its name", err)
	}
	var exit *exec.ExitError
	if err := e.run(t.Context(), []string{"sh", "-c", "exit 3"}); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("a command that fails: %v, want its exit code", err)
	}
}

func TestNothingLivesOnWithoutTheOneWhoStartedIt(t *testing.T) {
	t.Parallel()
	e := started(t)
	children := fmt.Sprintf("/proc/%d/task/%[1]d/children", e.relay.Process.Pid)
	java, err := os.ReadFile(children)
	if err != nil || len(java) == 0 {
		t.Skipf("this system does not tell a process's children: %v", err)
	}
	e.stop()
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(java))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("DynamoDB Local is still there: %v", err)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var unavailable *unavailableError
	if _, err := start(t.Context()); !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "java") {
		t.Errorf("without Java: %v", err)
	}
}
