package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	parityFile = "../../docs/parity.md"
	awsFile    = "testdata/aws.json"
)

// awsResults are those of the last run against AWS that was recorded.
type awsResults struct {
	At      string            `json:"at"` // the day
	Region  string            `json:"region"`
	Results map[string]result `json:"results"` // by the case's name
}

// readAWS reads what was recorded; nothing if nothing was.
func readAWS(t *testing.T) (recorded awsResults) {
	t.Helper()
	data, err := os.ReadFile(awsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return recorded
	}
	if err == nil {
		err = json.Unmarshal(data, &recorded)
	}
	if err != nil {
		t.Fatalf("results on AWS: %v", err)
	}
	return recorded
}

// publish keeps the results of a run: on AWS in a file of their own, here in the
// table of docs/parity.md, or it holds the table to them.
func publish(t *testing.T, s *subject, all []claim, results []result) {
	t.Helper()
	for i := range results {
		if results[i] == "" {
			t.Logf("some cases were left out, so %s is left alone", parityFile)
			return
		}
	}
	if s.cloud == nil {
		if *recordAWS {
			writeAWS(t, s, all, results)
		}
		return
	}
	want := parity(all, results, readAWS(t))
	if *update {
		if err := os.WriteFile(parityFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(parityFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(got), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("docs/parity.md says otherwise than this run: go test ./tests/conformance -update writes it (-there +here):\n%s", diff)
	}
}

// writeAWS keeps results for docs/parity.md, and those of earlier runs for cases
// that did not run in this one.
func writeAWS(t *testing.T, s *subject, all []claim, results []result) {
	t.Helper()
	recorded := readAWS(t)
	recorded.At, recorded.Region = time.Now().UTC().Format(time.DateOnly), s.cfg.Region
	before := recorded.Results
	recorded.Results = map[string]result{}
	for i, c := range all {
		name := caseName(c)
		if r := results[i]; r != notRun {
			recorded.Results[name] = r
		} else if r, known := before[name]; known && c.without == "" {
			recorded.Results[name] = r
		}
	}
	data, err := json.MarshalIndent(recorded, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(awsFile, append(data, '\n'), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// certainties tells what each tag means.
var certainties = []struct {
	tag   certainty
	means string
}{
	{documented, "AWS's documentation says so"},
	{source, "source that AWS published says so"},
	{captured, "captured from AWS, or recorded by a suite that ran on it"},
	{tried, "tried with AWS's own libraries against a stub"},
	{inferred, "inferred from what is documented beside it"},
	{remembered, "from memory, not verified: the safer reading was taken"},
}

// parity is the whole page.
func parity(all []claim, results []result, recorded awsResults) string {
	var b strings.Builder
	b.WriteString(`# Parity with AWS

What the project's reference of AWS's behaviour claims, and whether the local cloud
does it. Written by ` + "`go test ./tests/conformance -update`" + `, which deploys a program
of its own and asks it through public clients alone; a run that finds otherwise
fails. The same cases run against AWS: [tests/conformance/doc.go](../tests/conformance/doc.go)
says how.

`)
	counts := map[result]int{}
	onAWS := 0
	for i, c := range all {
		counts[results[i]]++
		if _, ran := recorded.Results[caseName(c)]; ran {
			onAWS++
		}
	}
	fmt.Fprintf(&b, "Of %d claims, %d hold here, %d differ in ways that are known", len(all), counts[pass], counts[differs])
	if counts[fails] > 0 {
		fmt.Fprintf(&b, ", **%d do not hold**", counts[fails])
	}
	fmt.Fprintf(&b, " and %d are not run, for the reasons given. ", counts[notRun])
	if onAWS == 0 {
		b.WriteString("None was run on AWS yet.\n\n")
	} else {
		fmt.Fprintf(&b, "%d were run on AWS, the last on %s in %s.\n\n", onAWS, recorded.At, recorded.Region)
	}
	b.WriteString("How each is known:\n\n")
	for _, c := range certainties {
		fmt.Fprintf(&b, "- %s: %s\n", c.tag, c.means)
	}
	b.WriteString("\n## The checklist\n\n| | cases | here |\n|---|---|---|\n")
	for _, line := range checklist {
		n, here := 0, pass
		for i, c := range all {
			for _, word := range c.check {
				if word == line.word && c.run != nil {
					n++
					if results[i] != pass {
						here = results[i]
					}
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", cell(line.line), n, here)
	}
	for _, s := range reference {
		fmt.Fprintf(&b, "\n## %s. %s\n\n| claim | known by | here | AWS |\n|---|---|---|---|\n", s.name, s.title)
		for i, c := range all {
			if row, _, _ := strings.Cut(c.rows, "."); row != s.name {
				continue
			}
			aws := result("not run")
			if r, ran := recorded.Results[caseName(c)]; ran {
				aws = r
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(c.says), c.how, cell(here(c, results[i])), aws)
		}
	}
	return b.String()
}

// here is a claim's result on this machine, with the reason for what is no pass.
func here(c claim, r result) string {
	switch {
	case c.without != "":
		return "not run: " + c.without
	case r == notRun && c.local != "":
		return "not run: " + c.local
	case r == differs:
		return "differs: " + c.differs
	}
	return string(r)
}

// cell makes a text safe for a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
