// Package web holds the chat page and the JavaScript client that it is made
// of: plain HTML, CSS and ES modules, embedded, with no build step and nothing
// fetched from anywhere but the host that serves it.
//
// It is the left end of a frame's way: browser, gateway, route, function. The
// local cloud serves [Handler] beside the WebSocket API and puts one file next
// to it, endpoints.json, which tells the page where to connect:
//
//	{"endpoints":[{"name":"chat-api","stage":"local","endpoint":"ws://127.0.0.1:1234/local","identity":"local"}]}
//
// identity says how users sign in there: not at all if it is absent or "anonymous";
// "local" with the host itself, which answers a POST of {"user":…,"name":…} to ./token
// with {"token":…}; anything else with a token that one has from elsewhere and pastes.
//
// An endpoint with "identity":"local" asks for a token, which the local cloud gives
// to POST /token with {"user":"ada","name":"Ada"}: {"token":"…","expiresAt":"…"}.
//
// Hosted anywhere else, such as a bucket, the page works without that file: it
// asks for the endpoint, or takes it from ?endpoint=wss://….
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed index.html *.css *.js *.svg
var files embed.FS

// SecurityPolicy is the Content-Security-Policy that the page runs under.
// Scripts, styles and pictures come from the page's own host and nothing is
// inline; the only other thing it may reach is a WebSocket, on any host, since
// the endpoint is the reader's to choose. Trusted Types are required and no
// policy may be made, so that no text can ever become markup by assignment.
//
// index.html repeats it in a meta element, for hosts that send no headers.
const SecurityPolicy = "default-src 'none'; " +
	"script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self' ws: wss:; " +
	"base-uri 'none'; form-action 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// contentTypes are the types of everything that is embedded. They are fixed
// here because package mime asks the machine, and machines disagree: with
// nosniff, a module served as text/plain does not run.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// FS returns the static files of the page, index.html at its root, for those
// who publish it elsewhere.
func FS() fs.FS { return files }

// Handler serves the page: index.html at / and every other file under its own
// name. What it does not hold is 404, so that the caller's mux may add to it.
//
// Every answer must be revalidated by its ETag, a hash of the content: a page
// of one build never runs a module of another.
func Handler() http.Handler {
	assets, err := load(files)
	if err != nil {
		panic("web: embedded files: " + err.Error()) // an embed.FS cannot fail to read what it lists
	}
	return assets
}

type asset struct {
	content     []byte
	contentType string
	etag        string
}

// assets maps a URL path to what is served there.
type assets map[string]asset

func load(fsys fs.FS) (assets, error) {
	names, err := fs.Glob(fsys, "*")
	if err != nil {
		return nil, err
	}
	loaded := assets{}
	for _, name := range names {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		loaded["/"+name] = asset{content, contentTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:16]) + `"`}
	}
	loaded["/"] = loaded["/index.html"]
	return loaded, nil
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Content-Security-Policy", SecurityPolicy+"; frame-ancestors 'none'")

	file, ok := a[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", file.contentType)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", file.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
}
