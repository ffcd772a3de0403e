package web_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/web"
)

func get(t *testing.T, target string, header http.Header) *http.Response {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	web.Handler().ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for target, contentType := range map[string]string{
		"/":             "text/html; charset=utf-8",
		"/index.html":   "text/html; charset=utf-8",
		"/app.js":       "text/javascript; charset=utf-8",
		"/chatstack.js": "text/javascript; charset=utf-8",
		"/theme.css":    "text/css; charset=utf-8",
		"/icon.svg":     "image/svg+xml",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			response := get(t, target, nil)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("status %d", response.StatusCode)
			}
			for name, want := range map[string]string{
				"Content-Type":            contentType,
				"Content-Security-Policy": web.SecurityPolicy + "; frame-ancestors 'none'",
				"X-Content-Type-Options":  "nosniff",
				"Referrer-Policy":         "no-referrer",
				"Cache-Control":           "no-cache",
			} {
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			tag := response.Header.Get("ETag")
			again := get(t, target, http.Header{"If-None-Match": {tag}})
			if tag == "" || again.StatusCode != http.StatusNotModified {
				t.Errorf("asked again with ETag %q: status %d, want 304", tag, again.StatusCode)
			}
		})
	}

	t.Run("what it does not hold is not found", func(t *testing.T) {
		t.Parallel()
		for _, target := range []string{"/endpoints.json", "/web.go", "/package.json", "/testdata/", "/nothing"} {
			if got := get(t, target, nil); got.StatusCode != http.StatusNotFound || got.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: status %d, want 404 with nosniff", target, got.StatusCode)
			}
		}
	})

	t.Run("other methods are refused", func(t *testing.T) {
		t.Parallel()
		recorder := httptest.NewRecorder()
		web.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", nil))
		if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: status %d, Allow %q", recorder.Code, recorder.Header().Get("Allow"))
		}
	})
}

func static(t *testing.T) map[string]string {
	t.Helper()
	content := map[string]string{}
	err := fs.WalkDir(web.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		bytes, err := fs.ReadFile(web.FS(), name)
		content[name] = string(bytes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestEmbeddedFilesAreComplete(t *testing.T) {
	t.Parallel()
	reference := regexp.MustCompile(`(?:from|src=|href=|import\(|url\()\s*["']?(\./[\w./-]+)`)
	files := static(t)
	used := map[string]bool{"index.html": true}
	for name, content := range files {
		for _, match := range reference.FindAllStringSubmatch(content, -1) {
			target := path.Clean(match[1])
			used[target] = true
			if _, ok := files[target]; !ok {
				t.Errorf("%s refers to %s, which is not embedded", name, match[1])
			}
		}
	}
	for name := range files {
		if !used[name] {
			t.Errorf("%s is embedded, and nothing refers to it", name)
		}
	}
}

func TestNothingIsInlineOrFromElsewhere(t *testing.T) {
	t.Parallel()
	outside := regexp.MustCompile(`(?i)\b(?:https?|wss?):?//[a-z0-9]`)
	harmless := regexp.MustCompile(`http://www\.w3\.org/2000/svg|^\s*//|^\s*\*`)
	for name, content := range static(t) {
		for number, line := range strings.Split(content, "\n") {
			if outside.MatchString(line) && !harmless.MatchString(line) {
				t.Errorf("%s:%d has a URL of another host: %s", name, number+1, strings.TrimSpace(line))
			}
		}
		for what, pattern := range map[string]string{
			"HTML parsing":   `innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment`,
			"evaluated code": `\beval\(|new Function`,
		} {
			if found := regexp.MustCompile(pattern).FindString(content); found != "" {
				t.Errorf("%s has %s: %s", name, what, found)
			}
		}
		if path.Ext(name) != ".html" && path.Ext(name) != ".svg" {
			continue
		}
		for what, pattern := range map[string]string{
			"an inline script":       `(?s)<script[^>]*>\s*[^<\s]`,
			"a script without a src": `<script(?:\s+type="\w+")?>`,
			"a style element":        `<style`,
			"a style attribute":      `\sstyle=`,
			"an event handler":       `\son[a-z]+=`,
			"a javascript URL":       `(?i)javascript:`,
		} {
			if found := regexp.MustCompile(pattern).FindString(content); found != "" {
				t.Errorf("%s has %s: %s", name, what, found)
			}
		}
	}
}

// A host that sends no headers serves the policy all the same.
func TestPageRepeatsThePolicy(t *testing.T) {
	t.Parallel()
	if meta := `<meta http-equiv="Content-Security-Policy" content="` + web.SecurityPolicy + `">`; !strings.Contains(static(t)["index.html"], meta) {
		t.Errorf("index.html lacks %s", meta)
	}
}

func TestJavaScript(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH to run the tests in testdata")
	}
	tests, err := filepath.Glob("testdata/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no JavaScript tests: %v", err)
	}
	// The go command runs the test anew when a folder that it has read has changed.
	if _, err := filepath.Glob("../testdata/protocol/*.json"); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(node, append([]string{"--test"}, tests...)...)
	command.Env = append(os.Environ(), "NO_COLOR=1")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, output)
	}
}

// What npm would publish is the client alone, whole, and runs nothing on install.
func TestPackage(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"scripts", "bin", "dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "private"} {
		if _, ok := manifest[field]; ok {
			t.Errorf("package.json has %q", field)
		}
	}
	for field, want := range map[string]string{"name": "chatstack-client", "type": "module", "types": "./chatstack.d.ts"} {
		if manifest[field] != want {
			t.Errorf("%s is %v, want %s", field, manifest[field], want)
		}
	}
	// Every module that the client reaches, and its types.
	want := map[string]bool{"chatstack.d.ts": true}
	imports := regexp.MustCompile(`(?m)^(?:import|export) .*from "\./([\w./-]+)"`)
	for next := []string{"chatstack.js"}; len(next) > 0; next = next[1:] {
		if want[next[0]] {
			continue
		}
		want[next[0]] = true
		for _, match := range imports.FindAllStringSubmatch(static(t)[next[0]], -1) {
			next = append(next, match[1])
		}
	}
	got := map[string]bool{}
	for _, name := range manifest["files"].([]any) {
		got[name.(string)] = true
		if _, err := os.Stat(name.(string)); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-needed +listed):\n%s", diff)
	}
}

// startStaticHost serves the page as a bucket would: no endpoints.json, none of
// Handler's headers.
func startStaticHost(t *testing.T) string {
	t.Helper()
	host := httptest.NewServer(http.FileServerFS(web.FS()))
	t.Cleanup(host.Close)
	return host.URL
}
