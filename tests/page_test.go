package tests

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"example.com/chatstack/web/browsertest"
)

// usersOnThePage signs in by the local issuer and by a token, in a real browser:
// users see one another, talk in a channel and directly, and a moderator's
// decisions take effect.
func usersOnThePage(t *testing.T, p *project) {
	const (
		connected = `document.querySelector("[data-testid=state]")?.textContent === "Connected"`
		present   = `[...document.querySelectorAll("[data-testid=member]")].map((row) => row.querySelector(".name").textContent + "|" + row.querySelector(".detail").textContent).join("\n")`
	)
	signIn := func(tab context.Context) {
		t.Helper()
		browsertest.Open(t, tab, p.page())
		browsertest.Fill(t, tab, "[data-testid=user-input]", "bob")
		browsertest.Fill(t, tab, nameInput, "Bob\r")
		browsertest.Wait(t, tab, connected)
	}
	bob := browsertest.New(t)
	signIn(bob)
	mod := browsertest.NewTab(t, bob)
	token := p.run("token", "--user", "mod", "--name", "Mod", "--moderates", "*")
	browsertest.Open(t, mod, p.page())
	browsertest.Click(t, mod, "[data-testid=token-instead]")
	browsertest.Fill(t, mod, "[data-testid=token-input]", strings.TrimSpace(token)+"\r")
	browsertest.Wait(t, mod, connected)

	members := func(tab context.Context, rows ...string) {
		t.Helper()
		browsertest.Wait(t, tab, fmt.Sprintf("%s === %q", present, strings.Join(rows, "\n")))
	}
	members(bob, "Bob|you", "Mod|")
	tablet := browsertest.NewTab(t, bob)
	signIn(tablet)
	members(mod, "Mod|you", "Bob|2 devices")
	browsertest.Do(t, tablet, chromedp.Navigate("about:blank"))
	members(mod, "Mod|you", "Bob|")

	browsertest.Fill(t, bob, messageInput, "x")
	browsertest.Wait(t, mod, `document.querySelector("[data-testid=writing]").textContent === "Bob is writing…"`)
	browsertest.Fill(t, bob, messageInput, "hello\r")
	browsertest.Wait(t, mod, shown("hello"))

	menu := func(item string) {
		t.Helper()
		browsertest.Click(t, mod, "[data-testid=member][data-user=bob] button")
		browsertest.Click(t, mod, "[data-testid="+item+"]")
	}
	menu("message-user")
	browsertest.Wait(t, mod, `document.querySelector("[data-testid=title]").textContent === "Bob"`)
	browsertest.Fill(t, mod, messageInput, "between us\r")
	browsertest.Wait(t, bob, `document.querySelector("[data-testid=direct][data-user=mod] [data-testid=unread]")?.textContent === "1"`)
	browsertest.Click(t, bob, "[data-testid=direct-button]")
	browsertest.Wait(t, bob, shown("between us"))

	// Away, and back: what was said meanwhile is there.
	browsertest.Click(t, mod, "[data-testid=toggle-button]")
	browsertest.Wait(t, mod, `document.querySelector("[data-testid=state]")?.textContent === "Offline"`)
	browsertest.Fill(t, bob, messageInput, "while away\r")
	browsertest.Wait(t, bob, shown("while away"))
	browsertest.Click(t, mod, "[data-testid=toggle-button]")
	browsertest.Wait(t, mod, shown("while away"))

	for _, tab := range []context.Context{mod, bob} {
		browsertest.Click(t, tab, "[data-channel=General] button")
	}
	told := func(text string) {
		t.Helper()
		browsertest.Wait(t, bob, fmt.Sprintf(`document.querySelector("[data-testid=error]").textContent.includes(%q)`, text))
	}
	menu("mute-10")
	browsertest.Fill(t, mod, "[data-testid=decision-reason]", "too loud\r")
	told("You are muted in General until")
	browsertest.Fill(t, bob, messageInput, "more\r")
	told("Not sent")
	menu("unmute")
	told("You may write again")

	menu("ban-10")
	browsertest.Click(t, mod, "[data-testid=decision-everywhere]")
	browsertest.Click(t, mod, "[data-testid=decision-button]")
	told("You are banned until")
	browsertest.Wait(t, bob, `document.querySelector("[data-testid=state]")?.textContent === "Banned"`)
	members(mod, "Mod|you")
	browsertest.Click(t, bob, "[data-testid=toggle-button]")
	browsertest.Wait(t, bob, `document.querySelector("[data-testid=state]")?.textContent.startsWith("Not let in")`)
}
