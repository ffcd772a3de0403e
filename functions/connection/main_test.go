package main

import (
	"log/slog"
	"strings"
	"testing"
)

func TestNewHandler(t *testing.T) {
	variables := map[string]string{"TABLE_NAME": "chat", "DEFAULT_CHANNELS": `["General"]`, "ALLOWED_ORIGINS": "[]"}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	log := slog.New(slog.DiscardHandler)
	if _, err := newHandler(t.Context(), log); err != nil {
		t.Error(err)
	}
	for name, value := range variables {
		t.Setenv(name, "")
		if _, err := newHandler(t.Context(), log); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
		t.Setenv(name, value)
	}
	t.Setenv("DEFAULT_CHANNELS", `["a|b"]`)
	if _, err := newHandler(t.Context(), log); err == nil || !strings.Contains(err.Error(), "DEFAULT_CHANNELS") {
		t.Errorf("with a channel that is none: error %v", err)
	}
}
