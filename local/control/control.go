// Package control is how the chatstack command, and tests in any language, talk to
// a local cloud that runs in the background: a small HTTP API on the loopback
// interface ([Server.Handler] lists it), whose address and token the cloud leaves
// in a file.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"example.com/chatstack/internal/atomicfile"
	"example.com/chatstack/local/cloud"
)

// An Address is where a running local cloud is found. It lies in a file that
// only its owner can read.
type Address struct {
	PID          int    `json:"pid"`
	URL          string `json:"url"`          // of the page and the control API
	Token        string `json:"token"`        // what the control API asks for
	ProviderPort int    `json:"providerPort"` // where the Pulumi engine finds the provider
	Build        string `json:"build"`        // of the program that runs it
}

// ReadAddress reads the file of a cloud; there is none where no cloud runs, or
// only the one of a cloud that was killed.
func ReadAddress(file string) (*Address, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var a Address
	if json.Unmarshal(data, &a) != nil || a.URL == "" {
		return nil, nil // half written by a process that was killed
	}
	return &a, nil
}

// Write leaves the address in a file.
func (a Address) Write(file string) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := atomicfile.Write(file, 0o600, data); err != nil {
		return fmt.Errorf("leave the local cloud's address: %w", err)
	}
	return nil
}

// A Status is what a local cloud tells about itself.
type Status struct {
	Since  time.Time    `json:"since"`
	Page   string       `json:"page"`
	Client cloud.Client `json:"client"`
	cloud.Overview
}

// A Reference names a resource.
type Reference struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}
