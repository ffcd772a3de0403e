package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// held is a resource that a stack's state holds.
type held struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// heldResources reads every stack of the project's backend.
func (p *project) heldResources() ([]held, error) {
	var all []held
	root := p.path("state", ".pulumi", "stacks")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var state struct {
			Checkpoint struct {
				Latest struct {
					Resources []held `json:"resources"`
				} `json:"latest"`
			} `json:"checkpoint"`
		}
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, state.Checkpoint.Latest.Resources...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the stacks' state: %w", err)
	}
	return all, nil
}
