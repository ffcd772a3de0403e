// Package browsertest drives a real browser in tests: one without a window,
// that asks nothing of the network but the page under test.
//
// A test that has no browser to run in is skipped and says why, so that the
// rest of the suite runs on a machine without one.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Patience is how long Wait waits for a page. It is long because a machine that
// builds and tests on two cores is slow; a test that passes never waits so long.
const Patience = 20 * time.Second

// names are the browsers looked for on PATH, in this order.
var names = [...]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// Path gives the browser that New starts: the one named by the environment
// variable CHATSTACK_BROWSER, else the first one found on PATH.
func Path() (string, error) {
	if path := os.Getenv("CHATSTACK_BROWSER"); path != "" {
		return exec.LookPath(path)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no browser: none of %s is on PATH", strings.Join(names[:], ", "))
}

// New starts a browser with a profile of its own and gives the context of its
// first tab, for chromedp. The browser ends with the test. The test is skipped
// where there is no browser, and fails if the page throws, or breaks its own
// Content-Security-Policy.
func New(t testing.TB) context.Context {
	t.Helper()
	path, err := Path()
	if err != nil {
		t.Skip(err)
	}
	// Not t.TempDir: a browser's last helper may still write while it goes,
	// and that is no reason to fail.
	profile, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(profile) })
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(profile, "data")),
		chromedp.WindowSize(1100, 760),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("no-pings", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	return start(t, allocator)
}

// NewTab opens another tab in the browser of ctx. It shares what the browser
// remembers (localStorage, cookies) with its other tabs. It is closed with the
// test, or by [chromedp.Cancel].
func NewTab(t testing.TB, ctx context.Context) context.Context {
	t.Helper()
	return start(t, ctx)
}

func start(t testing.TB, parent context.Context) context.Context {
	t.Helper()
	ctx, _ := chromedp.NewContext(parent)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	// Every tab behaves as the one in front: each has a person before it.
	focus := emulation.SetFocusEmulationEnabledParams{Enabled: true}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, focus); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	messages := chromedp.Console(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.IsException() || strings.Contains(message.String(), "Content Security Policy") {
				t.Errorf("browser: %s", message)
			}
		}
	}()
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = chromedp.Cancel(closing) // of a tab that the test has closed
		<-watched
	})
	return ctx
}

// Open loads a page.
func Open(t testing.TB, ctx context.Context, url string) {
	t.Helper()
	Do(t, ctx, chromedp.Navigate(url))
}

// Do runs actions, within Patience.
func Do(t testing.TB, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	within, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if err := chromedp.Do(within, actions...); err != nil {
		t.Fatalf("browser: %v", err)
	}
}

// Eval gives the value of a JavaScript expression.
func Eval[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	value, err := eval[T](ctx, expression)
	if err != nil {
		t.Fatalf("browser: %s: %v", expression, err)
	}
	return value
}

func eval[T any](ctx context.Context, expression string) (T, error) {
	within, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	return chromedp.Run(within, chromedp.Evaluate[T](expression))
}

// Wait waits until a JavaScript expression is true. It asks from outside the
// page, because a page under a strict policy cannot be made to ask itself, and
// one in a tab behind another draws no frames. A page that is just being left for
// another is no reason to fail.
func Wait(t testing.TB, ctx context.Context, expression string) {
	t.Helper()
	for end := time.Now().Add(Patience); ; {
		isTrue, err := eval[bool](ctx, "Boolean("+expression+")")
		if isTrue {
			return
		}
		if err != nil && !strings.Contains(err.Error(), "navigated") {
			t.Fatalf("browser: %s: %v", expression, err)
		}
		if time.Now().After(end) {
			t.Fatalf("browser: not true after %s: %s\nThe page:\n%s", Patience, expression, Eval[string](t, ctx, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Type types text into what has the focus, key by key, with the modifiers held.
// The keys that are no characters are those of chromedp's package kb; "\r" is
// Enter.
//
// A key goes down with its character in one event, as from a keyboard: what the
// page prevents is then not typed. chromedp.KeyEvent sends the character apart,
// and Enter breaks the line even where the page made it send.
func Type(t testing.TB, ctx context.Context, text string, modifiers ...chromedp.Modifier) {
	t.Helper()
	var held int64
	for _, modifier := range modifiers {
		held |= int64(modifier)
	}
	Do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, r := range text {
			events := kb.Encode(r)
			if len(events) == 3 && held&^int64(chromedp.ModifierShift) == 0 {
				events[0].Text, events[0].UnmodifiedText = events[1].Text, events[1].UnmodifiedText
			}
			for _, event := range events {
				event.Modifiers |= held
				if event.Type == kb.KeyChar {
					continue
				}
				if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, *event); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Fill puts text into the field that a CSS selector finds, in place of what is
// there, as a person would: by focus and keys.
func Fill(t testing.TB, ctx context.Context, selector, text string) {
	t.Helper()
	Do(t, ctx, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Focus(chromedp.CSS(selector)))
	Eval[bool](t, ctx, "document.activeElement.select(), true")
	if text == "" {
		text = "\b"
	}
	Type(t, ctx, text)
}

// Click clicks what a CSS selector finds, once it can be seen.
func Click(t testing.TB, ctx context.Context, selector string) {
	t.Helper()
	Do(t, ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}
