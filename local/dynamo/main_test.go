package dynamo_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The table engine that the tests share lives as long as their process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("example.com/chatstack/local/process.(*Process).wait"))
}
