package provider

import (
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"example.com/chatstack/local/cloud"
)

func unmarshal(s *structpb.Struct) (resource.PropertyMap, error) {
	if s == nil {
		return resource.PropertyMap{}, nil
	}
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, SkipInternalKeys: false})
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "read properties: %v", err)
	}
	return m, nil
}

func marshal(m resource.PropertyMap) (*structpb.Struct, error) {
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		return nil, status.Errorf(codes.Internal, "write properties: %v", err)
	}
	return s, nil
}

// plain turns inputs into plain values, and what is not known yet into
// cloud.Unknown.
func (p *Provider) plain(m resource.PropertyMap) cloud.Properties {
	object, _ := p.value(resource.NewObjectProperty(m)).(map[string]any)
	return object
}

func (p *Provider) value(v resource.PropertyValue) any {
	switch {
	case v.IsComputed() || v.IsOutput():
		return cloud.Unknown
	case v.IsSecret():
		return p.value(v.SecretValue().Element)
	case v.IsArchive():
		return p.archive(v.ArchiveValue())
	case v.IsArray():
		list := []any{}
		for _, element := range v.ArrayValue() {
			list = append(list, p.value(element))
		}
		return list
	case v.IsObject():
		object := map[string]any{}
		for key, element := range v.ObjectValue() {
			object[string(key)] = p.value(element)
		}
		return object
	}
	return v.V
}

// archive names code by its digest, and by its path where it has one. Two
// archives of one digest are the same wherever they lie.
func (p *Provider) archive(a *resource.Archive) map[string]any {
	path, ok := a.GetPath()
	if !ok {
		return map[string]any{"hash": a.Hash}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.program, path)
	}
	return map[string]any{"hash": a.Hash, "path": path}
}
