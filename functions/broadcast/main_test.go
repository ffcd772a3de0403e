package main

import (
	"testing"

	"example.com/chatstack/internal/function/functiontest"
)

func TestNewHandler(t *testing.T) {
	functiontest.Needs(t, newHandler, map[string]string{
		"TABLE_NAME":          "chat",
		"IDENTITY":            "jwt",
		"MANAGEMENT_ENDPOINT": "https://a.example/prod",
		"MESSAGE_RETENTION":   "720h0m0s",
		"LIMITS":              "{}",
	})
}
