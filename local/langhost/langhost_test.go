package langhost_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"example.com/chatstack/local/langhost"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An output keeps what a program prints, and tells when it has printed something.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	printed chan struct{} // closed by the first write that holds "hanging"
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if bytes.Contains(p, []byte("hanging")) {
		close(o.printed)
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serve serves a host over gRPC, as the engine meets it.
func serve(t *testing.T) (pulumirpc.LanguageRuntimeClient, *output) {
	t.Helper()
	out := &output{printed: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	langhost.New(filepath.Join(t.TempDir(), "program"), out).Register(server)
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-served })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return pulumirpc.NewLanguageRuntimeClient(conn), out
}

// request asks for the program in testdata/program, under a stack's name.
func request(t *testing.T, stack string) *pulumirpc.RunRequest {
	t.Helper()
	dir, err := filepath.Abs("testdata/program")
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.RunRequest{
		Info: &pulumirpc.ProgramInfo{RootDirectory: "/root/of/it", ProgramDirectory: dir, EntryPoint: "."},
		Pwd:  dir, Organization: "organization", Project: "project", Stack: stack,
		Config: map[string]string{"project:name": "value", "aws:region": "eu-west-1"}, ConfigSecretKeys: []string{"project:name"},
		DryRun: true, Parallel: 7, MonitorAddress: "127.0.0.1:1", Args: []string{"127.0.0.1:2"},
	}
}

func TestTheProgramFindsItsEngineAndItsSettings(t *testing.T) {
	t.Setenv("PULUMI_STACK", "another, of whoever started the host")
	for name, test := range map[string]struct{ handshake, engine string }{
		"the engine's address from the handshake": {"127.0.0.1:3", "127.0.0.1:3"},
		"the engine's address from the arguments": {"", "127.0.0.1:2"},
	} {
		t.Run(name, func(t *testing.T) {
			host, out := serve(t)
			if test.handshake != "" {
				if _, err := host.Handshake(t.Context(), &pulumirpc.LanguageHandshakeRequest{EngineAddress: test.handshake}); err != nil {
					t.Fatal(err)
				}
			}
			req := request(t, "local")
			answer, err := host.Run(t.Context(), req)
			if err != nil || answer.GetError() != "" || answer.GetBail() {
				t.Fatalf("%v, %v", answer, err)
			}
			want := []string{
				"in " + req.GetPwd(),
				`PULUMI_CONFIG={"aws:region":"eu-west-1","project:name":"value"}`,
				`PULUMI_CONFIG_SECRET_KEYS=["project:name"]`,
				"PULUMI_DRY_RUN=true",
				"PULUMI_ENGINE=" + test.engine,
				"PULUMI_MONITOR=127.0.0.1:1",
				"PULUMI_ORGANIZATION=organization",
				"PULUMI_PARALLEL=7",
				"PULUMI_PROJECT=project",
				"PULUMI_ROOT_DIRECTORY=/root/of/it",
				"PULUMI_STACK=local",
			}
			if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" {
				t.Errorf("the program sees (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]*pulumirpc.RunResponse{
		"0":  {},
		"1":  {Error: "the program ended with exit code 1; what it said is above"},
		"32": {Bail: true}, // the engine has shown the error that the program told it
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			host, _ := serve(t)
			got, err := host.Run(t.Context(), request(t, code))
			if err != nil {
				t.Fatal(err)
			}
			if got.GetError() != want.GetError() || got.GetBail() != want.GetBail() {
				t.Errorf("answer %v, want %v", got, want)
			}
		})
	}
}

func TestAProgramThatDoesNotCompileIsAnsweredWithTheCompilersWords(t *testing.T) {
	t.Parallel()
	host, out := serve(t)
	req := request(t, "local")
	req.Info.ProgramDirectory = filepath.Join(filepath.Dir(req.Pwd), "broken")
	got, err := host.Run(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.GetError(), "undefined: undefinedName") || got.GetBail() {
		t.Errorf("answer %v, want the compiler's error", got)
	}
	if out.String() != "" {
		t.Errorf("something ran:\n%s", out)
	}
}

func TestTheProgramEndsWithTheCall(t *testing.T) {
	t.Parallel()
	host, out := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := host.Run(ctx, request(t, "hang"))
		ended <- err
	}()
	<-out.printed
	cancel()
	if err := <-ended; err == nil {
		t.Error("the call ended without an error")
	}
	// At its end the server waits for the handler, and so for the program.
}

func TestWhatIsBuiltBeforeIsNotBuiltAgain(t *testing.T) {
	t.Parallel()
	var out output
	binary := filepath.Join(t.TempDir(), "program")
	host := langhost.New(binary, &out)
	req := request(t, "0")
	if err := host.Build(t.Context(), req.Info.ProgramDirectory); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Run(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("it was built again")
	}
}

func TestTheEngineIsToldOfNothingToDownload(t *testing.T) {
	t.Parallel()
	host, _ := serve(t)
	packages, err := host.GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{})
	if err != nil || len(packages.GetPackages()) != 0 {
		t.Errorf("packages: %v, %v", packages, err)
	}
	if _, err := host.GetPluginInfo(t.Context(), &emptypb.Empty{}); err != nil {
		t.Error(err)
	}
	about, err := host.About(t.Context(), &pulumirpc.AboutRequest{})
	if err != nil || !strings.HasPrefix(about.GetVersion(), "go version go") {
		t.Errorf("about: %v, %v", about, err)
	}
}
