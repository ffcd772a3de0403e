// Package logs keeps what the functions of the local cloud print: one text
// file a log group, in the place of CloudWatch Logs.
package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBytes is the size at which a group's file is set aside as FILE.1 (and the
// one set aside before is dropped), so that a chat left running for weeks
// keeps at most twice this a group.
const maxBytes = 16 << 20

const (
	fileSuffix  = ".log"
	asideSuffix = ".1" // behind the fileSuffix
)

// timeFormat begins every line; it has a fixed width.
const timeFormat = "2006-01-02T15:04:05.000Z"

// A Store is a folder of log groups.
type Store struct {
	Dir     string
	Trouble *slog.Logger // where trouble with the files goes; nil means slog.Default

	mu     sync.Mutex
	groups map[string]*group
}

type group struct {
	file *os.File
	size int64
}

// Log appends a line to a group. A failure is reported and never disturbs the
// function that printed the line.
func (s *Store) Log(name, stream string, at time.Time, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, known := s.groups[name]
	if !known {
		var err error
		if g, err = s.open(name); err != nil {
			s.logger().Error("log group cannot be written", "group", name, "error", err)
		}
		if s.groups == nil {
			s.groups = map[string]*group{}
		}
		s.groups[name] = g
	}
	if g == nil {
		return
	}
	line = strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\n", "\r") // one line stays one
	n, err := fmt.Fprintf(g.file, "%s %s %s\n", at.UTC().Format(timeFormat), stream, line)
	g.size += int64(n)
	if err != nil {
		s.logger().Error("log line cannot be written", "group", name, "error", err)
	}
	if g.size >= maxBytes {
		s.rotate(name, g)
	}
}

func (s *Store) open(name string) (*group, error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(s.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &group{file: file, size: info.Size()}, nil
}

func (s *Store) rotate(name string, g *group) {
	g.file.Close()
	delete(s.groups, name)
	if err := os.Rename(s.path(name), s.aside(name)); err != nil {
		s.logger().Error("log group cannot be set aside", "group", name, "error", err)
	}
}

// Delete drops a group and its lines.
func (s *Store) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[name]; g != nil {
		g.file.Close()
	}
	delete(s.groups, name)
	for _, path := range []string{s.path(name), s.aside(name)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete log group %s: %w", name, err)
		}
	}
	return nil
}

// Close closes the files.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, g := range s.groups {
		if g != nil {
			g.file.Close()
		}
		delete(s.groups, name)
	}
}

// Groups lists the groups that have lines, sorted. There are none before the
// first line.
func (s *Store) Groups() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list log groups: %w", err)
	}
	var names []string
	for _, entry := range entries {
		escaped, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), asideSuffix), fileSuffix)
		if !ok {
			continue
		}
		if name, err := url.PathUnescape(escaped); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// path is the file of a group, and aside the one that was set aside before it.
func (s *Store) path(name string) string {
	return filepath.Join(s.Dir, url.PathEscape(name)+fileSuffix)
}

func (s *Store) aside(name string) string { return s.path(name) + asideSuffix }

func (s *Store) logger() *slog.Logger {
	if s.Trouble == nil {
		return slog.Default()
	}
	return s.Trouble
}
