package logs

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T) *Store {
	t.Helper()
	s := &Store{Dir: filepath.Join(t.TempDir(), "logs"), Trouble: slog.New(slog.DiscardHandler)}
	t.Cleanup(s.Close)
	return s
}

func from(t *testing.T, s *Store, end bool) *Cursor {
	t.Helper()
	c, err := s.From(end)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// expect checks the texts of the lines that came since the last call.
func expect(t *testing.T, c *Cursor, want ...string) {
	t.Helper()
	lines, err := c.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range lines {
		got = append(got, line.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// fill writes a line that makes the group's file be set aside.
func fill(s *Store, name string) (line string) {
	line = strings.Repeat("x", maxBytes)
	s.Log(name, "s", noon, line)
	return line
}

func TestLinesComeBackAsTheyWereLogged(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, group := range []string{"/aws/lambda/a", "a b%2F..", "..", "ünï.log.1"} {
		s.Log(group, "2026/03/01/[$LATEST]0f", noon.Add(time.Millisecond), "it says: so \r\n")
		s.Log(group, "2026/03/01/[$LATEST]0f", noon, "")
		got, err := from(t, s, false).Next(func(name string) bool { return name == group })
		if err != nil {
			t.Fatal(err)
		}
		want := []Line{
			{Group: group, Stream: "2026/03/01/[$LATEST]0f", At: noon},
			{Group: group, Stream: "2026/03/01/[$LATEST]0f", At: noon.Add(time.Millisecond), Text: "it says: so "},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("group %q (-want +got):\n%s", group, diff)
		}
	}
}

func TestGroupsAreListedByTheirNames(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if got, err := s.Groups(); err != nil || got != nil {
		t.Errorf("before the first line: %v, %v; want none", got, err)
	}
	s.Log("b/c", "s", noon, "1")
	s.Log("a", "s", noon, "1")
	fill(s, "a")
	fill(s, "only aside")
	s.Log("a", "s", noon, "2")
	got, err := s.Groups()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b/c", "only aside"}, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestGroupNamesStayInTheFolder(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("../outside", "s", noon, "1")
	s.Log("..", "s", noon, "1")
	beside, err := os.ReadDir(filepath.Dir(s.Dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(beside) != 1 {
		t.Errorf("beside the folder lie %v", beside)
	}
}

func TestALineBreakInALineDoesNotMakeTwo(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "one\ntwo")
	expect(t, from(t, s, false), "one\rtwo")
}

func TestLinesOfAllGroupsComeInTheOrderOfTheirTimes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("a", "s", noon.Add(2*time.Second), "third")
	s.Log("b", "s", noon, "first")
	s.Log("b", "s", noon.Add(time.Second), "second")
	expect(t, from(t, s, false), "first", "second", "third")
}

func TestACursorAtTheEndGivesWhatComes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "before")
	c := from(t, s, true)
	expect(t, c)
	s.Log("g", "s", noon, "after")
	s.Log("new", "s", noon, "of a new group")
	expect(t, c, "after", "of a new group")
	expect(t, c)
}

func TestAGroupKeepsAtMostTwoFiles(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for range 3 {
		fill(s, "g")
	}
	s.Log("g", "s", noon, "last")
	files, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	if diff := cmp.Diff([]string{"g.log", "g.log.1"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWhatWasSetAsideIsReadFirst(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	full := fill(s, "g")
	s.Log("g", "s", noon, "new")
	expect(t, from(t, s, false), full, "new")
}

func TestNoLineIsLostWhenAFileIsSetAside(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "1")
	c := from(t, s, false)
	expect(t, c, "1")
	s.Log("g", "s", noon, "2")
	full := fill(s, "g")
	expect(t, c, "2", full)
	s.Log("g", "s", noon, "3")
	expect(t, c, "3")
	twice := fill(s, "g")
	again := fill(s, "g")
	s.Log("g", "s", noon, "4")
	expect(t, c, twice, again, "4")
}

func TestAGroupThatIsMadeAnewIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "old")
	c := from(t, s, false)
	expect(t, c, "old")
	s.Log("g", "s", noon, "last words")
	if err := s.Delete("g"); err != nil {
		t.Fatal(err)
	}
	s.Log("g", "s", noon, "anew")
	expect(t, c, "last words", "anew")
	if err := s.Delete("g"); err != nil {
		t.Fatal(err)
	}
	expect(t, c)
}

func TestDeleteDropsBothFiles(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	fill(s, "g")
	s.Log("g", "s", noon, "1")
	for range 2 { // one that is not there is no error
		if err := s.Delete("g"); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, from(t, s, false))
}

func TestAnUnfinishedLineWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "1")
	c := from(t, s, false)
	expect(t, c, "1")
	file, err := os.OpenFile(s.path("g"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	write := func(text string) {
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("2026-03-01T12:00:00.000Z s be")
	expect(t, c)
	write("gun\n")
	expect(t, c, "begun")
}

func TestALineThatIsNotOursIsGivenWhole(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "1")
	if err := os.WriteFile(s.path("g"), []byte("no time here\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, from(t, s, false), "no time here")
}

func TestLinesGoOnInTheSameFileAfterARestart(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Log("g", "s", noon, "1")
	s.Close()
	again := &Store{Dir: s.Dir}
	t.Cleanup(again.Close)
	again.Log("g", "s", noon, "2")
	expect(t, from(t, again, false), "1", "2")
}

func TestConcurrentWritersDoNotMixTheirLines(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	const writers, each = 8, 200
	want := map[string]int{}
	var all sync.WaitGroup
	for w := range writers {
		for i := range each {
			want[fmt.Sprintf("%d/%d", w, i)] = 1
		}
		all.Go(func() {
			for i := range each {
				s.Log(fmt.Sprint("group", w%2), "s", noon, fmt.Sprintf("%d/%d", w, i))
			}
		})
	}
	c, got := from(t, s, false), map[string]int{}
	read := func() {
		lines, err := c.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			got[line.Text]++
		}
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for {
		read()
		select {
		case <-done:
			read()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			return
		default:
		}
	}
}

func TestAGroupThatCannotBeWrittenIsReportedOnceAndDisturbsNoOther(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	s := newStore(t)
	s.Trouble = slog.New(slog.NewTextHandler(&said, nil))
	long := strings.Repeat("n", 300) // longer than a file's name may be
	s.Log(long, "s", noon, "1")
	s.Log(long, "s", noon, "2")
	s.Log("g", "s", noon, "3")
	if got := strings.Count(said.String(), "log group cannot be written"); got != 1 {
		t.Errorf("reported %d times, want once:\n%s", got, said.String())
	}
	expect(t, from(t, s, false), "3")
}
