package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/chatstack/web/browsertest"
)

// startIdentityChat serves a stage that knows its users, of whom mod moderates
// everything.
func startIdentityChat(t *testing.T) *fakeChat {
	t.Helper()
	chat := startFakeChat(t)
	chat.identity = "local"
	chat.moderates["mod"] = []string{"*"}
	return chat
}

// members lists who the panel shows, as "name|detail", line by line.
const members = `[...document.querySelectorAll("[data-testid=member]")].map((row) => row.querySelector(".name").textContent + "|" + row.querySelector(".detail").textContent).join("\n")`

func writing(text string) string {
	return fmt.Sprintf(`document.querySelector("[data-testid=writing]").textContent === %q`, text)
}

func title(text string) string {
	return fmt.Sprintf(`document.querySelector("[data-testid=title]").textContent === %q`, text)
}

// choose opens the menu of a member and chooses an item of it.
func choose(t *testing.T, tab context.Context, user, item string) {
	t.Helper()
	browsertest.Click(t, tab, "[data-testid=member][data-user="+user+"] button")
	browsertest.Click(t, tab, "[data-testid="+item+"]")
}

func TestUsers(t *testing.T) {
	t.Parallel()
	t.Run("see each other in the members panel, and who writes", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		ada, bob := browsertest.New(t), context.Context(nil)
		signIn(t, ada, chat, "ada", "Ada")
		bob = browsertest.NewTab(t, ada)
		signIn(t, bob, chat, "bob", "Bob")
		browsertest.Wait(t, ada, members+` === "Ada|you\nBob|"`)
		browsertest.Wait(t, bob, members+` === "Bob|you\nAda|"`)
		other := browsertest.NewTab(t, ada)
		signIn(t, other, chat, "bob", "Bob")
		browsertest.Wait(t, ada, members+` === "Ada|you\nBob|2 devices"`)
		browsertest.Wait(t, bob, members+` === "Bob|you, 2 devices\nAda|"`)
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=people-count]").textContent === "2"`)
		if got := browsertest.Eval[int](t, ada, notices("joined")); got != 1 {
			t.Errorf("Ada is told %d times that Bob joined, want once: a second device is no second person", got)
		}

		browsertest.Type(t, bob, "h")
		browsertest.Wait(t, ada, writing("Bob is writing…"))
		if !browsertest.Eval[bool](t, other, writing("")) {
			t.Error("Bob's other device says that Bob writes")
		}
		browsertest.Type(t, bob, "i\r")
		browsertest.Wait(t, ada, shows("hi", "sent")+" && "+writing(""))
		browsertest.Wait(t, other, `document.querySelector("[data-testid=message]").dataset.own === "true"`)
		browsertest.Type(t, bob, "h")
		browsertest.Wait(t, ada, writing("Bob is writing…"))
		browsertest.Wait(t, ada, writing("")) // after a while without a word

		browsertest.Do(t, bob, chromedp.Navigate("about:blank"))
		browsertest.Wait(t, ada, members+` === "Ada|you\nBob|"`)
		browsertest.Do(t, other, chromedp.Navigate("about:blank"))
		browsertest.Wait(t, ada, members+` === "Ada|you" && `+notices("left")+` === 1`)
	})

	t.Run("edit on every device what they wrote on any", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		one := browsertest.New(t)
		signIn(t, one, chat, "ada", "Ada")
		say(t, one, "helo")
		browsertest.Wait(t, one, shows("helo", "sent"))
		two := browsertest.NewTab(t, one)
		signIn(t, two, chat, "ada", "Ada")
		browsertest.Wait(t, two, shows("helo", "sent"))
		browsertest.Type(t, two, kb.ArrowUp)
		browsertest.Fill(t, two, messageInput, "hello\r")
		browsertest.Wait(t, one, shows("hello", "sent"))
	})

	t.Run("write to each other alone", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		ada := browsertest.New(t)
		signIn(t, ada, chat, "ada", "Ada")
		bob := browsertest.NewTab(t, ada)
		signIn(t, bob, chat, "bob", "Bob")
		cid := browsertest.NewTab(t, ada)
		signIn(t, cid, chat, "cid", "Cid")
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=member][data-user=bob]")`)
		choose(t, ada, "bob", "message-user")
		browsertest.Wait(t, ada, title("Bob")+" && "+focus("message-input"))
		say(t, ada, "between us")
		browsertest.Wait(t, ada, shows("between us", "sent"))
		browsertest.Wait(t, bob, `document.querySelector("[data-testid=direct][data-user=ada] [data-testid=unread]").textContent === "1"`)
		browsertest.Click(t, bob, "[data-testid=direct-button]")
		browsertest.Wait(t, bob, title("Ada")+" && "+shows("between us", "sent"))
		say(t, bob, "indead")
		browsertest.Wait(t, ada, shows("indead", "sent"))
		browsertest.Type(t, bob, kb.ArrowUp)
		browsertest.Fill(t, bob, messageInput, "indeed\r")
		browsertest.Wait(t, ada, shows("indeed", "sent"))
		if browsertest.Eval[bool](t, cid, `document.querySelector("[data-testid=direct], [data-testid=message]") !== null`) {
			t.Error("Cid sees something of it")
		}
		browsertest.Do(t, ada, chromedp.Reload())
		browsertest.Click(t, ada, "[data-testid=direct-button]")
		browsertest.Wait(t, ada, title("Bob")+" && "+shows("between us", "sent")+" && "+shows("indeed", "sent"))
	})

	t.Run("come back after the network was gone, and miss nothing", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		bob := fakeUser{User: "bob", Name: "Bob"}
		ada := browsertest.New(t)
		signIn(t, ada, chat, "ada", "Ada")
		chat.sayDirect(bob, "x", "ada", "one")
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=unread]:not([hidden])")`)
		chat.set(func() { chat.deaf = true })
		say(t, ada, "no answer")
		browsertest.Wait(t, ada, shows("no answer", "pending"))
		stored := func() (n int) {
			chat.set(func() { n = len(chat.logs["General"]) })
			return n
		}
		for end := time.Now().Add(browsertest.Patience); stored() == 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		chat.set(func() { chat.deaf, chat.refuse = false, true })
		chat.drop(nil)
		browsertest.Wait(t, ada, `document.getElementById("state").dataset.state === "waiting"`)
		chat.sayDirect(bob, "x", "ada", "two")
		chat.sayDirect(fakeUser{User: "cid", Name: "Cid"}, "y", "ada", "new")
		chat.say("General", "Bob", "meanwhile")
		chat.set(func() { chat.refuse = false })
		browsertest.Eval[bool](t, ada, `document.querySelector("[data-testid=retry-now]").click(), true`) // it may have come back by itself
		browsertest.Wait(t, ada, connected+" && "+shows("no answer", "sent")+" && "+shows("meanwhile", "sent"))
		unread := `[...document.querySelectorAll("[data-testid=direct]")].map((item) => item.dataset.user + item.dataset.unread).sort().join()`
		browsertest.Wait(t, ada, unread+` === "bob2,cid1"`)
		browsertest.Click(t, ada, "[data-testid=direct][data-user=bob] button")
		lines := `[...document.querySelectorAll("[data-testid=message], [data-kind=away]")].map((line) => line.dataset.seq ?? line.textContent).join()`
		browsertest.Wait(t, ada, lines+` === "1,1 message while you were away,2"`)
		if stored() != 2 {
			t.Errorf("General has %d messages, want 2: what had no answer must not be there twice", stored())
		}
	})

	t.Run("sign in and out, and nothing of a token is left", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		tab := browsertest.New(t)
		browsertest.Open(t, tab, chat.URL)
		browsertest.Wait(t, tab, focus("user-input"))
		browsertest.Type(t, tab, "!\r")
		browsertest.Wait(t, tab, `document.getElementById("name-problem").textContent.includes("user has a character that no id has")`)
		browsertest.Type(t, tab, kb.Escape)
		browsertest.Wait(t, tab, errorShown("Sign in to begin"))
		browsertest.Click(t, tab, "[data-testid=rename-button]")
		browsertest.Wait(t, tab, focus("user-input"))
		browsertest.Fill(t, tab, "[data-testid=user-input]", "ada\r") // who has an id needs no name
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "ada"`)
		browsertest.Do(t, tab, chromedp.Reload())
		browsertest.Wait(t, tab, connected+` && document.querySelector("dialog[open]") === null`)
		token := fakeUser{User: "ada", Name: "ada"}.token()
		if got := browsertest.Eval[string](t, tab, `location.href + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)`); strings.Contains(got, token) || strings.Contains(got, "token=") {
			t.Errorf("the token is in the URL or in storage: %s", got)
		}
		browsertest.Click(t, tab, "[data-testid=rename-button]")
		browsertest.Wait(t, tab, focus("user-input")+` && document.querySelector("[data-testid=state]").textContent === "Offline"`)
		browsertest.Click(t, tab, "[data-testid=token-instead]") // one with other grants, of the command line
		browsertest.Fill(t, tab, "[data-testid=token-input]", fakeUser{User: "mod", Name: "Mod"}.token()+"\r")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "Mod"`)
		browsertest.Click(t, tab, "[data-testid=rename-button]")
		browsertest.Wait(t, tab, focus("user-input"))
		browsertest.Fill(t, tab, "[data-testid=user-input]", "bob\r")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "bob"`)
	})

	t.Run("paste a token where the stage has another issuer, and are asked again when it expires", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		chat.identity = "jwt"
		tab := browsertest.New(t)
		browsertest.Open(t, tab, chat.URL)
		browsertest.Fill(t, tab, "[data-testid=token-input]", fakeUser{User: "ada", Name: "Ada"}.token()+"\r")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "Ada"`)
		browsertest.Do(t, tab, chromedp.Reload())
		browsertest.Wait(t, tab, connected)
		if browsertest.Eval[string](t, tab, `location.href + JSON.stringify(localStorage)`) != chat.URL+"/{}" {
			t.Error("the token is in the URL, or stays beyond the tab")
		}
		chat.tell("ada", frame{"event": "token_expired", "at": now()})
		browsertest.Wait(t, tab, focus("token-input")+` && document.getElementById("token-why").textContent.includes("expired")`)
		browsertest.Fill(t, tab, "[data-testid=token-input]", fakeUser{User: "ada", Name: "Ada the Second"}.token()+"\r")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "Ada the Second"`)
	})

	t.Run("give a token with an address, and are told when they are not let in", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		elsewhere := startStaticHost(t)
		tab := browsertest.New(t)
		browsertest.Open(t, tab, elsewhere+"?endpoint=ws"+chat.URL[len("http"):]+"/local")
		browsertest.Fill(t, tab, nameInput, "Ada\r")
		browsertest.Wait(t, tab, errorShown("If it asks for a token, give one under “Change server”")+` && document.querySelector("[data-testid=state]").textContent.startsWith("Not let in")`)
		browsertest.Click(t, tab, "[data-testid=change-button]")
		browsertest.Fill(t, tab, "[data-testid=endpoint-token]", fakeUser{User: "ada", Name: "Ada of old"}.token())
		browsertest.Fill(t, tab, "[data-testid=endpoint-input]", "ws"+chat.URL[len("http"):]+"/local\r")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=you-name]").textContent === "Ada of old"`)
	})

	t.Run("do not notice that a token of the page's own host expires", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		tab := browsertest.New(t)
		signIn(t, tab, chat, "ada", "Ada")
		say(t, tab, "before")
		browsertest.Wait(t, tab, shows("before", "sent"))
		chat.tell("ada", frame{"event": "token_expired", "at": now()})
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=state]").textContent !== "Connected"`)
		browsertest.Wait(t, tab, connected+" && "+shows("before", "sent")+` && document.querySelector("dialog[open]") === null`)
	})

	t.Run("are told why a channel does not take them in", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		tab := browsertest.New(t)
		signIn(t, tab, chat, "ada", "Ada")
		browsertest.Fill(t, tab, joinInput, "private:board\r")
		browsertest.Wait(t, tab, errorShown("Not joined: private:board is private: somebody who may has to let you in."))
	})

	t.Run("use members and their menus with the keyboard", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		mod := browsertest.New(t)
		signIn(t, mod, chat, "mod", "Mod")
		for _, name := range []string{"bob", "cid"} {
			tab := browsertest.NewTab(t, mod)
			signIn(t, tab, chat, name, name)
		}
		browsertest.Wait(t, mod, members+` === "Mod|you\nbob|\ncid|"`)
		user := func(user string) string {
			return fmt.Sprintf(`document.activeElement.closest("[data-testid=member]")?.dataset.user === %q`, user)
		}
		tabTo(t, mod, "member-button")
		browsertest.Wait(t, mod, user("bob"))
		browsertest.Type(t, mod, kb.ArrowDown)
		browsertest.Wait(t, mod, user("cid"))
		browsertest.Type(t, mod, kb.ArrowUp)
		browsertest.Type(t, mod, "\r")
		browsertest.Wait(t, mod, focus("message-user"))
		browsertest.Type(t, mod, kb.ArrowUp) // from the first to the last
		browsertest.Wait(t, mod, focus("unban"))
		browsertest.Type(t, mod, kb.Escape)
		browsertest.Wait(t, mod, user("bob")+` && document.activeElement.getAttribute("aria-expanded") === "false"`)
		browsertest.Type(t, mod, "\r")
		browsertest.Type(t, mod, kb.ArrowDown)
		browsertest.Wait(t, mod, focus("mute-10"))
		browsertest.Type(t, mod, "\r")
		browsertest.Wait(t, mod, focus("decision-reason"))
		browsertest.Type(t, mod, "too loud\r")
		browsertest.Wait(t, mod, errorShown("bob is muted.")+" && "+user("bob"))
		browsertest.Type(t, mod, "\r")
		browsertest.Type(t, mod, "\r")
		browsertest.Wait(t, mod, title("bob")+" && "+focus("message-input"))
		tabTo(t, mod, "people-button", chromedp.ModifierShift)
		browsertest.Type(t, mod, " ")
		browsertest.Wait(t, mod, `document.activeElement.getAttribute("aria-expanded") === "false" && !document.querySelector("[data-testid=members]").checkVisibility()`)
	})
}

func TestModerators(t *testing.T) {
	t.Parallel()
	t.Run("mute, remove, ban, slow down and delete, and the others are told", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		mod := browsertest.New(t)
		signIn(t, mod, chat, "mod", "Mod")
		bob := browsertest.NewTab(t, mod)
		signIn(t, bob, chat, "bob", "Bob")
		decide := func(item, reason string) {
			t.Helper()
			browsertest.Wait(t, mod, `document.querySelector("[data-testid=member][data-user=bob]")`)
			choose(t, mod, "bob", item)
			browsertest.Fill(t, mod, "[data-testid=decision-reason]", reason+"\r")
		}
		limit := func(text string) string {
			return fmt.Sprintf(`document.querySelector("[data-testid=limit]").textContent.startsWith(%q)`, text)
		}
		decide("mute-10", "too loud")
		browsertest.Wait(t, bob, errorShown("You are muted in General until")+" && "+errorShown("Reason: too loud")+" && "+limit("You are muted until"))
		choose(t, mod, "bob", "unmute")
		browsertest.Wait(t, bob, errorShown("You may write again")+" && "+limit("")+` && document.querySelector("[data-testid=limit]").textContent === ""`)

		browsertest.Click(t, mod, "[data-testid=slowness-button]")
		browsertest.Click(t, mod, "[data-testid=slow-30]")
		browsertest.Wait(t, bob, limit("Slow mode: 30 s"))
		say(t, bob, "bad words")
		browsertest.Wait(t, bob, shows("bad words", "sent")+" && "+limit("Slow mode: wait"))
		say(t, bob, "more")
		browsertest.Wait(t, bob, errorShown("Slow mode: you can write again in")+` && document.querySelector("[data-testid=message-input]").value === "more"`)

		browsertest.Wait(t, mod, `document.querySelector("[data-testid=message-author]")`)
		browsertest.Eval[bool](t, mod, `document.querySelector("[data-testid=message-delete]").click(), true`)
		browsertest.Click(t, mod, "[data-testid=delete-button]")
		browsertest.Wait(t, bob, shows("This message was deleted", "sent"))

		decide("kick", "go")
		browsertest.Wait(t, bob, errorShown("You were removed from General. Reason: go")+` && !document.querySelector("[data-testid=channel]")`)
		browsertest.Wait(t, mod, members+` === "Mod|you"`)
		if got := browsertest.Eval[string](t, mod, `[...document.querySelectorAll("[data-testid=notice]")].at(-1).textContent`); got != "Bob was removed" {
			t.Errorf("the channel is told %q", got)
		}
		browsertest.Fill(t, bob, joinInput, "General\r")
		browsertest.Wait(t, bob, title("General"))

		browsertest.Wait(t, mod, `document.querySelector("[data-testid=member][data-user=bob]")`)
		choose(t, mod, "bob", "ban")
		browsertest.Click(t, mod, "[data-testid=decision-everywhere]")
		browsertest.Click(t, mod, "[data-testid=decision-button]")
		browsertest.Wait(t, bob, errorShown("You are banned.")+` && document.querySelector("[data-testid=state]").textContent === "Banned"`)
	})

	t.Run("are the only ones who can", func(t *testing.T) {
		t.Parallel()
		chat := startIdentityChat(t)
		ada := browsertest.New(t)
		signIn(t, ada, chat, "ada", "Ada")
		bob := browsertest.NewTab(t, ada)
		signIn(t, bob, chat, "bob", "Bob")
		say(t, bob, "hello")
		browsertest.Wait(t, ada, shows("hello", "sent")+` && document.querySelector("[data-testid=member][data-user=bob]")`)
		browsertest.Click(t, ada, "[data-testid=member][data-user=bob] button")
		browsertest.Wait(t, ada, focus("message-user"))
		items := `[...document.querySelectorAll("[role=menuitem]")].map((item) => item.textContent).join()`
		if got := browsertest.Eval[string](t, ada, items); got != "Send a message" {
			t.Errorf("Ada's menu has %s", got)
		}
		for _, what := range []string{"message-delete", "message-author", "slowness-button"} {
			if browsertest.Eval[bool](t, ada, fmt.Sprintf(`document.querySelector("[data-testid=%s]")?.checkVisibility() ?? false`, what)) {
				t.Errorf("Ada sees %s", what)
			}
		}
	})
}

// Whatever people call themselves, the page shows it as text.
func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	const hostile = `<img src=x onerror="window.hacked=1">`
	chat := startIdentityChat(t)
	tab := browsertest.New(t)
	signIn(t, tab, chat, "mod", "Mod")
	eve := fakeUser{User: hostile, Name: "<b>Eve</b>"}
	other := &fakeSocket{chat: chat, user: eve, id: "evil"}
	chat.publish("General", chat.presence("subscriber_sub", "General", other, ""))
	text := func(selector, want string) {
		t.Helper()
		browsertest.Wait(t, tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q) && !e.querySelector("img, b"))`, selector, want))
	}
	text("[data-testid=member]", "<b>Eve</b>")
	text("[data-testid=notice]", "<b>Eve</b> joined")
	chat.publish("General", frame{"event": "typing", "user": hostile, "name": "<b>Eve</b>", "senderId": "evil", "at": now()})
	text("[data-testid=writing]", "<b>Eve</b> is writing…")
	chat.sayDirect(eve, "evil", "mod", hostile+"&lt;img src=x&gt;")
	text("[data-testid=direct]", "<b>Eve</b>")
	browsertest.Click(t, tab, "[data-testid=direct-button]")
	text("[data-testid=content]", hostile+"<img src=x>")
	text("[data-testid=title]", "<b>Eve</b>")
	chat.set(func() {
		chat.logs[directChannel("mod", "zoe")] = nil
	})
	chat.sayDirect(fakeUser{User: `"><script>window.hacked=1</script>`}, "evil", "mod", "nameless")
	text("[data-testid=direct]", `"><script>`) // who has no name is called by the id
	chat.tell("mod", frame{"event": "muted", "channelId": hostile, "reason": "<b>because</b>", "at": now()})
	text("[data-testid=error]", "Reason: <b>because</b>")
	browsertest.Eval[bool](t, tab, `document.querySelector("[data-testid=channel-button]").click(), true`)
	browsertest.Eval[bool](t, tab, `[...document.querySelectorAll("[data-testid=member-button]")].at(-1).click(), true`)
	browsertest.Click(t, tab, "[data-testid=kick]")
	text("#decision-title", "Remove <b>Eve</b>?")
	browsertest.Type(t, tab, kb.Escape)
	chat.tell("mod", frame{"event": "subscriber_sub", "channelId": hostile, "subscriberId": "C1mxc2VNjMCFIA=", "at": now()})
	text("[data-testid=channel]", hostile)
	if browsertest.Eval[bool](t, tab, `"hacked" in window || document.querySelector("img:not([src='./icon.svg']), .member b, #popup b") !== null`) {
		t.Error("markup in a name was taken for markup")
	}
}

func TestMembersOnAPhone(t *testing.T) {
	t.Parallel()
	chat := startIdentityChat(t)
	tab := browsertest.New(t)
	browsertest.Do(t, tab, chromedp.EmulateViewport(390, 700, chromedp.EmulateMobile, chromedp.EmulateTouch))
	signIn(t, tab, chat, "mod", "Mod")
	bob := browsertest.NewTab(t, tab)
	signIn(t, bob, chat, "bob", strings.Repeat("Bob ", 15))
	seen := func(testID string) string {
		return fmt.Sprintf(`document.querySelector("[data-testid=%s]").checkVisibility({ visibilityProperty: true })`, testID)
	}
	fits := `document.documentElement.scrollWidth <= 390 && [...document.querySelectorAll("body, .bar, .members, .member, .below, .popup")].every((e) => e.getBoundingClientRect().right <= 390.5 && e.getBoundingClientRect().left >= 0)`
	browsertest.Wait(t, tab, `document.querySelector("[data-testid=people-count]").textContent === "2"`)
	if browsertest.Eval[bool](t, tab, seen("members")) {
		t.Error("the members lie over the room at first")
	}
	composer := `document.querySelector(".composer").getBoundingClientRect().top`
	before := browsertest.Eval[float64](t, tab, composer)
	browsertest.Type(t, bob, "h")
	browsertest.Wait(t, tab, `document.querySelector("[data-testid=writing]").textContent !== ""`)
	if after := browsertest.Eval[float64](t, tab, composer); after != before {
		t.Errorf("the field moves from %v to %v when somebody writes", before, after)
	}
	browsertest.Click(t, tab, "[data-testid=people-button]")
	browsertest.Wait(t, tab, seen("members")+` && document.getElementById("room").inert && `+focus("members-close")+` && document.getElementById("members").getAnimations().length === 0`)
	browsertest.Click(t, tab, "[data-testid=member][data-user=bob] button")
	browsertest.Wait(t, tab, focus("message-user"))
	if !browsertest.Eval[bool](t, tab, fits) {
		t.Error("something is wider than the screen")
	}
	browsertest.Type(t, tab, kb.Escape)
	browsertest.Wait(t, tab, seen("members")+" && "+focus("member-button"))
	choose(t, tab, "bob", "message-user")
	browsertest.Wait(t, tab, focus("message-input")+` && !document.getElementById("room").inert && !`+seen("members"))
	if !browsertest.Eval[bool](t, tab, fits) {
		t.Error("something is wider than the screen in a direct conversation")
	}
}

// Where nobody is known there is nothing to sign in to, and nothing to do to others.
func TestAnonymousPageIsSimple(t *testing.T) {
	t.Parallel()
	chat := startFakeChat(t)
	chat.pageSize = 2
	ada := browsertest.New(t)
	enter(t, ada, chat, "Ada")
	for range 3 {
		tab := browsertest.NewTab(t, ada)
		enter(t, tab, chat, "Bob")
		say(t, tab, "hello")
		browsertest.Wait(t, tab, shows("hello", "sent"))
	}
	browsertest.Wait(t, ada, members+` === "Ada|you\nBob|\nBob|\nBob|"`)
	for _, what := range []string{"member-button", "direct", "message-author", "user-input", "token-input", "slowness-button"} {
		if browsertest.Eval[bool](t, ada, fmt.Sprintf(`document.querySelector("[data-testid=%s]")?.checkVisibility() ?? false`, what)) {
			t.Errorf("an anonymous page has %s", what)
		}
	}
	browsertest.Do(t, ada, chromedp.Reload())
	browsertest.Wait(t, ada, `document.querySelectorAll("[data-testid=member]").length === 2 && document.querySelector("[data-testid=people-count]").textContent === "4"`)
	browsertest.Click(t, ada, "[data-testid=members-more]")
	browsertest.Wait(t, ada, `document.querySelectorAll("[data-testid=member]").length === 4 && document.querySelector("[data-testid=members-more]").hidden`)
}
