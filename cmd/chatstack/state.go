package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/chatstack/local/control"
)

// stackState is what is read here of a stack's state.
type stackState struct {
	Checkpoint struct {
		Latest struct {
			Resources         []control.Reference `json:"resources"`
			PendingOperations []json.RawMessage   `json:"pending_operations"`
		} `json:"latest"`
	} `json:"checkpoint"`
}

// stackStates reads every stack of the project's backend.
func (p *project) stackStates() ([]stackState, error) {
	var all []stackState
	root := p.path("state", ".pulumi", "stacks")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var state stackState
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, state)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the stacks' state: %w", err)
	}
	return all, nil
}

// heldResources lists what the stacks hold.
func (p *project) heldResources() ([]control.Reference, error) {
	states, err := p.stackStates()
	var all []control.Reference
	for _, state := range states {
		all = append(all, state.Checkpoint.Latest.Resources...)
	}
	return all, err
}

// interrupted reports whether a deployment was killed in the middle of an
// operation.
func (p *project) interrupted() (bool, error) {
	states, err := p.stackStates()
	return slices.ContainsFunc(states, func(state stackState) bool {
		return len(state.Checkpoint.Latest.PendingOperations) > 0
	}), err
}
