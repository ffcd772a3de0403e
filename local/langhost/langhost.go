// Package langhost runs Go Pulumi programs for the Pulumi engine, as the
// language host of an installed Pulumi does: it builds the program in its
// folder and starts it as a process of its own, with the engine's addresses in
// its environment. The program's own main is what runs.
package langhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// A Host runs the program in one folder.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	binary string // where the built program goes
	output io.Writer
	extra  []string // of programs' environments

	mu     sync.Mutex
	engine string // the engine's address, told at the handshake

	building sync.Mutex // held while the program is built
	built    bool
}

// New returns a host that builds programs to binary, a path. What a program
// prints goes to output. Its environment has these variables besides ("NAME=value").
func New(binary string, output io.Writer, environment ...string) *Host {
	return &Host{binary: binary, output: output, extra: environment}
}

// Register lets server answer the engine.
func (h *Host) Register(server *grpc.Server) { pulumirpc.RegisterLanguageRuntimeServer(server, h) }

// Handshake notes where the engine is.
func (h *Host) Handshake(_ context.Context, req *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = req.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo names no version.
func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages is empty, so that the engine looks for no plugin to
// download: the local cloud answers for the package aws.
func (h *Host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// GetRequiredPlugins is what older engines ask.
func (h *Host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// About says which Go builds the programs.
func (h *Host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, path, "version").Output()
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(version))}, err
}

// InstallDependencies has nothing to do: the build fetches what it needs.
func (h *Host) InstallDependencies(*pulumirpc.InstallDependenciesRequest, grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return nil
}

// RuntimeOptionsPrompts asks for nothing.
func (h *Host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Run builds the program and runs it to its end.
func (h *Host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if err := h.Build(ctx, programDir(req)); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	environment, err := h.environment(req)
	if err != nil {
		return nil, err
	}
	program := exec.CommandContext(ctx, h.binary)
	program.WaitDelay = waitDelay
	program.Dir = req.GetPwd()
	program.Env = slices.Concat(os.Environ(), h.extra, environment)
	program.Stdout, program.Stderr = h.output, h.output
	err = program.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		return &pulumirpc.RunResponse{Bail: true}, nil // the engine has shown what the program told it
	case errors.As(err, &exit) && exit.Exited():
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with exit code %d; what it said is above", exit.ExitCode())}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("run the program: %v", err)}, nil
	}
}

// waitDelay is how long what a program started may hold on to its output after
// the program itself has ended.
const waitDelay = 5 * time.Second

// programDir is the folder of the program's main package.
func programDir(req *pulumirpc.RunRequest) string {
	if dir := req.GetInfo().GetProgramDirectory(); dir != "" {
		return dir
	}
	return req.GetPwd()
}

// Build builds the program in dir, once a host: a host lives for one
// deployment, and Run finds built what Build has built.
func (h *Host) Build(ctx context.Context, dir string) error {
	h.building.Lock()
	defer h.building.Unlock()
	if h.built {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", h.binary, ".")
	cmd.Dir = dir
	// The program runs here, whatever is otherwise built for in this shell.
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.WaitDelay = waitDelay
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the program in %s does not build: %w\n%s", dir, err, strings.TrimSpace(string(output)))
	}
	h.built = true
	return nil
}

// environment is how a Go program finds its engine and its settings.
func (h *Host) environment(req *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(req.GetConfig())
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(req.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	engine := h.engine
	h.mu.Unlock()
	if args := req.GetArgs(); engine == "" && len(args) > 0 {
		engine = args[0]
	}
	return []string{
		"PULUMI_ORGANIZATION=" + req.GetOrganization(),
		"PULUMI_PROJECT=" + req.GetProject(),
		"PULUMI_ROOT_DIRECTORY=" + req.GetInfo().GetRootDirectory(),
		"PULUMI_STACK=" + req.GetStack(),
		"PULUMI_CONFIG=" + string(config),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(secrets),
		"PULUMI_DRY_RUN=" + strconv.FormatBool(req.GetDryRun()),
		"PULUMI_PARALLEL=" + strconv.Itoa(int(req.GetParallel())),
		"PULUMI_MONITOR=" + req.GetMonitorAddress(),
		"PULUMI_ENGINE=" + engine,
	}, nil
}
