package main

import (
	"log/slog"
	"strings"
	"testing"
)

func TestNewService(t *testing.T) {
	variables := map[string]string{"TABLE_NAME": "chat", "MANAGEMENT_ENDPOINT": "https://a.example/prod"}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	log := slog.New(slog.DiscardHandler)
	if _, err := newService(t.Context(), log); err != nil {
		t.Error(err)
	}
	for name, value := range variables {
		t.Setenv(name, "")
		if _, err := newService(t.Context(), log); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
		t.Setenv(name, value)
	}
}
