package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// A Line is one line of a group.
type Line struct {
	Group, Stream, Text string
	At                  time.Time
}

// A Cursor reads the lines of a store as they come, also those that another
// process writes. It is for one goroutine.
type Cursor struct {
	store   *Store
	reading map[string]*position // by group
}

// A position is how far a group has been read. The file stays open: what was
// written to it before it was set aside or deleted is still to be read, and no
// other file can be taken for it.
type position struct {
	file   *os.File
	info   fs.FileInfo
	offset int64
}

// From returns a cursor at the beginning of what is kept of every group or, with
// end, behind what is there now.
func (s *Store) From(end bool) (*Cursor, error) {
	c := &Cursor{store: s, reading: map[string]*position{}}
	if !end {
		return c, nil
	}
	if _, err := c.Next(nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close closes the files that the cursor reads.
func (c *Cursor) Close() {
	for name, p := range c.reading {
		p.file.Close()
		delete(c.reading, name)
	}
}

// Next returns the lines that came since the last call, in the order of their
// times, of the groups that match (nil: of all).
func (c *Cursor) Next(match func(group string) bool) ([]Line, error) {
	groups, err := c.store.Groups()
	if err != nil {
		return nil, err
	}
	for name := range c.reading {
		if !slices.Contains(groups, name) {
			groups = append(groups, name) // deleted, or just being set aside
		}
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

// read reads on in the file that it has come to, and then in those that came
// after it.
func (c *Cursor) read(name string) ([]Line, error) {
	next, err := c.after(name)
	if err != nil {
		return nil, err
	}
	var lines []Line
	if p := c.reading[name]; p != nil {
		if lines, err = p.read(name, lines); err != nil {
			closeAll(next)
			return nil, err
		}
	}
	for i, p := range next {
		if before := c.reading[name]; before != nil {
			before.file.Close()
		}
		c.reading[name] = p
		if lines, err = p.read(name, lines); err != nil {
			closeAll(next[i+1:])
			return nil, err
		}
	}
	return lines, nil
}

// after opens the files of a group that come after the one that is being read,
// oldest first. The one that is written to now is opened first, so that none is
// overlooked that is set aside meanwhile.
func (c *Cursor) after(name string) ([]*position, error) {
	current, err := openPosition(c.store.path(name))
	if err != nil {
		return nil, err
	}
	aside, err := openPosition(c.store.aside(name))
	if err != nil {
		closeAll([]*position{current})
		return nil, err
	}
	last := c.reading[name]
	switch {
	case current.is(last):
		closeAll([]*position{aside, current})
		return nil, nil
	case aside.is(last) || aside.is(current):
		closeAll([]*position{aside})
		aside = nil
	}
	var files []*position
	for _, p := range []*position{aside, current} {
		if p != nil {
			files = append(files, p)
		}
	}
	return files, nil
}

// openPosition returns the beginning of a file, or nil where there is none.
func openPosition(path string) (*position, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &position{file: file, info: info}, nil
}

func closeAll(positions []*position) {
	for _, p := range positions {
		if p != nil {
			p.file.Close()
		}
	}
}

// is reports whether two positions are in one file.
func (p *position) is(other *position) bool {
	return p != nil && other != nil && os.SameFile(p.info, other.info)
}

// read appends what a file has behind the position, up to the end of its last
// finished line, to lines.
func (p *position) read(group string, lines []Line) ([]Line, error) {
	if _, err := p.file.Seek(p.offset, io.SeekStart); err != nil {
		return lines, err
	}
	for reader := bufio.NewReader(p.file); ; {
		text, err := reader.ReadString('\n')
		if err == io.EOF {
			return lines, nil // an unfinished line is read next time
		}
		if err != nil {
			return lines, err
		}
		p.offset += int64(len(text))
		lines = append(lines, parse(group, strings.TrimSuffix(text, "\n")))
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
