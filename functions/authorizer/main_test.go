package main

import (
	"log/slog"
	"strings"
	"testing"
)

// A function that could tell nobody from anybody does not start.
func TestNewHandler(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for jwt, want := range map[string]string{
		`{"issuer":"https://login.example","audience":["chat"],"claims":{}}`:  "",
		`{"issuer":"http://127.0.0.1:20000","audience":["chat"],"claims":{}}`: "",
		``: "JWT is not set",
		`{"issuer":"https://login.example","audience":["chat"],"claim":{}}`:                        "JWT",
		`{"issuer":"http://login.example","audience":["chat"],"claims":{}}`:                        "no https URL",
		`{"issuer":"https://login.example","audience":[],"claims":{}}`:                             "audience, is empty",
		`{"issuer":"https://login.example","audience":[""],"claims":{}}`:                           "audience, is empty",
		`{"issuer":"https://login.example","audience":["chat"],"jwksUrl":"keys.json","claims":{}}`: "no https URL",
	} {
		t.Setenv("JWT", jwt)
		_, err := newHandler(log)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("JWT=%s: error %v, want %q", jwt, err, want)
		}
	}
}
