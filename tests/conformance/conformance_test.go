package conformance

import (
	"flag"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // cases wait for functions, not for this process
		if err := flag.Set("test.parallel", "12"); err != nil {
			panic(err) // the testing package has the flag
		}
	}
	os.Exit(m.Run())
}

// TestConformance runs every case, those that take all there is after the
// others.
func TestConformance(t *testing.T) {
	s := deployed(t)
	all := claims()
	results := make([]result, len(all))
	group := func(name string, of when) {
		t.Run(name, func(t *testing.T) {
			for i, c := range all {
				if c.without != "" {
					results[i] = notRun
				}
				if c.when != of || c.without != "" {
					continue
				}
				t.Run(caseName(c), func(t *testing.T) {
					if of == beside {
						t.Parallel()
					}
					results[i] = notRun // unless the case says otherwise
					results[i] = ask(t, s, c)
				})
			}
		})
	}
	group("beside", beside)
	group("alone", alone)
	publish(t, s, all, results)
}

// caseName names a case by the first row that it is for, and its claim.
func caseName(c claim) string {
	row, _, _ := strings.Cut(c.rows, " ")
	return row + " " + c.says
}
