// Package provider is the local cloud's side of the Pulumi engine: a resource
// provider that answers for the package aws and hands every resource to the
// local cloud instead of to AWS. The engine, its state and its diffs are real.
package provider

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"example.com/chatstack/local/cloud"
)

// A Cloud runs resources. *cloud.Cloud is the one.
type Cloud interface {
	Check(typ string, in cloud.Properties) ([]cloud.Problem, error)
	Diff(typ, id string, oldInputs, oldOutputs, in cloud.Properties) (cloud.Change, error)
	Put(ctx context.Context, r cloud.Resource) (*cloud.Resource, error)
	Get(typ, id string) *cloud.Resource
	Delete(ctx context.Context, typ, id string) error
	Name(typ string) (property string, longest int)
	SetRegion(region string) error
	Region() string
}

// A Provider serves the Pulumi engine.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer

	cloud   Cloud
	program string // the program's folder, from which its relative paths count
	log     *slog.Logger
}

// New returns a provider that runs resources on c for the program in dir.
func New(c Cloud, dir string, log *slog.Logger) *Provider {
	return &Provider{cloud: c, program: dir, log: log}
}

// Register lets server answer the engine.
func (p *Provider) Register(server *grpc.Server) {
	pulumirpc.RegisterResourceProviderServer(server, p)
}

// Handshake tells the engine what this provider can take.
func (p *Provider) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

// Attach is how the engine greets a provider that runs already.
func (p *Provider) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo names a version that is newer than any that a program's
// pulumi-aws asks for: this provider follows the resources, not a release.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "999.0.0"}, nil
}

// CheckConfig takes the provider's configuration as it is.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig never asks for anything to be replaced: a Region that cannot be
// changed is refused by Configure.
func (p *Provider) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure takes the Region. Credentials, profiles and endpoints of AWS mean
// nothing here.
func (p *Provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	region := req.GetVariables()["aws:config:region"]
	if args := req.GetArgs(); region == "" && args != nil {
		region = args.GetFields()["region"].GetStringValue()
	}
	if region == plugin.UnknownStringValue {
		region = "" // a preview of a provider whose Region another resource tells
	}
	if err := p.cloud.SetRegion(region); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

// Check fills in the name of a resource that has none, and refuses what the
// local cloud would not run as declared.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(req.GetUrn())
	typ := string(urn.Type())
	olds, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	if err := p.name(urn, typ, olds, news, req.GetRandomSeed()); err != nil {
		return nil, err
	}
	problems, err := p.cloud.Check(typ, p.plain(news))
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	var failures []*pulumirpc.CheckFailure
	for _, problem := range problems {
		failures = append(failures, &pulumirpc.CheckFailure{Property: problem.Property, Reason: problem.Reason})
	}
	inputs, err := marshal(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failures}, nil
}

// Diff compares what is deployed with what is asked for.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	typ := string(resource.URN(req.GetUrn()).Type())
	var compared [3]resource.PropertyMap
	for i, s := range []*structpb.Struct{req.GetOldInputs(), req.GetOlds(), req.GetNews()} {
		m, err := unmarshal(s)
		if err != nil {
			return nil, err
		}
		compared[i] = m
	}
	oldInputs, oldOutputs, news := compared[0], compared[1], compared[2]
	change, err := p.cloud.Diff(typ, req.GetId(), p.plain(oldInputs), p.plain(oldOutputs), p.plain(news))
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Diffs: change.Properties, Replaces: change.Replaces}
	if len(change.Properties) > 0 {
		resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	// A name that the program gave cannot be held by two resources at a time.
	if property, _ := p.cloud.Name(typ); property != "" {
		resp.DeleteBeforeReplace = !filledIn(news)
	}
	return resp, nil
}

// Create runs a new resource.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	news, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: req.GetProperties()}, nil
	}
	id, outputs, err := p.put(ctx, req.GetUrn(), "", news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: outputs}, nil
}

// Update runs a resource as it is declared now. One that the local cloud has
// lost is made again under its ID.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		olds, err := unmarshal(req.GetOlds())
		if err != nil {
			return nil, err
		}
		maps.Copy(olds, news)
		outputs, err := marshal(olds)
		return &pulumirpc.UpdateResponse{Properties: outputs}, err
	}
	_, outputs, err := p.put(ctx, req.GetUrn(), req.GetId(), news)
	return &pulumirpc.UpdateResponse{Properties: outputs}, err
}

func (p *Provider) put(ctx context.Context, urn, id string, in resource.PropertyMap) (string, *structpb.Struct, error) {
	typ := string(resource.URN(urn).Type())
	r, err := p.cloud.Put(ctx, cloud.Resource{URN: urn, Type: typ, ID: id, Inputs: p.plain(in)})
	if err != nil {
		p.log.Error("resource failed", "urn", urn, "error", err)
		return "", nil, status.Error(codes.Unknown, err.Error())
	}
	outputs := in.Copy() // keeps archives as they came
	delete(outputs, defaults)
	for name, value := range r.Outputs {
		if key := resource.PropertyKey(name); !outputs.HasValue(key) {
			outputs[key] = resource.NewPropertyValue(value)
		}
	}
	properties, err := marshal(outputs)
	return r.ID, properties, err
}

// Read tells how a resource runs now; for one that is gone it returns nothing,
// and the engine drops it.
func (p *Provider) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	r := p.cloud.Get(string(resource.URN(req.GetUrn()).Type()), req.GetId())
	if r == nil {
		return &pulumirpc.ReadResponse{}, nil
	}
	outputs, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	for name, value := range r.Outputs {
		if key := resource.PropertyKey(name); !outputs[key].IsArchive() {
			outputs[key] = resource.NewPropertyValue(value)
		}
	}
	properties, err := marshal(outputs)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Inputs: req.GetInputs(), Properties: properties}, nil
}

// Delete ends a resource.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	if err := p.cloud.Delete(ctx, string(resource.URN(req.GetUrn()).Type()), req.GetId()); err != nil {
		return nil, status.Error(codes.Unknown, err.Error())
	}
	return &emptypb.Empty{}, nil
}

// Invoke answers the data sources that say where the stack runs, and the one that
// writes policies.
func (p *Provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	answers := map[string]func(args cloud.Properties) (map[string]any, error){
		"aws:iam/getPolicyDocument:getPolicyDocument": policyDocument,
		"aws:index/getCallerIdentity:getCallerIdentity": always(map[string]any{
			"accountId": cloud.AccountID, "arn": "arn:aws:iam::" + cloud.AccountID + ":root", "id": cloud.AccountID, "userId": cloud.AccountID,
		}),
		"aws:index/getRegion:getRegion": always(map[string]any{
			"id": p.cloud.Region(), "name": p.cloud.Region(), "description": "the local cloud",
		}),
		"aws:index/getPartition:getPartition": always(map[string]any{
			"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
		}),
	}
	answer, known := answers[req.GetTok()]
	if !known {
		return nil, status.Errorf(codes.Unimplemented, "the local cloud does not answer %s: it answers %s",
			req.GetTok(), strings.Join(slices.Sorted(maps.Keys(answers)), ", "))
	}
	args, err := unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	values, err := answer(p.plain(args))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	properties, err := structpb.NewStruct(values)
	return &pulumirpc.InvokeResponse{Return: properties}, err
}

// always is a data source that depends on no argument.
func always(values map[string]any) func(cloud.Properties) (map[string]any, error) {
	return func(cloud.Properties) (map[string]any, error) { return values, nil }
}

// GetSchema has none: the program's SDK brings its own.
func (p *Provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: "{}"}, nil
}

// Cancel has nothing to cancel: no operation takes long.
func (p *Provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
