// Package logs keeps what the functions of the local cloud print: one text
// file a log group, in the place of CloudWatch Logs.
package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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

// Log appends a line to a group. A failure to write is reported once a group
// and never disturbs the function that printed the line.
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
	n, err := fmt.Fprintf(g.file, "%s %s %s\n", at.UTC().Format(timeFormat), stream, strings.TrimRight(line, "\r\n"))
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
	if err := os.Rename(s.path(name), s.path(name)+".1"); err != nil {
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
	for _, path := range []string{s.path(name), s.path(name) + ".1"} {
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

// Groups lists the groups that have lines, sorted.
func (s *Store) Groups() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list log groups: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if escaped, ok := strings.CutSuffix(entry.Name(), ".log"); ok {
			if name, err := url.PathUnescape(escaped); err == nil {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s *Store) path(name string) string {
	return filepath.Join(s.Dir, url.PathEscape(name)+".log")
}

func (s *Store) logger() *slog.Logger {
	if s.Trouble == nil {
		return slog.Default()
	}
	return s.Trouble
}

// A Line is one line of a group.
type Line struct {
	Group, Stream, Text string
	At                  time.Time
}

// A Cursor reads the lines of a store as they come.
type Cursor struct {
	store   *Store
	offsets map[string]int64
	files   map[string]fs.FileInfo
}

// From returns a cursor at the beginning of every group or, with end, behind
// what is there now.
func (s *Store) From(end bool) (*Cursor, error) {
	c := &Cursor{store: s, offsets: map[string]int64{}, files: map[string]fs.FileInfo{}}
	if !end {
		return c, nil
	}
	_, err := c.Next(nil)
	return c, err
}

// Next returns the lines that came since the last call, in the order of their
// times, of the groups that match (nil: of all).
func (c *Cursor) Next(match func(group string) bool) ([]Line, error) {
	groups, err := c.store.Groups()
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, name := range groups {
		if match != nil && !match(name) {
			continue
		}
		more, err := c.read(name)
		if err != nil {
			return nil, fmt.Errorf("read log group %s: %w", name, err)
		}
		lines = append(lines, more...)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return a.At.Compare(b.At) })
	return lines, nil
}

func (c *Cursor) read(name string) ([]Line, error) {
	file, err := os.Open(c.store.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if last := c.files[name]; last != nil && !os.SameFile(last, info) {
		c.offsets[name] = 0 // the file was set aside or its group made anew
	}
	c.files[name] = info
	if _, err := file.Seek(c.offsets[name], io.SeekStart); err != nil {
		return nil, err
	}
	var lines []Line
	for reader := bufio.NewReader(file); ; {
		text, err := reader.ReadString('\n')
		if err == io.EOF {
			return lines, nil // an unfinished line is read next time
		}
		if err != nil {
			return nil, err
		}
		c.offsets[name] += int64(len(text))
		lines = append(lines, parse(name, strings.TrimSuffix(text, "\n")))
	}
}

func parse(group, text string) Line {
	stamp, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(timeFormat, stamp)
	if err != nil {
		return Line{Group: group, Text: text}
	}
	stream, line, _ := strings.Cut(rest, " ")
	return Line{Group: group, Stream: stream, At: at, Text: line}
}
