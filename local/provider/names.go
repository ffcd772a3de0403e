package provider

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// defaults marks the inputs that were filled in and not given, as the AWS
// provider marks them.
const defaults = "__defaults"

// filledIn reports whether the name among inputs was made up here.
func filledIn(inputs resource.PropertyMap) bool { return inputs.HasValue(defaults) }

// name gives a resource the name it had before, or else a new one with the
// random end that keeps stacks apart.
func (p *Provider) name(urn resource.URN, typ string, olds, news resource.PropertyMap, seed []byte) error {
	property, longest := p.cloud.Name(typ)
	key := resource.PropertyKey(property)
	if given, ok := news[key]; property == "" || ok && !given.IsNull() {
		return nil
	}
	if old, had := olds[key]; had && old.IsString() && filledIn(olds) {
		news[key] = old
	} else {
		name, err := resource.NewUniqueName(seed, urn.Name()+"-", 7, longest, nil)
		if err != nil {
			return status.Errorf(codes.InvalidArgument, "name %s: %v", urn.Name(), err)
		}
		news[key] = resource.NewStringProperty(name)
	}
	news[defaults] = resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty(property)})
	return nil
}
