package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Resource is an AWS resource as it was declared (Inputs) and as it answers
// (Outputs, which hold the inputs too).
type Resource struct {
	URN     string     `json:"urn"`
	Type    string     `json:"type"` // e.g. aws:lambda/function:Function
	ID      string     `json:"id"`
	Inputs  Properties `json:"inputs"`
	Outputs Properties `json:"outputs"`
}

// notes are the resources that the cloud runs, in a file of their own.
type notes struct {
	file string

	Region    string                          `json:"region,omitempty"`
	Ports     map[string]int                  `json:"ports"`     // by listener, so that addresses survive a restart
	Resources map[string]map[string]*Resource `json:"resources"` // by type, by id
}

func readNotes(file string) (*notes, error) {
	n := &notes{file: file, Ports: map[string]int{}, Resources: map[string]map[string]*Resource{}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the local cloud's resources: %w", err)
	}
	if err := json.Unmarshal(data, n); err != nil {
		return nil, fmt.Errorf("the local cloud's file %s cannot be read (%w): remove it, and run `chatstack up`", file, err)
	}
	return n, nil
}

func (n *notes) write() error {
	data, err := json.MarshalIndent(n, "", "\t")
	if err != nil {
		return fmt.Errorf("write the local cloud's resources: %w", err)
	}
	if err := writeFile(n.file, data); err != nil {
		return fmt.Errorf("write the local cloud's resources: %w", err)
	}
	return nil
}

func (n *notes) get(typ, id string) *Resource { return n.Resources[typ][id] }

func (n *notes) put(r *Resource) {
	if n.Resources[r.Type] == nil {
		n.Resources[r.Type] = map[string]*Resource{}
	}
	n.Resources[r.Type][r.ID] = r
}

func (n *notes) delete(r *Resource) {
	delete(n.Resources[r.Type], r.ID)
	if len(n.Resources[r.Type]) == 0 {
		delete(n.Resources, r.Type)
	}
}

// list returns the resources of a type for which keep holds (nil: all), in
// the order of their URNs.
func (n *notes) list(typ string, keep func(*Resource) bool) []*Resource {
	var found []*Resource
	for _, r := range n.Resources[typ] {
		if keep == nil || keep(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Resource) int { return strings.Compare(a.URN+a.ID, b.URN+b.ID) })
	return found
}

// writeFile replaces a file in one step: a reader sees the old content or the
// new, also after a crash.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	if _, err := part.Write(data); err != nil {
		part.Close()
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
