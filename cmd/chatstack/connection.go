package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"example.com/chatstack/local/control"
)

// A connection is a local cloud that runs.
type connection struct{ control.Address }

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second

	// waitForPulumi is how long an interrupted Pulumi may take to end its
	// operations.
	waitForPulumi = 20 * time.Second
)

func (p *project) addressFile() string { return p.path("cloud.json") }

// running returns the project's local cloud, or nil where none answers.
func (p *project) running(ctx context.Context) (*connection, error) {
	address, err := control.ReadAddress(p.addressFile())
	if err != nil || address == nil {
		return nil, err
	}
	if _, err := address.Status(ctx); err != nil {
		return nil, nil // killed, or from before a restart of the machine
	}
	return &connection{*address}, nil
}

// mustRun returns the project's local cloud, which must run.
func (p *project) mustRun(ctx context.Context) (*connection, error) {
	cloud, err := p.running(ctx)
	if err == nil && cloud == nil {
		err = fmt.Errorf("the local cloud does not run: start it with `%s`", p.how("up"))
	}
	return cloud, err
}

// connect returns the project's local cloud, and starts it where none runs. With
// renew, one that another build of this program runs is replaced, which its open
// connections do not outlive.
func (p *project) connect(ctx context.Context, renew bool) (*connection, error) {
	cloud, err := p.running(ctx)
	if err != nil || cloud != nil && !renew {
		return cloud, err
	}
	build, err := ownBuild()
	if err != nil {
		return nil, err
	}
	if cloud != nil && cloud.Build == build {
		return cloud, nil
	}
	if cloud != nil {
		if err := p.stop(ctx, cloud); err != nil {
			return nil, err
		}
	}
	if os.Getenv(endpointVar) == "" {
		if _, err := p.tools.Dynoxide(ctx); err != nil {
			return nil, err
		}
	}
	defer p.steps.begin("starting the local cloud")()
	return p.start(ctx, build)
}

// start starts the local cloud as a process of its own that outlives this one.
func (p *project) start(ctx context.Context, build string) (*connection, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := p.makeHome(); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(p.path("cloud.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	before, err := output.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(executable, "--program", p.dir, "--home", p.home, "cloud", "--build", build)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the local cloud: %w", err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if cloud, err := p.running(ctx); err == nil && cloud != nil && cloud.PID == cmd.Process.Pid {
			return cloud, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("the local cloud ended at once; it said:\n%s", tail(p.path("cloud.log"), before))
		case <-ctx.Done():
			return nil, fmt.Errorf("the local cloud does not answer within %v; another one may still hold %s. It said:\n%s", startTimeout, p.home, tail(p.path("cloud.log"), before))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the local cloud and waits until its process is gone.
func (p *project) stop(ctx context.Context, cloud *connection) error {
	if err := cloud.Shutdown(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	for alive(cloud.PID) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the local cloud (process %d) does not end; %s says what it is doing", cloud.PID, p.path("cloud.log"))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// ownBuild tells builds of this program apart.
func ownBuild() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)[:12]), nil
}

// tail returns what was written to a file from an offset on, at most its end.
func tail(path string, from int64) string {
	data, err := os.ReadFile(path)
	if err != nil || from > int64(len(data)) {
		return ""
	}
	text := strings.TrimSpace(string(data[from:]))
	if len(text) > 4000 {
		text = "…" + text[len(text)-4000:]
	}
	return text
}
