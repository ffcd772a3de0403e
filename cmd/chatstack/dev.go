package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// devCommand deploys whenever the sources change.
type devCommand struct{}

// settle is how long the sources must stay as they are before they are
// deployed: an editor or a git checkout writes many files at a time.
const settle = 300 * time.Millisecond

func (*devCommand) Run(ctx context.Context, p *project) error {
	sources, err := watchSources(ctx, p.dir)
	if err != nil {
		return err
	}
	defer sources.Close()
	logs, err := p.openLogs(ctx, true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		if err := logs.follow(ctx, os.Stdout); err != nil {
			cancel(err)
		}
	}()
	err = p.keepDeployed(ctx, sources)
	cancel(nil)
	<-followed
	return errors.Join(err, p.stopAll())
}

// keepDeployed deploys, and deploys again after each change of the sources,
// until ctx ends. A failure is shown, and the next change tries again.
func (p *project) keepDeployed(ctx context.Context, sources *sourceWatcher) error {
	shown := false
	for {
		cloud, err := p.deploy(ctx, os.Stdout)
		if err == nil && !shown {
			if err = p.showDeployed(ctx, os.Stdout, cloud); err == nil {
				fmt.Fprint(os.Stdout, "\nFollowing the logs and the sources. Ctrl-C stops everything and keeps the data.\n\n")
				shown = true
			}
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "chatstack: %v\nWhat ran before runs on; the next change is deployed again.\n", err)
		}
		changed, err := sources.next(ctx)
		var signalled stopped
		switch {
		case errors.As(context.Cause(ctx), &signalled):
			return nil // Ctrl-C is how this command ends
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		fmt.Fprintf(os.Stdout, "\n%s changed: deploying\n", relative(p.dir, changed))
	}
}

// stopAll stops the local cloud and leaves the stage deployed in it: the next
// up or dev finds everything as it was.
func (p *project) stopAll() error {
	ctx := context.Background() // the command's own has ended
	cloud, err := p.running(ctx)
	if err != nil || cloud == nil {
		return err
	}
	defer p.steps.begin("stopping the local cloud")()
	return p.stop(ctx, cloud)
}

func relative(base, path string) string {
	if short, err := filepath.Rel(base, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}

// A sourceWatcher tells of changes in what a program is built from: its own
// folder and those of the modules that its go.mod replaces by folders.
type sourceWatcher struct{ *fsnotify.Watcher }

func watchSources(ctx context.Context, dir string) (*sourceWatcher, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch the sources: %w", err)
	}
	w := &sourceWatcher{watcher}
	for _, root := range append(replacedModules(ctx, dir), dir) {
		if err := w.addTree(root); err != nil {
			watcher.Close()
			return nil, fmt.Errorf("watch the sources in %s: %w", root, err)
		}
	}
	return w, nil
}

// replacedModules lists the folders of modules that are built from source
// beside the program, not from the module cache.
func replacedModules(ctx context.Context, dir string) []string {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{with .Replace}}{{if not .Version}}{{.Dir}}{{end}}{{end}}", "all")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil // the build will say what is wrong
	}
	return strings.Fields(string(out))
}

func (w *sourceWatcher) addTree(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules") {
			return filepath.SkipDir
		}
		return w.Add(path)
	})
}

// isSource reports whether a change of path can change what is deployed.
func isSource(path string) bool {
	name := filepath.Base(path)
	if strings.HasSuffix(name, "_test.go") {
		return false
	}
	return slices.Contains([]string{".go", ".mod", ".sum", ".yaml"}, filepath.Ext(name)) && !strings.HasPrefix(name, ".")
}

// next waits for a change of a source, and until no more follow for a moment.
func (w *sourceWatcher) next(ctx context.Context) (string, error) {
	var changed string
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case err := <-w.Errors:
			return "", err
		case <-quiet:
			return changed, nil
		case event := <-w.Events:
			if info, err := os.Stat(event.Name); err == nil && info.IsDir() && event.Has(fsnotify.Create) {
				if err := w.addTree(event.Name); err != nil {
					return "", err
				}
			}
			if isSource(event.Name) && !event.Has(fsnotify.Chmod) {
				changed, quiet = event.Name, time.After(settle)
			}
		}
	}
}
