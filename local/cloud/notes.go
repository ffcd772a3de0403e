package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"example.com/chatstack/internal/atomicfile"
)

// A Resource is an AWS resource as it was declared (Inputs) and as it answers
// (Outputs, which hold the inputs too). Once noted it is not changed any more:
// a change notes another.
type Resource struct {
	URN     string     `json:"urn"`
	Type    string     `json:"type"` // e.g. aws:lambda/function:Function
	ID      string     `json:"id"`   // unique in its type
	Inputs  Properties `json:"inputs"`
	Outputs Properties `json:"outputs"`
}

// notes are the resources that the cloud runs, and where, in a file of their
// own. They may be read at any time; whoever changes them holds Cloud.changes.
type notes struct {
	file string

	mu   sync.RWMutex
	page page
}

// A page is what the file holds.
type page struct {
	Region    string                          `json:"region"`
	Ports     map[string]int                  `json:"ports"`     // by listener, so that addresses survive a restart
	Resources map[string]map[string]*Resource `json:"resources"` // by type, by id

	// Unfinished are the tables that the engine is being asked for and that are not
	// noted yet. The engine would keep one beyond a cloud that is killed meanwhile.
	Unfinished []string `json:"unfinished,omitempty"`
}

func readNotes(file string) (*notes, error) {
	n := &notes{file: file, page: page{
		Region: DefaultRegion, Ports: map[string]int{}, Resources: map[string]map[string]*Resource{},
	}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the local cloud's resources: %w", err)
	}
	if err := json.Unmarshal(data, &n.page); err != nil {
		return nil, fmt.Errorf("the local cloud's file %s cannot be read (%w): remove it, and run `chatstack up`", file, err)
	}
	return n, nil
}

func (n *notes) write() error {
	n.mu.RLock()
	data, err := json.MarshalIndent(n.page, "", "\t")
	n.mu.RUnlock()
	if err == nil {
		err = atomicfile.Write(n.file, 0o600, data)
	}
	if err != nil {
		return fmt.Errorf("write the local cloud's resources: %w", err)
	}
	return nil
}

func (n *notes) region() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.page.Region
}

func (n *notes) setRegion(region string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.page.Region = region
}

// port is the port of a listener, 0 where it never had one.
func (n *notes) port(listener string) int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.page.Ports[listener]
}

// setPort notes the port of a listener, or with 0 that it has none any more.
func (n *notes) setPort(listener string, port int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == 0 {
		delete(n.page.Ports, listener)
		return
	}
	n.page.Ports[listener] = port
}

// get returns a noted resource, or nil.
func (n *notes) get(typ, id string) *Resource {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.page.Resources[typ][id]
}

func (n *notes) put(r *Resource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.page.Resources[r.Type] == nil {
		n.page.Resources[r.Type] = map[string]*Resource{}
	}
	n.page.Resources[r.Type][r.ID] = r
}

// begin notes that a table is about to be made.
func (n *notes) begin(table string) error {
	n.mu.Lock()
	n.page.Unfinished = append(n.page.Unfinished, table)
	n.mu.Unlock()
	return n.write()
}

// end forgets that a table was being made.
func (n *notes) end(table string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.page.Unfinished = slices.DeleteFunc(n.page.Unfinished, func(name string) bool { return name == table })
}

// unfinished are the tables that were being made.
func (n *notes) unfinished() []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Clone(n.page.Unfinished)
}

func (n *notes) delete(r *Resource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.page.Resources[r.Type], r.ID)
	if len(n.page.Resources[r.Type]) == 0 {
		delete(n.page.Resources, r.Type)
	}
}

// empty reports whether nothing is noted.
func (n *notes) empty() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.page.Resources) == 0
}

// list returns the resources of a type for which keep holds (nil: all), in
// the order of their URNs.
func (n *notes) list(typ string, keep func(*Resource) bool) []*Resource {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var found []*Resource
	for _, r := range n.page.Resources[typ] {
		if keep == nil || keep(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Resource) int { return strings.Compare(a.URN+a.ID, b.URN+b.ID) })
	return found
}
