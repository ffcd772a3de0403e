package cloud

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"example.com/chatstack/local/dynamo"
	"example.com/chatstack/local/dynamo/dynamotest"
)

// code is the folder of the zips that the tests deploy, built once: 1.zip and
// 2.zip, which answer with their versions.
var code string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cloud-")
	if err != nil {
		panic(err)
	}
	code = dir
	for _, version := range []string{"1", "2"} {
		if err := buildZip(version); err != nil {
			fmt.Fprintln(os.Stderr, "build of the test function:", err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(exitCode int) {
		os.RemoveAll(dir)
		os.Exit(exitCode)
	}))
}

func buildZip(version string) error {
	binary := filepath.Join(code, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w -X main.version="+version, "-o", binary, "./testdata/function")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	return writeZip(filepath.Join(code, version+".zip"), "bootstrap", 0o755, content)
}

func writeZip(path, name string, mode os.FileMode, content []byte) error {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: name, Method: zip.Store}
	header.SetMode(mode)
	member, err := writer.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := member.Write(content); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, archive.Bytes(), 0o644)
}

// A rig is a cloud that can be restarted.
type rig struct {
	*Cloud
	t        *testing.T
	dir      string
	endpoint string
	logged   *logged
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), endpoint: dynamotest.Endpoint(t), logged: &logged{}}
	r.open()
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) open() {
	r.t.Helper()
	opened, err := Open(r.t.Context(), Options{
		Dir: r.dir, Engine: dynamo.EngineOptions{Endpoint: r.endpoint}, Log: slog.New(r.logged),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Cloud = opened
}

// restart closes the cloud, does something, and opens it again.
func (r *rig) restart(meanwhile ...func()) {
	r.t.Helper()
	r.Close()
	for _, do := range meanwhile {
		do()
	}
	r.open()
}

// put declares a new resource.
func (r *rig) put(typ, name string, in Properties) *Resource {
	r.t.Helper()
	if typ == typeFunction && in["role"] == roleARN("r") && r.Get(typeRole, "r") == nil {
		r.role("r", `{"Effect": "Allow", "Action": "*", "Resource": "*"}`)
	}
	put, err := r.Put(r.t.Context(), declared(typ, name, in))
	if err != nil {
		r.t.Fatalf("%s %s: %v", typ, name, err)
	}
	return put
}

// role declares a role for functions, with the statements of its policy.
func (r *rig) role(name string, statements ...string) (role, policy *Resource) {
	r.t.Helper()
	role = r.put(typeRole, name, Properties{"name": name, "assumeRolePolicy": trust(lambdaService)})
	policy = r.put(typeRolePolicy, name, Properties{"name": "p", "role": name, "policy": policyOf(statements...)})
	return role, policy
}

func roleARN(name string) string { return "arn:aws:iam::" + AccountID + ":role/" + name }

func trust(service string) string {
	return policyOf(`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "` + service + `"}}`)
}

func policyOf(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}

// update declares a resource anew, with other inputs on top of its own.
func (r *rig) update(before *Resource, changes Properties) *Resource {
	r.t.Helper()
	after, err := r.tryUpdate(before, changes)
	if err != nil {
		r.t.Fatalf("%s: %v", before.URN, err)
	}
	return after
}

func (r *rig) tryUpdate(before *Resource, changes Properties) (*Resource, error) {
	after := *before
	after.Inputs = before.Inputs.with(changes)
	for name, value := range changes {
		if value == nil {
			delete(after.Inputs, name)
		}
	}
	return r.Put(r.t.Context(), after)
}

func (r *rig) delete(resource *Resource) {
	r.t.Helper()
	if err := r.Delete(r.t.Context(), resource.Type, resource.ID); err != nil {
		r.t.Fatal(err)
	}
}

// diff compares a resource as it was deployed with inputs that have not changed.
func (r *rig) diff(deployed *Resource) Change {
	r.t.Helper()
	change, err := r.Diff(deployed.Type, deployed.ID, deployed.Inputs, deployed.Outputs, deployed.Inputs)
	if err != nil {
		r.t.Fatal(err)
	}
	return change
}

func declared(typ, name string, in Properties) Resource {
	return Resource{URN: "urn:pulumi:local::test::" + typ + "::" + name, Type: typ, Inputs: in}
}

func functionInputs(name, version string) Properties {
	return Properties{
		"name": name, "runtime": "provided.al2023", "handler": "bootstrap", "role": roleARN("r"),
		"code":    map[string]any{"hash": "digest-of-" + version, "path": filepath.Join(code, version+".zip")},
		"timeout": 20.0,
	}
}

// tableInputs are those of a table of its own name, with changes.
func tableInputs(changes Properties) Properties {
	return Properties{
		"name": "cloud-" + rand.Text(), "hashKey": "pk", "rangeKey": "sk",
		"attributes": []any{attribute("pk", "S"), attribute("sk", "S")},
	}.with(changes)
}

func attribute(name, typ string) any { return map[string]any{"name": name, "type": typ} }

// A served is a WebSocket API with one function.
type served struct{ role, policy, api, stage, function, permission, integration, route, response *Resource }

// parts are all of it, what is used before what uses it.
func (s served) parts() []*Resource {
	return []*Resource{s.role, s.policy, s.api, s.stage, s.function, s.permission, s.integration, s.route, s.response}
}

// serve declares an API, the names of whose parts begin with name.
func (r *rig) serve(name string) served {
	r.t.Helper()
	var s served
	s.api = r.put(typeAPI, name, Properties{"name": name, "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
	s.stage = r.put(typeStage, name, Properties{"apiId": s.api.ID, "name": "local", "autoDeploy": true})
	s.function = r.put(typeFunction, name, functionInputs(name, "1"))
	s.role, s.policy = r.Get(typeRole, "r"), r.Get(typeRolePolicy, "r:p")
	s.permission = r.put(typePermission, name, permissionInputs(s.function, s.stage.Outputs.text("executionArn")+"/$default"))
	s.integration = r.put(typeIntegration, name, Properties{
		"apiId": s.api.ID, "integrationType": "AWS_PROXY", "integrationUri": s.function.Outputs.text("invokeArn"),
	})
	s.route = r.put(typeRoute, name, Properties{
		"apiId": s.api.ID, "routeKey": "$default", "target": "integrations/" + s.integration.ID, "routeResponseSelectionExpression": "$default",
	})
	s.response = r.put(typeRouteResponse, name, Properties{"apiId": s.api.ID, "routeId": s.route.ID, "routeResponseKey": "$default"})
	return s
}

func permissionInputs(function *Resource, source string) Properties {
	return Properties{
		"statementId": "api", "function": function.ID, "action": "lambda:InvokeFunction", "principal": apiGateway, "sourceArn": source,
	}
}

func (s served) url() string { return s.stage.Outputs.text("invokeUrl") }

// ask sends a frame on a connection of its own and returns the answer.
func (r *rig) ask(url, frame string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		r.t.Fatal(err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(answer)
}

// logged is a slog handler that keeps lines.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logged) WithGroup(string) slog.Handler                    { return l }

func (l *logged) Handle(_ context.Context, record slog.Record) error {
	line := []string{record.Message}
	record.Attrs(func(a slog.Attr) bool { line = append(line, a.String()); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.Join(line, " "))
	return nil
}

// with returns the lines that hold a text.
func (l *logged) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
