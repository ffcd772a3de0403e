package provider_test

import (
	"archive/zip"
	"crypto/rand"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"example.com/chatstack/local/cloud"
	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
	"example.com/chatstack/local/provider"
)

func TestMain(m *testing.M) {
	// The Pulumi SDK's logger starts one when its package is loaded.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

const (
	queue    = "aws:sqs/queue:Queue"
	table    = "aws:dynamodb/table:Table"
	function = "aws:lambda/function:Function"
	role     = "aws:iam/role:Role"
	mapping  = "aws:lambda/eventSourceMapping:EventSourceMapping"
	api      = "aws:apigatewayv2/api:Api"
)

// A rig is a provider of a cloud of its own, met over gRPC as the engine does.
type rig struct {
	pulumirpc.ResourceProviderClient
	t       *testing.T
	cloud   *cloud.Cloud
	program string // its folder
}

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	running, err := cloud.Open(t.Context(), cloud.Options{
		Dir: t.TempDir(), Engine: dynamo.EngineOptions{Endpoint: dynamotest.Endpoint(t)}, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, cloud: running, program: t.TempDir()}
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	provider.New(running, r.program, log).Register(server)
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-served })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r.ResourceProviderClient = pulumirpc.NewResourceProviderClient(conn)
	return r
}

func urn(typ string) string {
	return "urn:pulumi:local::project::" + typ + "::res"
}

type properties = map[string]any

// wire writes properties as the engine sends them, with secrets and unknowns.
func wire(t *testing.T, in properties) *structpb.Struct {
	t.Helper()
	return wireMap(t, resource.NewPropertyMapFromMap(in))
}

func wireMap(t *testing.T, m resource.PropertyMap) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) check(typ string, olds, news properties) *pulumirpc.CheckResponse {
	r.t.Helper()
	req := &pulumirpc.CheckRequest{Urn: urn(typ), News: wire(r.t, news), RandomSeed: []byte(rand.Text())}
	if olds != nil {
		req.Olds = wire(r.t, olds)
	}
	resp, err := r.Check(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

func (r *rig) create(typ string, in properties) (id string, outputs *structpb.Struct) {
	r.t.Helper()
	resp, err := r.Create(r.t.Context(), &pulumirpc.CreateRequest{Urn: urn(typ), Properties: wire(r.t, in)})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.GetId(), resp.GetProperties()
}

func (r *rig) diff(typ, id string, oldInputs, oldOutputs, news *structpb.Struct) *pulumirpc.DiffResponse {
	r.t.Helper()
	resp, err := r.Diff(r.t.Context(), &pulumirpc.DiffRequest{
		Id: id, Urn: urn(typ), OldInputs: oldInputs, Olds: oldOutputs, News: news,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

func tableInputs() properties {
	return properties{
		"name": "provider-" + rand.Text(), "hashKey": "pk",
		"attributes": []any{properties{"name": "pk", "type": "S"}},
	}
}

// zipped writes a zip with a bootstrap that this machine can run, with a comment
// that makes its digest.
func zipped(t *testing.T, path, comment string) {
	t.Helper()
	program, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writer := zip.NewWriter(file)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	member, err := writer.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
}

// functionInputs are those of a function with the code at path; name is the
// path that the program says.
func functionInputs(t *testing.T, path, name string) resource.PropertyMap {
	t.Helper()
	code, err := archive.FromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	code.Path = name
	in := resource.NewPropertyMapFromMap(properties{
		"name": "f", "runtime": "provided.al2023", "handler": "bootstrap", "role": "arn:aws:iam::000000000000:role/r",
	})
	in["code"] = resource.NewArchiveProperty(code)
	return in
}

func TestNames(t *testing.T) {
	r := newRig(t)
	made := regexp.MustCompile(`^res-[0-9a-f]{7}$`)
	name := func(resp *pulumirpc.CheckResponse) string {
		return resp.GetInputs().GetFields()["name"].GetStringValue()
	}
	first := r.check(queue, nil, properties{})
	before := first.GetInputs().AsMap()

	t.Run("a resource without a name gets one of its own", func(t *testing.T) {
		if !made.MatchString(name(first)) {
			t.Errorf("%q, want it to match %s", name(first), made)
		}
		if diff := cmp.Diff([]any{"name"}, before["__defaults"]); diff != "" {
			t.Errorf("__defaults (-want +got):\n%s", diff)
		}
	})
	t.Run("an update keeps it", func(t *testing.T) {
		if again := r.check(queue, before, properties{}); name(again) != name(first) {
			t.Errorf("%q, want %q", name(again), name(first))
		}
	})
	t.Run("a replacement gets another", func(t *testing.T) { // the engine then tells nothing of the old one
		if other := r.check(queue, nil, properties{}); name(other) == name(first) || !made.MatchString(name(other)) {
			t.Errorf("%q after %q", name(other), name(first))
		}
	})
	t.Run("one that is given is kept", func(t *testing.T) {
		given := r.check(queue, before, properties{"name": "given"})
		if _, marked := given.GetInputs().GetFields()["__defaults"]; name(given) != "given" || marked {
			t.Errorf("%v", given.GetInputs())
		}
	})
	t.Run("one that is no longer given is made up", func(t *testing.T) {
		if got := name(r.check(queue, properties{"name": "given"}, properties{})); !made.MatchString(got) {
			t.Errorf("%q, want it to match %s", got, made)
		}
	})
	t.Run("one that is not known yet is not overridden", func(t *testing.T) {
		computed := r.check(queue, before, properties{"name": resource.MakeComputed(resource.NewStringProperty(""))})
		if got := name(computed); got != plugin.UnknownStringValue {
			t.Errorf("%q, want it unknown", got)
		}
	})
	t.Run("types whose ids AWS makes up have none", func(t *testing.T) {
		if got := r.check(mapping, nil, properties{}); len(got.GetInputs().GetFields()) != 0 {
			t.Errorf("%v, want nothing filled in", got.GetInputs())
		}
	})
	t.Run("one that would be too long is refused", func(t *testing.T) {
		_, err := r.Check(t.Context(), &pulumirpc.CheckRequest{
			Urn: urn(queue) + strings.Repeat("x", 80), News: wire(t, nil), RandomSeed: []byte("s"),
		})
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v, want InvalidArgument", err)
		}
	})
}

func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	r := newRig(t)
	failures := r.check(queue, nil, properties{"fifoQueue": true}).GetFailures()
	if len(failures) != 1 || failures[0].GetProperty() != "fifoQueue" || !strings.Contains(failures[0].GetReason(), queue) {
		t.Errorf("a property: %v", failures)
	}
	_, err := r.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn("aws:s3/bucket:Bucket"), News: wire(t, nil)})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "aws:s3/bucket:Bucket") {
		t.Errorf("a type: %v", err)
	}
}

func TestAPreviewDoesNotRefuseWhatItDoesNotKnowYet(t *testing.T) {
	r := newRig(t)
	computed := resource.MakeComputed(resource.NewStringProperty(""))
	failures := r.check(api, nil, properties{"protocolType": computed, "routeSelectionExpression": computed}).GetFailures()
	if len(failures) > 0 {
		t.Errorf("refused: %v", failures)
	}
}

func TestACreatedResourceRunsAndIsDescribed(t *testing.T) {
	r := newRig(t)
	in := tableInputs()
	in["__defaults"] = []any{"name"}
	id, outputs := r.create(table, in)
	want := properties{
		"name": id, "hashKey": "pk", "attributes": []any{properties{"name": "pk", "type": "S"}},
		"arn": "arn:aws:dynamodb:us-east-1:000000000000:table/" + id, "streamArn": "", "streamLabel": "",
	}
	if diff := cmp.Diff(want, outputs.AsMap()); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if r.cloud.Get(table, id) == nil {
		t.Error("the cloud does not run it")
	}
}

func TestAPreviewOfACreationCreatesNothing(t *testing.T) {
	r := newRig(t)
	in := wire(t, properties{"name": "q", "policy": resource.MakeComputed(resource.NewStringProperty(""))})
	resp, err := r.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(queue), Properties: in, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.AsMap(), resp.GetProperties().AsMap()); diff != "" || resp.GetId() != "" {
		t.Errorf("id %q, outputs (-want +got):\n%s", resp.GetId(), diff)
	}
	if len(r.cloud.Overview().Queues) != 0 {
		t.Error("the queue was created")
	}
}

func TestAPreviewOfAnUpdateKeepsWhatIsKnownAndChangesNothing(t *testing.T) {
	r := newRig(t)
	id, outputs := r.create(queue, properties{"name": "q", "policy": "before"})
	news := wire(t, properties{"name": "q", "policy": resource.MakeComputed(resource.NewStringProperty(""))})
	resp, err := r.Update(t.Context(), &pulumirpc.UpdateRequest{Id: id, Urn: urn(queue), Olds: outputs, News: news, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	want := outputs.AsMap()
	want["policy"] = plugin.UnknownStringValue
	if diff := cmp.Diff(want, resp.GetProperties().AsMap()); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got := r.cloud.Get(queue, id).Inputs["policy"]; got != "before" {
		t.Errorf("the cloud runs it with %v", got)
	}
}

func TestAnUpdateOfWhatWasLostMakesItAgainUnderItsID(t *testing.T) {
	r := newRig(t)
	in := wire(t, properties{"name": "a", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
	resp, err := r.Update(t.Context(), &pulumirpc.UpdateRequest{Id: "lost", Urn: urn(api), Olds: in, News: in})
	if err != nil {
		t.Fatal(err)
	}
	if r.cloud.Get(api, "lost") == nil || resp.GetProperties().GetFields()["apiEndpoint"].GetStringValue() == "" {
		t.Errorf("outputs %v", resp.GetProperties())
	}
}

func TestDiffComparesCodeByItsDigest(t *testing.T) {
	r := newRig(t)
	for dir, comment := range map[string]string{"here": "one", "there": "one", "new": "two"} {
		if err := os.Mkdir(filepath.Join(r.program, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		zipped(t, filepath.Join(r.program, dir, "f.zip"), comment)
	}
	inputs := func(dir string) *structpb.Struct {
		return wireMap(t, functionInputs(t, filepath.Join(r.program, dir, "f.zip"), filepath.Join(dir, "f.zip")))
	}
	r.create(role, properties{
		"name":             "r",
		"assumeRolePolicy": `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}`,
	})
	created, err := r.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(function), Properties: inputs("here")})
	if err != nil {
		t.Fatal(err) // a relative path counts from the program's folder
	}
	same := r.diff(function, "f", inputs("here"), created.GetProperties(), inputs("there"))
	if same.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same code elsewhere: %v", same)
	}
	changed := r.diff(function, "f", inputs("here"), created.GetProperties(), inputs("new"))
	if diff := cmp.Diff([]string{"code"}, changed.GetDiffs()); diff != "" || len(changed.GetReplaces()) > 0 {
		t.Errorf("other code: %v", changed)
	}
}

func TestAReplacementUnderAGivenNameDeletesFirst(t *testing.T) {
	r := newRig(t)
	in := tableInputs()
	id, outputs := r.create(table, in)
	news := tableInputs()
	news["name"], news["hashKey"] = in["name"], "id"
	given := r.diff(table, id, wire(t, in), outputs, wire(t, news))
	if diff := cmp.Diff([]string{"hashKey"}, given.GetReplaces()); diff != "" || !given.GetDeleteBeforeReplace() {
		t.Errorf("a given name: %v", given)
	}
	news["name"], news["__defaults"] = "another", []any{"name"}
	if made := r.diff(table, id, wire(t, in), outputs, wire(t, news)); made.GetDeleteBeforeReplace() {
		t.Errorf("a name made up: %v", made)
	}
}

func TestDiffOfWhatWasLostAsksForAnUpdate(t *testing.T) {
	r := newRig(t)
	in := wire(t, properties{"name": "q"})
	got := r.diff(queue, "lost", in, in, in)
	if got.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME || len(got.GetReplaces()) > 0 {
		t.Errorf("%v, want an update", got)
	}
}

func TestSecretsAreRunAsTheyAre(t *testing.T) {
	r := newRig(t)
	in := properties{"name": "q", "policy": resource.MakeSecret(resource.NewStringProperty("whispered"))}
	id, outputs := r.create(queue, in)
	if got := r.cloud.Get(queue, id).Inputs["policy"]; got != "whispered" {
		t.Errorf("the cloud runs it with %v", got)
	}
	if got := outputs.GetFields()["policy"].GetStringValue(); got != "whispered" {
		t.Errorf("output %v, want it plain: the engine marks it again", outputs.GetFields()["policy"])
	}
	if got := r.diff(queue, id, wire(t, in), outputs, wire(t, in)); got.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("unchanged: %v", got)
	}
}

func TestRead(t *testing.T) {
	r := newRig(t)
	id, outputs := r.create(queue, properties{"name": "q"})
	t.Run("what runs is described as it is now", func(t *testing.T) {
		stale := wire(t, properties{"name": "q", "url": "stale"})
		resp, err := r.Read(t.Context(), &pulumirpc.ReadRequest{Id: id, Urn: urn(queue), Properties: stale, Inputs: stale})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(outputs.AsMap(), resp.GetProperties().AsMap()); diff != "" || resp.GetId() != id {
			t.Errorf("id %q, outputs (-want +got):\n%s", resp.GetId(), diff)
		}
	})
	t.Run("what was lost is not there", func(t *testing.T) {
		resp, err := r.Read(t.Context(), &pulumirpc.ReadRequest{Id: "lost", Urn: urn(queue), Properties: outputs})
		if err != nil || resp.GetId() != "" {
			t.Errorf("%v, %v; want no id", resp, err)
		}
	})
}

func TestDelete(t *testing.T) {
	r := newRig(t)
	id, _ := r.create(queue, properties{"name": "q"})
	for range 2 { // what is gone is no error
		if _, err := r.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: id, Urn: urn(queue)}); err != nil {
			t.Fatal(err)
		}
	}
	if r.cloud.Get(queue, id) != nil {
		t.Error("the cloud still runs it")
	}
	in := tableInputs()
	in["deletionProtectionEnabled"] = true
	protected, _ := r.create(table, in)
	if _, err := r.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: protected, Urn: urn(table)}); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("%v, want the cloud's refusal", err)
	}
}

func TestDataSources(t *testing.T) {
	r := newRig(t)
	for token, want := range map[string]properties{
		"aws:index/getCallerIdentity:getCallerIdentity": {
			"accountId": "000000000000", "arn": "arn:aws:iam::000000000000:root", "id": "000000000000", "userId": "000000000000",
		},
		"aws:index/getRegion:getRegion":       {"id": "us-east-1", "name": "us-east-1", "description": "the local cloud"},
		"aws:index/getPartition:getPartition": {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"},
	} {
		resp, err := r.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: token})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, resp.GetReturn().AsMap()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", token, diff)
		}
	}
	_, err := r.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "aws:ec2/getAmi:getAmi") {
		t.Errorf("another: %v, want a refusal by name", err)
	}
}

func TestRegion(t *testing.T) {
	r := newRig(t)
	configure := func(region string) error {
		_, err := r.Configure(t.Context(), &pulumirpc.ConfigureRequest{Variables: map[string]string{"aws:config:region": region}})
		return err
	}
	steps := []struct {
		name, region, want string
		refused            bool
	}{
		{"of the configuration", "eu-west-1", "eu-west-1", false},
		{"none: as it was", "", "eu-west-1", false},
		{"not known yet: as it was", plugin.UnknownStringValue, "eu-west-1", false},
		{"another while nothing is deployed", "eu-north-1", "eu-north-1", false},
		{"another while something is deployed", "eu-west-1", "eu-north-1", true},
		{"the same while something is deployed", "eu-north-1", "eu-north-1", false},
	}
	for _, step := range steps {
		if step.refused {
			r.create(queue, properties{"name": "q"})
		}
		err := configure(step.region)
		if (status.Code(err) == codes.FailedPrecondition) != step.refused || (err != nil) != step.refused {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := r.cloud.Region(); got != step.want {
			t.Errorf("%s: Region %s, want %s", step.name, got, step.want)
		}
	}
}

func TestTheRegionOfAnExplicitProviderCounts(t *testing.T) {
	r := newRig(t)
	if _, err := r.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: wire(t, properties{"region": "eu-south-1"})}); err != nil {
		t.Fatal(err)
	}
	if got := r.cloud.Region(); got != "eu-south-1" {
		t.Errorf("Region %s", got)
	}
}
