// Package functiontest tests what the chat's functions want of their environment.
package functiontest

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"example.com/chatstack/internal/function"
)

// Needs checks that a function starts with these variables, and without any one of
// them says that it lacks it.
func Needs(t *testing.T, build func(*function.Function) any, variables map[string]string) {
	t.Helper()
	t.Setenv("AWS_REGION", "eu-central-1")
	if err := Start(build, variables); err != nil {
		t.Error(err)
	}
	for name := range variables {
		without := maps.Clone(variables)
		delete(without, name)
		if err := Start(build, without); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}

// Start gives why a function does not start with these variables.
func Start(build func(*function.Function) any, variables map[string]string) error {
	_, err := function.Build(slog.New(slog.DiscardHandler), func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}, build)
	return err
}
