package main

import (
	"strings"
	"testing"

	"example.com/chatstack/internal/function/functiontest"
)

func TestNewHandler(t *testing.T) {
	variables := map[string]string{
		"TABLE_NAME": "chat", "IDENTITY": "jwt", "LIMITS": "{}", "DEFAULT_CHANNELS": `["General"]`, "ALLOWED_ORIGINS": "[]",
	}
	functiontest.Needs(t, newHandler, variables)
	variables["DEFAULT_CHANNELS"] = `["a|b"]`
	if err := functiontest.Start(newHandler, variables); err == nil || !strings.Contains(err.Error(), "DEFAULT_CHANNELS") {
		t.Errorf("with a channel that is none: error %v", err)
	}
}
