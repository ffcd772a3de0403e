package chat

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/protocol.md lists every code, and none that does not exist.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("error.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "### Errors")
	table, _, _ = strings.Cut(table, "## Events")
	var codes, documented []string
	for _, m := range regexp.MustCompile(`Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		documented = append(documented, m[1])
	}
	if len(codes) == 0 {
		t.Fatal("no codes found in error.go")
	}
	equal(t, "documented codes", documented, codes)
}
