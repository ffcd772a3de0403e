package cloud

import (
	"reflect"
	"slices"
)

// A Change says what an update would do to a resource.
type Change struct {
	Properties []string // what changes; empty: nothing
	Replaces   []string // what of it makes a new resource
}

// Diff compares a resource as it was deployed, its inputs and its outputs,
// with what is now asked for and with what runs here.
func (c *Cloud) Diff(typ, id string, oldInputs, oldOutputs, in Properties) (Change, error) {
	k, err := c.kind(typ)
	if err != nil {
		return Change{}, err
	}
	var change Change
	for name := range oldInputs.with(in) {
		if name != "__defaults" && !same(oldInputs[name], in[name]) {
			change.Properties = append(change.Properties, name)
			if slices.Contains(k.replaces, name) {
				change.Replaces = append(change.Replaces, name)
			}
		}
	}
	slices.Sort(change.Properties)
	slices.Sort(change.Replaces)
	if len(change.Properties) > 0 {
		return change, nil
	}

	// The same inputs need an update all the same when this cloud has lost the
	// resource, when it runs it otherwise, as after a deployment that was broken
	// off, or when an address has moved.
	running := c.notes.get(typ, id)
	if running == nil {
		return Change{Properties: []string{"id"}}, nil
	}
	moved := map[string]bool{}
	for name := range running.Inputs.with(in) {
		if !same(running.Inputs[name], in[name]) {
			moved[name] = true
		}
	}
	for name, value := range running.Outputs {
		if _, deployed := oldOutputs[name]; deployed && !same(oldOutputs[name], value) {
			moved[name] = true
		}
	}
	for name := range moved {
		if !slices.Contains(everywhere, name) {
			change.Properties = append(change.Properties, name)
		}
	}
	slices.Sort(change.Properties)
	return change, nil
}

// same compares two values. Code is the same by its digest, wherever it lies.
func same(a, b any) bool {
	codeA, isA := a.(map[string]any)
	codeB, isB := b.(map[string]any)
	if isA && isB && codeA["hash"] != nil {
		return codeA["hash"] == codeB["hash"]
	}
	return reflect.DeepEqual(a, b)
}
