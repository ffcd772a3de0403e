package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Options say what to run. Path is required.
type Options struct {
	// Path is the executable: an absolute path, or one relative to Dir. It is
	// not searched for on PATH.
	Path string
	// Args follow the program's name; nil means none.
	Args []string
	// Env is the whole environment as KEY=value; nothing of ours is inherited,
	// so nil means an empty one.
	Env []string
	// Dir is the working directory; empty means ours.
	Dir string
	// Stdout is called with each line that the process writes to standard
	// output, without its line end; nil discards them. A line longer than
	// MaxLine comes in pieces. Calls never overlap and must not call Flush;
	// while one lasts, a process that goes on writing has to wait.
	Stdout func(line string)
	// Stderr is the same for standard error. Nil sends standard error down the
	// same pipe as standard output, which keeps the order between the two; to
	// discard standard error alone, give a function that does nothing.
	Stderr func(line string)
}

// A Process is a started child. All of its methods may be called at any time,
// from any goroutine, as often as one likes.
type Process struct {
	cmd     *exec.Cmd
	outputs []*output

	mu       sync.Mutex // guards the two below
	reaped   bool       // no signal may reach a recycled process id
	seenPeak int64      // bytes, see PeakMemory

	done chan struct{}
	err  error // once done is closed
}

// Start starts the program and returns once it runs. When ctx ends, the process
// and its group are killed. Whoever starts a process waits for it: see Wait and
// Done.
func Start(ctx context.Context, opts Options) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	p := &Process{
		cmd: &exec.Cmd{
			Path:        opts.Path,
			Args:        append([]string{opts.Path}, opts.Args...),
			Env:         append([]string{}, opts.Env...), // never nil, which would mean ours
			Dir:         opts.Dir,
			SysProcAttr: attributes(),
		},
		done: make(chan struct{}),
	}
	if err := p.redirect(opts); err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	if err := p.run(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	return p, nil
}

// redirect makes the pipes that the options ask for.
func (p *Process) redirect(opts Options) error {
	open := func(line func(string)) (*os.File, error) {
		o, w, err := newOutput(line)
		if err != nil {
			p.closeOutputs()
			return nil, err
		}
		p.outputs = append(p.outputs, o)
		return w, nil
	}
	if opts.Stdout != nil {
		w, err := open(opts.Stdout)
		if err != nil {
			return err
		}
		p.cmd.Stdout = w
	}
	if opts.Stderr == nil {
		p.cmd.Stderr = p.cmd.Stdout
		return nil
	}
	w, err := open(opts.Stderr)
	if err != nil {
		return err
	}
	p.cmd.Stderr = w
	return nil
}

// run starts the process on a goroutine that then waits for it, and returns once
// it has started.
func (p *Process) run(ctx context.Context) error {
	started := make(chan error, 1)
	go func() {
		unpin := pin()
		defer unpin()
		err := p.cmd.Start()
		for _, o := range p.outputs {
			o.started()
		}
		if err != nil {
			p.closeOutputs()
			started <- err
			return
		}
		unbind := context.AfterFunc(ctx, p.Kill)
		started <- nil
		p.wait()
		unbind()
	}()
	return <-started
}

// wait returns once the process and its outputs have ended.
func (p *Process) wait() {
	var readers sync.WaitGroup
	for _, o := range p.outputs {
		readers.Go(o.read)
	}
	p.err = p.reap()
	p.closeOutputs()
	readers.Wait()
	close(p.done)
}

// endGroup kills what the exited leader has left of its group, and lets no
// signal out after that.
func (p *Process) endGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // ESRCH is as good
	p.reaped = true
}

func (p *Process) closeOutputs() {
	for _, o := range p.outputs {
		o.close()
	}
}

// PID is the process id, which is also the id of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has exited and the last line it wrote has been
// handed over.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the process has exited. It returns nil after exit status 0
// and otherwise an *exec.ExitError, whose text is for example "exit status 1" or
// "signal: killed".
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Flush hands over every line that the process has written until now, and
// returns after that. A last line without its end stays until that comes.
func (p *Process) Flush() {
	for _, o := range p.outputs {
		o.drain()
	}
}

// Kill kills the process and its group, frozen or not, and does not wait until it
// has exited.
func (p *Process) Kill() {
	p.observe() // nobody can tell afterwards
	p.signalGroup(syscall.SIGKILL)
}

// Signal sends sig to the process alone, not to its group. It returns
// os.ErrProcessDone if the process has exited.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	if err := syscall.Kill(p.cmd.Process.Pid, sig); err != nil {
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return fmt.Errorf("signal process %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// Stop asks the process to end by SIGTERM, for which it is thawed, kills it if it
// has not within grace, and waits for it. It returns what Wait does.
func (p *Process) Stop(grace time.Duration) error {
	if p.Signal(syscall.SIGTERM) == nil {
		p.Thaw()
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		}
	}
	p.Kill()
	return p.Wait()
}
