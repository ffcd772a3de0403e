package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"example.com/chatstack/local/langhost"
)

// An engine is the Pulumi CLI, set up so that programs are started by this
// process and every AWS resource goes to the local cloud.
type engine struct {
	project *project
	pulumi  string
	host    *langhost.Host
	env     []string
	close   func()
}

// openStage returns the running local cloud and an engine on it, with the stage's
// stack ready to be worked on. With renew, a cloud that another build of this
// program runs is replaced. The caller holds the project's lock, and closes the
// engine.
func (p *project) openStage(ctx context.Context, renew bool) (*connection, *engine, error) {
	cloud, err := p.connect(ctx, renew)
	if err != nil {
		return nil, nil, err
	}
	engine, err := p.openEngine(ctx, cloud)
	if err != nil {
		return nil, nil, err
	}
	if err := engine.selectStack(ctx); err != nil {
		engine.close()
		return nil, nil, err
	}
	return cloud, engine, nil
}

// openEngine serves the language host and finds, or builds, the Pulumi CLI.
// Without a cloud, Pulumi can read the state but not run resources.
func (p *project) openEngine(ctx context.Context, cloud *connection) (*engine, error) {
	pulumi, err := p.tools.Pulumi(ctx)
	if err != nil {
		return nil, err
	}
	state := p.path("state")
	if err := os.MkdirAll(state, 0o755); err != nil {
		return nil, err
	}
	var environment []string
	if cloud != nil {
		environment = []string{issuerVar + "=" + cloud.URL}
	}
	host := langhost.New(p.path("program"), os.Stderr, environment...)
	port, stop, err := serve(host.Register)
	if err != nil {
		return nil, err
	}
	e := &engine{
		project: p, pulumi: pulumi, host: host,
		close: stop,
		env: append(os.Environ(),
			fmt.Sprintf("PULUMI_DEBUG_LANGUAGES=go:%d", port),
			// Without metadata=skip, each file of the state has one beside it that is
			// not replaced in one step, and empty after a kill.
			"PULUMI_BACKEND_URL=file://"+filepath.ToSlash(state)+"?metadata=skip",
			"PULUMI_HOME="+p.path("pulumi"),
			"PULUMI_CONFIG_PASSPHRASE=", // the state holds no secrets, and none of AWS's
			"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
			"PULUMI_SKIP_UPDATE_CHECK=true",
			"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS=true",
		),
	}
	if cloud != nil {
		e.env = append(e.env, fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", cloud.ProviderPort))
	}
	return e, nil
}

func (e *engine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.pulumi, args...)
	cmd.Dir = e.project.dir
	cmd.Env = e.env
	// Pulumi ends an operation in good order when it is interrupted, and at once
	// when it is interrupted twice. A terminal's Ctrl-C has reached it already.
	cmd.Cancel = func() error {
		var signalled stopped
		if errors.As(context.Cause(ctx), &signalled) && signalled.by == syscall.SIGINT && isTerminal(os.Stdin) {
			return nil
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = waitForPulumi
	return cmd
}

// show runs Pulumi with its output where people see it.
func (e *engine) show(ctx context.Context, out io.Writer, args ...string) error {
	cmd := e.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pulumi %s: %w", args[0], err)
	}
	return nil
}

// ask runs Pulumi and returns what it prints.
func (e *engine) ask(ctx context.Context, args ...string) (string, error) {
	cmd := e.command(ctx, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("pulumi %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}

// selectStack makes sure that the stack is there, and neither locked by a
// deployment that was killed nor in doubt about what that had begun.
func (e *engine) selectStack(ctx context.Context) error {
	if !e.hasStack() {
		if _, err := e.ask(ctx, "stack", "init", stage); err != nil {
			return err
		}
	}
	locks, err := filepath.Glob(e.project.path("state", ".pulumi", "locks", "*", "*", stage, "*.json"))
	if err == nil && len(locks) > 0 {
		if _, err := e.ask(ctx, "cancel", "--yes", "--stack", stage); err != nil {
			return err
		}
	}
	killed, err := e.project.interrupted()
	if err != nil || !killed {
		return err
	}
	defer e.project.steps.begin("finding out how far an interrupted deployment came")()
	_, err = e.ask(ctx, "refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stage)
	return err
}

func (e *engine) hasStack() bool {
	found, err := filepath.Glob(e.project.path("state", ".pulumi", "stacks", e.project.name(), stage+".json*"))
	return err == nil && len(found) > 0
}

// outputs returns the stack's outputs.
func (e *engine) outputs(ctx context.Context) (map[string]any, error) {
	if held, err := e.project.heldResources(); err != nil {
		return nil, err
	} else if len(held) == 0 {
		return nil, fmt.Errorf("the stage is not deployed: `%s` deploys it", e.project.how("up"))
	}
	out, err := e.ask(ctx, "stack", "output", "--json", "--stack", stage)
	if err != nil {
		return nil, err
	}
	var outputs map[string]any
	if err := json.Unmarshal([]byte(out), &outputs); err != nil {
		return nil, fmt.Errorf("read the stack's outputs: %w", err)
	}
	return outputs, nil
}
