package cloud

import (
	"context"
	"fmt"
	"maps"
	"regexp"
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

	// nameChars are the characters of such a name, as in a regular expression;
	// empty for any.
	nameChars string

	// check refuses inputs that are run in part only. No input is Unknown.
	check func(in Properties) error

	// declare gives a resource that is new its ID, and any its outputs.
	declare func(c *Cloud, r *Resource) error

	// undo gives back what declare has taken for a new resource that could not be
	// run. nil: it takes nothing.
	undo func(c *Cloud, r *Resource)

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
		tableKinds(), queueKinds(), logKinds(), identityKinds(), functionKinds(), permissionKinds(),
		gatewayKinds(), mappingKinds(), ruleKinds(),
	} {
		maps.Copy(all, service)
	}
	return all
}

// order is the order in which what is noted starts; it ends in reverse.
var order = []string{
	typeTable, typeQueue, typeLogGroup, typeRole, typePolicy, typeRolePolicy, typePolicyAttachment,
	typeFunction, typePermission,
	typeAPI, typeStage, typeAuthorizer, typeIntegration, typeRoute, typeRouteResponse, typeMapping,
	typeRule, typeTarget,
	typeAlarm, typeDashboard,
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

// Check looks for what the local cloud would not run as declared. An input that is
// not known yet is Unknown.
func (c *Cloud) Check(typ string, in Properties) ([]Problem, error) {
	k, err := c.kind(typ)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	unknown := false
	for _, name := range slices.Sorted(maps.Keys(in)) {
		unknown = unknown || in[name] == Unknown
		if in[name] == nil || slices.Contains(k.runs, name) || slices.Contains(k.ignores, name) || slices.Contains(everywhere, name) {
			continue
		}
		problems = append(problems, Problem{Property: name, Reason: fmt.Sprintf("the local cloud does not run the property %s of %s, and would behave otherwise than AWS without it: leave it out of this stage", name, typ)})
	}
	if err := k.checkName(in); err != nil {
		problems = append(problems, Problem{Property: k.named, Reason: err.Error()})
	}
	if k.check != nil && !unknown {
		if err := k.check(in); err != nil {
			problems = append(problems, Problem{Reason: err.Error()})
		}
	}
	return problems, nil
}

// checkName refuses a name that AWS does not take. One that is not given, or not
// known yet, is none.
func (k *kind) checkName(in Properties) error {
	name, given := in[k.named].(string)
	switch {
	case !given || name == Unknown:
		return nil
	case len(name) > k.nameMax:
		return fmt.Errorf("%s is %q, %d characters long: it has at most %d", k.named, name, len(name), k.nameMax)
	case k.nameChars != "" && !regexp.MustCompile("^["+k.nameChars+"]+$").MatchString(name):
		return fmt.Errorf("%s is %q: it has one or more of the characters %s", k.named, name, k.nameChars)
	}
	return nil
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
