package browsertest_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"example.com/chatstack/web/browsertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeT is a test that notes its failures in place of failing.
type fakeT struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (t *fakeT) Errorf(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}
func (t *fakeT) Cleanup(cleanup func()) { t.cleanups = append(t.cleanups, cleanup) }
func (t *fakeT) end() {
	for i := range t.cleanups {
		t.cleanups[len(t.cleanups)-1-i]()
	}
}

func page(html string) string { return "data:text/html," + url.PathEscape(html) }

func TestPathIsTheOneInTheEnvironment(t *testing.T) {
	browser := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(browser, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHATSTACK_BROWSER", browser)
	if got, err := browsertest.Path(); err != nil || got != browser {
		t.Errorf("Path() = %q, %v, want %q", got, err, browser)
	}
	t.Setenv("CHATSTACK_BROWSER", browser+"-none")
	if got, err := browsertest.Path(); err == nil {
		t.Errorf("Path() = %q, want an error for a browser that is not there", got)
	}
}

func TestPageThatThrowsFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, html := range map[string]string{
		"exception": `<script>throw new Error("oh")</script>`,
		"policy":    `<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeT{TB: t}
			defer fake.end()
			tab := browsertest.New(fake)
			browsertest.Open(t, tab, page(html+"<p>done"))
			browsertest.Wait(t, tab, `document.querySelector("p").textContent === "done"`)
			fake.end()
			fake.cleanups = nil
			if len(fake.failures) == 0 {
				t.Error("the page broke, and the test did not fail")
			}
		})
	}
}

func TestKeysAreTypedAsFromAKeyboard(t *testing.T) {
	t.Parallel()
	tab := browsertest.New(t)
	browsertest.Open(t, tab, page(`<textarea></textarea><script>
		document.querySelector("textarea").addEventListener("keydown", (event) => {
			if (event.key === "Enter" && !event.shiftKey) event.preventDefault();
		})</script>`))
	browsertest.Fill(t, tab, "textarea", "old")
	browsertest.Fill(t, tab, "textarea", "Ä 1\r")
	browsertest.Type(t, tab, "\r", chromedp.ModifierShift)
	browsertest.Type(t, tab, "b")
	if got, want := browsertest.Eval[string](t, tab, `document.querySelector("textarea").value`), "Ä 1\nb"; got != want {
		t.Errorf("typed %q, want %q", got, want)
	}
}
