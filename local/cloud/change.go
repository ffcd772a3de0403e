package cloud

import (
	"context"
	"errors"
	"fmt"
)

// Put notes and runs a resource. Without an ID it is a new one; one with an ID
// that is not noted was lost, and is made again. The returned resource has its ID
// and outputs. What cannot be run is not noted.
func (c *Cloud) Put(ctx context.Context, r Resource) (*Resource, error) {
	k, err := c.kind(r.Type)
	if err != nil {
		return nil, err
	}
	c.changes.Lock()
	defer c.changes.Unlock()
	isNew := r.ID == ""
	before := c.notes.get(r.Type, r.ID)
	r.Outputs = outputs(before, r.Inputs)
	if err := k.declare(c, &r); err != nil {
		return nil, err
	}
	if isNew {
		// One that an interrupted deployment made under the same URN is taken over.
		if before = c.notes.get(r.Type, r.ID); before != nil && before.URN != r.URN {
			return nil, fmt.Errorf("%s %s exists already: it was declared as %s", r.Type, r.ID, before.URN)
		}
	}
	if err := c.run(ctx, k, &r, before); err != nil {
		if before == nil && k.undo != nil {
			k.undo(c, &r)
		}
		return nil, err
	}
	return &r, nil
}

// outputs are the inputs and what else the resource answered before.
func outputs(before *Resource, in Properties) Properties {
	out := Properties{}
	if before != nil {
		out = out.with(before.Outputs)
		for name := range before.Inputs {
			delete(out, name)
		}
	}
	out = out.with(in)
	delete(out, "__defaults")
	return out
}

// run applies, notes and settles a resource, or leaves the notes as they were.
func (c *Cloud) run(ctx context.Context, k *kind, r, before *Resource) error {
	if k.apply != nil {
		if err := k.apply(ctx, c, r); err != nil {
			return err
		}
	}
	c.notes.put(r)
	err := c.settle(k, r)
	if err == nil {
		return nil
	}
	if before != nil {
		c.notes.put(before)
	} else {
		c.notes.delete(r)
	}
	return errors.Join(err, c.notes.write())
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

// Get returns a noted resource, or nil.
func (c *Cloud) Get(typ, id string) *Resource { return c.notes.get(typ, id) }

// Delete ends a resource and forgets it. One that is not there is no error.
func (c *Cloud) Delete(ctx context.Context, typ, id string) error {
	k, err := c.kind(typ)
	if err != nil {
		return err
	}
	c.changes.Lock()
	defer c.changes.Unlock()
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

// Keep deletes every noted resource that is not among those that are to be
// kept, given by type and ID: what an interrupted deployment left behind. A table
// with deletion protection stays.
func (c *Cloud) Keep(ctx context.Context, keep func(typ, id string) bool) error {
	var problems []error
	for i := len(order) - 1; i >= 0; i-- {
		for _, r := range c.notes.list(order[i], func(r *Resource) bool { return !keep(r.Type, r.ID) }) {
			if r.Inputs.flag(deletionProtection) {
				c.log.Warn("no stack holds this resource; deletion protection keeps it", "type", r.Type, "id", r.ID)
				continue
			}
			c.log.Info("deleting a resource that no stack holds", "type", r.Type, "id", r.ID)
			problems = append(problems, c.Delete(ctx, r.Type, r.ID))
		}
	}
	return errors.Join(problems...)
}

// runAll runs everything that is noted. What cannot run is said and left out,
// so that one broken resource does not keep a deployment from mending it.
func (c *Cloud) runAll(ctx context.Context) error {
	c.changes.Lock()
	defer c.changes.Unlock()
	for _, typ := range order {
		k := c.kinds[typ]
		for _, noted := range c.notes.list(typ, nil) {
			r := *noted
			r.Outputs = Properties{}.with(noted.Outputs)
			err := k.declare(c, &r)
			if err == nil && k.apply != nil {
				err = k.apply(ctx, c, &r)
			}
			if ctx.Err() != nil {
				return fmt.Errorf("start what is deployed: %w", ctx.Err())
			}
			c.notes.delete(noted)
			if err == nil {
				c.notes.put(&r)
				if k.settle != nil {
					err = k.settle(c, &r)
				}
			}
			if err != nil {
				c.log.Error("a resource does not run; the next deployment tries again", "type", r.Type, "id", r.ID, "error", err)
				c.notes.delete(&r)
			}
		}
	}
	return c.notes.write()
}
