package cloud

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A kind says how resources of one type are run here.
type kind struct {
	// runs are the inputs that the local cloud follows, ignores those that make
	// no difference on one machine. Any other input is refused by its name.
	runs, ignores []string

	// replaces are the inputs whose change makes a new resource, as on AWS.
	replaces []string

	// named is the input that gets a name of its own where the program gives
	// none; empty for types whose ids AWS makes up.
	named   string
	nameMax int

	// check refuses inputs that are run in part only.
	check func(in Properties) error

	// declare gives a resource that is new its ID, and any its outputs.
	declare func(c *Cloud, r *Resource) error

	// apply runs the resource as it is noted; it is called after every change
	// and at the start of the cloud, and does no harm when nothing changed.
	apply func(ctx context.Context, c *Cloud, r *Resource) error

	// remove ends it; the resource is still noted. nil: nothing runs.
	remove func(ctx context.Context, c *Cloud, r *Resource) error

	// settle is called once the resource has been noted or is no longer noted.
	settle func(c *Cloud, r *Resource) error

	// idle says why nothing runs for this type, for people who ask.
	idle string
}

// kinds are the resource types that the local cloud runs, and order is the
// order in which they start.
func kinds() map[string]*kind {
	all := map[string]*kind{}
	for _, service := range []map[string]*kind{
		tableKinds(), queueKinds(), logKinds(), identityKinds(), functionKinds(), gatewayKinds(), mappingKinds(),
	} {
		maps.Copy(all, service)
	}
	return all
}

// order is the order in which what is noted starts; it ends in reverse.
var order = []string{
	typeTable, typeQueue, typeLogGroup, typeRole, typeRolePolicy, typeFunction, typePermission,
	typeAPI, typeStage, typeIntegration, typeRoute, typeRouteResponse, typeMapping,
}

func (c *Cloud) kind(typ string) (*kind, error) {
	k := c.kinds[typ]
	if k == nil {
		return nil, fmt.Errorf("the local cloud does not run %s: it runs %s. Leave the resource out of this stage, or deploy the stage to AWS",
			typ, strings.Join(slices.Sorted(maps.Keys(c.kinds)), ", "))
	}
	return k, nil
}

// A Problem is an input that the local cloud refuses.
type Problem struct{ Property, Reason string }

// Check looks for what the local cloud would not run as declared.
func (c *Cloud) Check(typ string, in Properties) ([]Problem, error) {
	k, err := c.kind(typ)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if slices.Contains(k.runs, name) || slices.Contains(k.ignores, name) || slices.Contains(everywhere, name) {
			continue
		}
		problems = append(problems, Problem{Property: name, Reason: fmt.Sprintf("the local cloud does not run the property %s of %s, and would behave otherwise than AWS without it: leave it out of this stage", name, typ)})
	}
	if k.check != nil {
		if err := k.check(in); err != nil {
			problems = append(problems, Problem{Reason: err.Error()})
		}
	}
	return problems, nil
}

// everywhere are inputs that every type may have and that make no difference
// on one machine.
var everywhere = []string{"tags", "tagsAll", "region", "__defaults"}

// Name returns the input of a type that is named automatically, and the
// longest name it may have; "" where there is none.
func (c *Cloud) Name(typ string) (property string, longest int) {
	if k := c.kinds[typ]; k != nil {
		return k.named, k.nameMax
	}
	return "", 0
}

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
	// resource, or when an address has moved.
	c.mu.Lock()
	defer c.mu.Unlock()
	running := c.notes.get(typ, id)
	if running == nil {
		return Change{Properties: []string{"id"}}, nil
	}
	for name, value := range running.Outputs {
		if _, deployed := oldOutputs[name]; deployed && !same(oldOutputs[name], value) && !slices.Contains(everywhere, name) {
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

// Put notes and runs a resource. Without an ID it is a new one. The returned
// resource has its ID and outputs.
func (c *Cloud) Put(ctx context.Context, r Resource) (*Resource, error) {
	k, err := c.kind(r.Type)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Outputs = Properties{}
	if before := c.notes.get(r.Type, r.ID); before != nil {
		r.Outputs = before.Outputs
	}
	r.Outputs = r.Outputs.with(r.Inputs)
	delete(r.Outputs, "__defaults")
	for name := range c.noted(r).Inputs {
		if _, still := r.Inputs[name]; !still {
			delete(r.Outputs, name)
		}
	}
	if err := k.declare(c, &r); err != nil {
		return nil, err
	}
	if k.apply != nil {
		if err := k.apply(ctx, c, &r); err != nil {
			return nil, err
		}
	}
	c.notes.put(&r)
	if err := c.settle(k, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (c *Cloud) noted(r Resource) Resource {
	if before := c.notes.get(r.Type, r.ID); before != nil {
		return *before
	}
	return Resource{}
}

// Get returns a noted resource, or nil.
func (c *Cloud) Get(typ, id string) *Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.notes.get(typ, id); r != nil {
		copied := *r
		return &copied
	}
	return nil
}

// Delete ends a resource and forgets it. One that is not there is no error.
func (c *Cloud) Delete(ctx context.Context, typ, id string) error {
	k, err := c.kind(typ)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.notes.get(typ, id)
	if r == nil {
		return nil
	}
	if k.remove != nil {
		if err := k.remove(ctx, c, r); err != nil {
			return err
		}
	}
	c.notes.delete(r)
	return c.settle(k, r)
}

// settle writes the notes down and lets the kind act on them.
func (c *Cloud) settle(k *kind, r *Resource) error {
	if err := c.notes.write(); err != nil {
		return err
	}
	if k.settle != nil {
		return k.settle(c, r)
	}
	return nil
}

// Keep deletes every noted resource that is not among those that are to be
// kept, given by type and ID: what an interrupted deployment left behind.
func (c *Cloud) Keep(ctx context.Context, keep func(typ, id string) bool) error {
	for i := len(order) - 1; i >= 0; i-- {
		c.mu.Lock()
		left := c.notes.list(order[i], func(r *Resource) bool { return !keep(r.Type, r.ID) })
		c.mu.Unlock()
		for _, r := range left {
			c.log.Info("deleting a resource that no stack holds", "type", r.Type, "id", r.ID)
			if err := c.Delete(ctx, r.Type, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// runAll runs everything that is noted. What cannot run is said and left out,
// so that one broken resource does not keep a deployment from mending it.
func (c *Cloud) runAll(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, typ := range order {
		k := c.kinds[typ]
		for _, r := range c.notes.list(typ, nil) {
			err := k.declare(c, r)
			if err == nil && k.apply != nil {
				err = k.apply(ctx, c, r)
			}
			if err == nil && k.settle != nil {
				err = k.settle(c, r)
			}
			if err != nil {
				c.log.Error("a resource does not run; the next deployment tries again", "type", r.Type, "id", r.ID, "error", err)
				c.notes.delete(r)
			}
		}
	}
	return c.notes.write()
}
