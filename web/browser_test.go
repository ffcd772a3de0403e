package web_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/chatstack/web/browsertest"
)

const (
	nameInput    = `[data-testid=name-input]`
	messageInput = `[data-testid=message-input]`
	joinInput    = `[data-testid=join-input]`
	connected    = `document.querySelector("[data-testid=state]")?.textContent === "Connected"`
)

// enter opens the page in a tab and gives the name.
func enter(t *testing.T, ctx context.Context, chat *fakeChat, name string) {
	t.Helper()
	browsertest.Open(t, ctx, chat.URL)
	browsertest.Fill(t, ctx, nameInput, name+"\r")
	browsertest.Wait(t, ctx, connected)
	browsertest.Wait(t, ctx, `document.activeElement.dataset.testid === "message-input"`)
}

// signIn opens the page of a stage that knows its users, and says who this is.
func signIn(t *testing.T, ctx context.Context, chat *fakeChat, user, name string) {
	t.Helper()
	browsertest.Open(t, ctx, chat.URL)
	browsertest.Wait(t, ctx, focus("user-input"))
	browsertest.Type(t, ctx, user)
	browsertest.Fill(t, ctx, nameInput, name+"\r")
	browsertest.Wait(t, ctx, connected+" && "+focus("message-input"))
}

func say(t *testing.T, ctx context.Context, content string) {
	t.Helper()
	browsertest.Fill(t, ctx, messageInput, content+"\r")
}

// shows is true when a message of the open channel has this text and state.
func shows(text, state string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("[data-testid=message]")].some((message) =>
		message.querySelector("[data-testid=content]").textContent === %q && message.dataset.state === %q)`, text, state)
}

func notices(kind string) string {
	return fmt.Sprintf(`document.querySelectorAll("[data-testid=notice][data-kind=%s]").length`, kind)
}

func errorShown(text string) string {
	return fmt.Sprintf(`document.querySelector("[data-testid=error]").textContent.includes(%q)`, text)
}

// focus is true when the element with this test id has the focus.
func focus(testID string) string {
	return fmt.Sprintf(`document.activeElement.dataset.testid === %q`, testID)
}

// tabTo presses Tab until an element has the focus.
func tabTo(t *testing.T, tab context.Context, testID string, modifiers ...chromedp.Modifier) {
	t.Helper()
	for range 20 {
		browsertest.Type(t, tab, kb.Tab, modifiers...)
		if browsertest.Eval[bool](t, tab, focus(testID)) {
			return
		}
	}
	t.Fatalf("%s cannot be reached with Tab", testID)
}

func TestPage(t *testing.T) {
	t.Parallel()
	t.Run("two tabs chat and see each other come and go", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		ada := browsertest.New(t)
		enter(t, ada, chat, "Ada")
		bob := browsertest.NewTab(t, ada)
		enter(t, bob, chat, "Bob")
		browsertest.Wait(t, ada, notices("joined")+" >= 1")

		say(t, ada, "hello from Ada")
		browsertest.Wait(t, ada, shows("hello from Ada", "sent"))
		browsertest.Wait(t, bob, shows("hello from Ada", "sent"))
		say(t, bob, "hello from Bob")
		browsertest.Wait(t, ada, shows("hello from Bob", "sent"))

		if got := browsertest.Eval[int](t, ada, `document.querySelectorAll("[data-testid=message]").length`); got != 2 {
			t.Errorf("Ada sees %d messages, want 2: the own one must not stand there twice", got)
		}
		own := `[...document.querySelectorAll("[data-testid=message]")].map((m) => m.dataset.seq + m.dataset.own + m.querySelector("[data-testid=author]").textContent).join()`
		if got, want := browsertest.Eval[string](t, ada, own), "1trueYou,2falseBob"; got != want {
			t.Errorf("Ada sees %s, want %s", got, want)
		}

		browsertest.Do(t, bob, chromedp.Navigate("about:blank"))
		browsertest.Wait(t, ada, notices("left")+" === 1")
		if got, want := browsertest.Eval[string](t, ada, `document.querySelector("[data-testid=notice][data-kind=left]").textContent`), "Bob disconnected"; got != want {
			t.Errorf("notice %q, want %q", got, want)
		}
		browsertest.Eval[bool](t, bob, "setTimeout(() => history.back()), true")
		browsertest.Wait(t, bob, connected)
		browsertest.Wait(t, ada, notices("joined")+" >= 2")
	})

	t.Run("what the server answers to a mistake is shown", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		browsertest.Fill(t, tab, joinInput, "what?\r")
		browsertest.Wait(t, tab, errorShown("channelId has a character that no channel has"))
		if got := browsertest.Eval[string](t, tab, `document.querySelector("[data-testid=join-input]").value`); got != "what?" {
			t.Errorf("join field has %q, want it kept to be mended", got)
		}
		say(t, tab, "   ")
		browsertest.Wait(t, tab, errorShown("content has no text in it"))
		if got := browsertest.Eval[string](t, tab, `document.querySelector("[data-testid=error]").getAttribute("role")`); got != "alert" {
			t.Errorf("role %q, want alert", got)
		}
		browsertest.Type(t, tab, kb.Escape)
		browsertest.Wait(t, tab, errorShown("")+` && document.getElementById("toast").hidden`)
	})

	t.Run("content is text or the allowed markup, whatever the server sends", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		hostile := `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b onclick="window.hacked=1">x</b><svg/onload=window.hacked=1>`
		chat.say("General", `<i>Eve</i>`, hostile)
		browsertest.Wait(t, tab, shows(hostile, "sent"))
		chat.set(func() {
			chat.publishLocked("General", chat.reviseLocked("General", "message_edited", 1, hostile+"<iframe srcdoc='<script>parent.hacked=1</script>'>"))
		})
		browsertest.Wait(t, tab, shows(hostile+"<iframe srcdoc='<script>parent.hacked=1</script>'>", "sent"))
		browsertest.Do(t, tab, chromedp.Reload()) // the same from the history
		browsertest.Wait(t, tab, shows(hostile+"<iframe srcdoc='<script>parent.hacked=1</script>'>", "sent"))
		chat.say("General", "Eve", `<b>bold</b> &lt;u&gt; <ul><li>one</li></ul>`)
		browsertest.Wait(t, tab, shows("bold <u> one", "sent"))
		if got := browsertest.Eval[string](t, tab, `[...document.querySelectorAll("[data-testid=content] *")].map((e) => e.tagName + e.attributes.length).join()`); got != "B0,UL0,LI0" {
			t.Errorf("elements in contents: %s, want B0,UL0,LI0", got)
		}
		if got := browsertest.Eval[string](t, tab, `document.querySelector("[data-testid=author]").textContent`); got != "<i>Eve</i>" {
			t.Errorf("author %q, want the tag as text", got)
		}
		if browsertest.Eval[bool](t, tab, `"hacked" in window`) {
			t.Error("a script in a message has run")
		}
	})

	t.Run("comes back after the server drops it, to the same channels", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		browsertest.Fill(t, tab, joinInput, "Secret\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-channel=Secret] [aria-current]")`)
		say(t, tab, "before")
		browsertest.Wait(t, tab, shows("before", "sent"))

		chat.set(func() { chat.mute, chat.refuse = true, true })
		say(t, tab, "no answer")
		browsertest.Wait(t, tab, shows("no answer", "pending"))
		chat.drop(nil)
		browsertest.Wait(t, tab, `/^Reconnecting in \d+ s$/.test(document.querySelector("[data-testid=state]").textContent)`)
		chat.say("Secret", "Bob", "you miss this")
		chat.say("Secret", "Bob", "and that")
		chat.set(func() { chat.mute, chat.refuse = false, false })
		browsertest.Eval[bool](t, tab, `document.querySelector("[data-testid=retry-now]").click(), true`) // it may have come back by itself
		browsertest.Wait(t, tab, connected)

		browsertest.Wait(t, tab, shows("no answer", "sent"))
		chat.say("Secret", "Bob", "still here")
		browsertest.Wait(t, tab, shows("still here", "sent"))
		lines := `[...document.querySelectorAll("[data-testid=message], [data-kind=away]")].map((line) => line.dataset.seq ?? line.textContent).join()`
		if got, want := browsertest.Eval[string](t, tab, lines), "1,2 messages while you were away,2,3,4,5"; got != want {
			t.Errorf("the channel shows %s, want %s", got, want)
		}
	})

	t.Run("a message whose answer was lost with the connection is not sent twice", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		chat.set(func() { chat.deaf = true })
		say(t, tab, "1 < 2 & <b>once</b>")
		browsertest.Wait(t, tab, shows("1 < 2 & once", "pending"))
		stored := func() (n int) {
			chat.set(func() { n = len(chat.logs["General"]) })
			return n
		}
		for end := time.Now().Add(browsertest.Patience); stored() == 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		chat.set(func() { chat.deaf = false })
		chat.drop(nil)
		browsertest.Wait(t, tab, shows("1 < 2 & once", "sent"))
		if got := browsertest.Eval[int](t, tab, `document.querySelectorAll("[data-testid=message]").length`); got != 1 || stored() != 1 {
			t.Errorf("the message is shown %d times and stored %d times, want once", got, stored())
		}
	})

	t.Run("earlier messages come on scrolling up, and the reader stays in place", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		for i := 1; i <= 120; i++ {
			chat.say("General", "Bob", fmt.Sprintf("message %d", i))
		}
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		count := `document.querySelectorAll("[data-testid=message]").length`
		browsertest.Wait(t, tab, count+" === 50 && "+shows("message 120", "sent"))
		const first = `document.querySelector("[data-testid=message]").dataset.seq`
		if got := browsertest.Eval[string](t, tab, first); got != "71" {
			t.Errorf("the first message is %s, want 71", got)
		}
		browsertest.Eval[bool](t, tab, `document.querySelector("[data-testid=message-list]").scrollTop = 100, true`)
		browsertest.Wait(t, tab, count+" === 100")
		near := `Math.abs(document.querySelector("[data-seq='71']").getBoundingClientRect().top - document.querySelector("[data-testid=message-list]").getBoundingClientRect().top) < 200`
		if !browsertest.Eval[bool](t, tab, near) {
			t.Error("what the reader saw has moved away")
		}
		// The rest by keyboard alone: the button before the messages.
		browsertest.Eval[bool](t, tab, `document.querySelector("[data-testid=earlier-button]").focus({ preventScroll: true }), true`)
		browsertest.Type(t, tab, "\r")
		browsertest.Wait(t, tab, count+` === 120 && document.querySelector("[data-testid=earlier-button]").hidden && `+first+` === "1"`)
		chat.say("General", "Bob", "the newest")
		browsertest.Wait(t, tab, `!document.querySelector("[data-testid=latest-button]").hidden`)
	})

	t.Run("an author edits and deletes, with the keyboard, and everyone sees it", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		ada := browsertest.New(t)
		enter(t, ada, chat, "Ada")
		bob := browsertest.NewTab(t, ada)
		enter(t, bob, chat, "Bob")
		say(t, ada, "helo")
		browsertest.Wait(t, ada, shows("helo", "sent"))
		browsertest.Wait(t, bob, shows("helo", "sent"))
		if browsertest.Eval[bool](t, bob, `document.querySelector("[data-testid=message-edit]") !== null`) {
			t.Error("Bob may edit what Ada wrote")
		}
		editing := `!document.querySelector("[data-testid=editing]").hidden && document.activeElement.value === "helo"`
		browsertest.Type(t, ada, kb.ArrowUp)
		browsertest.Wait(t, ada, editing)
		browsertest.Type(t, ada, kb.Escape)
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=editing]").hidden && document.activeElement.value === ""`)
		browsertest.Type(t, ada, kb.ArrowUp)
		browsertest.Wait(t, ada, editing)
		browsertest.Fill(t, ada, messageInput, "hello\r")
		browsertest.Wait(t, ada, shows("hello", "sent")+` && document.querySelector("[data-testid=editing]").hidden`)
		browsertest.Wait(t, bob, shows("hello", "sent")+` && document.querySelector(".status").textContent === "Edited"`)

		tabTo(t, ada, "message-delete", chromedp.ModifierShift)
		browsertest.Type(t, ada, "\r")
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=delete-dialog]").open`)
		browsertest.Type(t, ada, kb.Escape)
		browsertest.Wait(t, ada, `!document.querySelector("[data-testid=delete-dialog]").open`)
		tabTo(t, ada, "message-delete", chromedp.ModifierShift)
		browsertest.Type(t, ada, "\r")
		browsertest.Wait(t, ada, `document.activeElement.dataset.testid === "delete-button"`)
		browsertest.Type(t, ada, "\r")
		for _, tab := range []context.Context{ada, bob} {
			browsertest.Wait(t, tab, shows("This message was deleted", "sent"))
		}
		if browsertest.Eval[bool](t, ada, `document.querySelector("[data-testid=message-edit]") !== null`) {
			t.Error("what is deleted can be edited")
		}
		late := browsertest.NewTab(t, ada)
		enter(t, late, chat, "Late")
		browsertest.Wait(t, late, shows("This message was deleted", "sent"))
	})

	t.Run("unread messages of other channels are counted", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		browsertest.Fill(t, tab, joinInput, "Secret\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=title]").textContent === "Secret"`)
		chat.say("General", "Bob", "one")
		chat.say("General", "Bob", "two")
		browsertest.Wait(t, tab, `document.querySelector("[data-channel=General] [data-testid=unread]").textContent === "2"`)
		browsertest.Click(t, tab, "[data-channel=General] button")
		browsertest.Wait(t, tab, shows("two", "sent")+` && document.querySelector("[data-channel=General] [data-testid=unread]").hidden`)
	})

	t.Run("who is taken out by another service is told", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		const id = "C1mxc2VNjMCFIA=" // the first that the fake gives
		chat.publish("General", frame{"event": "subscriber_unsub", "subscriberId": id, "reason": "left", "at": now()})
		browsertest.Wait(t, tab, errorShown("You are no longer in General")+` && !document.querySelector("[data-testid=channel]")`)
		chat.publish("General", frame{"event": "subscriber_sub", "subscriberId": id, "at": now()})
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=channel][data-channel=General]")`)
	})

	t.Run("everything can be done with the keyboard", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		browsertest.Open(t, tab, chat.URL)
		browsertest.Wait(t, tab, focus("name-input"))
		browsertest.Type(t, tab, "Ada\r")
		browsertest.Wait(t, tab, focus("message-input")+" && "+connected)
		browsertest.Type(t, tab, "one")
		browsertest.Type(t, tab, "\r", chromedp.ModifierShift)
		browsertest.Type(t, tab, "two\r")
		browsertest.Wait(t, tab, shows("one\ntwo", "sent")+` && document.activeElement.value === ""`)

		tabTo(t, tab, "join-input", chromedp.ModifierShift)
		browsertest.Type(t, tab, "Secret\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=title]").textContent === "Secret"`)
		tabTo(t, tab, "leave-button", chromedp.ModifierShift)
		browsertest.Type(t, tab, "\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=title]").textContent === "General" && !document.querySelector("[data-channel=Secret]")`)

		tabTo(t, tab, "rename-button", chromedp.ModifierShift)
		browsertest.Type(t, tab, " ")
		browsertest.Wait(t, tab, focus("name-input"))
		browsertest.Type(t, tab, kb.Escape)
		browsertest.Wait(t, tab, focus("message-input")+` && document.querySelector("[data-testid=you-name]").textContent === "Ada"`)
	})

	t.Run("fits a phone", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		browsertest.Do(t, tab, chromedp.EmulateViewport(360, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
		enter(t, tab, chat, "Ada")
		long := "https://example.com/" + fmt.Sprintf("%0200d", 1)
		chat.say("General", "Bob", long+"<pre>"+long+"</pre>")
		browsertest.Wait(t, tab, `document.querySelectorAll("[data-testid=message]").length === 1`)
		narrow := `[...document.querySelectorAll("body, .room, .bar, .log, .composer")].every((e) => e.scrollWidth <= Math.max(e.clientWidth, 0) && e.getBoundingClientRect().right <= 360) && document.documentElement.scrollWidth <= 360`
		if !browsertest.Eval[bool](t, tab, narrow) {
			t.Error("something is wider than the screen")
		}
		if browsertest.Eval[bool](t, tab, `document.querySelector("[data-testid=join-input]").checkVisibility({ visibilityProperty: true })`) {
			t.Error("the drawer is open at first")
		}
		say(t, tab, "ok")
		browsertest.Wait(t, tab, shows("ok", "sent")+` && document.querySelector("[data-testid=message-edit]")`)
		browsertest.Click(t, tab, "[data-own=true] [data-testid=content]") // what a tap leaves behind: the pointer is on it
		tools := `(() => {
			const tools = document.querySelector("[data-testid=message-edit]").parentElement;
			const { left, right } = tools.getBoundingClientRect();
			return left >= 0 && right <= 360 && getComputedStyle(tools).opacity === "1";
		})()`
		browsertest.Wait(t, tab, tools)
		browsertest.Click(t, tab, "[data-testid=message-edit]")
		browsertest.Fill(t, tab, messageInput, "all right\r")
		browsertest.Wait(t, tab, shows("all right", "sent"))
		browsertest.Click(t, tab, "[data-testid=menu-button]")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=join-input]").checkVisibility({ visibilityProperty: true })`)
		browsertest.Fill(t, tab, joinInput, "what?\r")
		browsertest.Wait(t, tab, errorShown("Not joined"))
		seen := `(() => {
			const error = document.querySelector("[data-testid=error]");
			const { left, right, top, bottom } = error.getBoundingClientRect();
			return left >= 0 && right <= 360 && document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === error;
		})()`
		if !browsertest.Eval[bool](t, tab, seen) {
			t.Error("the error is hidden by the drawer")
		}
		browsertest.Fill(t, tab, joinInput, "Secret\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=title]").textContent === "Secret"`)
		browsertest.Wait(t, tab, `!document.querySelector("[data-testid=join-input]").checkVisibility({ visibilityProperty: true }) && !document.getElementById("room").inert`)
		if !browsertest.Eval[bool](t, tab, narrow) {
			t.Error("something is wider than the screen after the drawer")
		}
	})

	t.Run("a reload keeps name and channels, a new tab asks", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		tab := browsertest.New(t)
		enter(t, tab, chat, "Ada")
		browsertest.Fill(t, tab, joinInput, "Secret\r")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=title]").textContent === "Secret"`)
		browsertest.Do(t, tab, chromedp.Reload())
		browsertest.Wait(t, tab, connected+` && document.querySelectorAll("[data-testid=channel]").length === 2`)
		if browsertest.Eval[bool](t, tab, `document.querySelector("dialog[open]") !== null`) {
			t.Error("asks for the name again")
		}
		other := browsertest.NewTab(t, tab)
		browsertest.Open(t, other, chat.URL)
		browsertest.Wait(t, other, `document.querySelector("[data-testid=name-dialog]").open && document.querySelector("[data-testid=name-input]").value === "Ada"`)
	})

	t.Run("asks which server where the host names several", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		chat.apis = []string{"first-api", "second-api"}
		tab := browsertest.New(t)
		browsertest.Open(t, tab, chat.URL)
		browsertest.Wait(t, tab, `document.querySelectorAll("[data-testid=endpoint-choice]").length === 2`)
		browsertest.Type(t, tab, kb.Escape)
		browsertest.Wait(t, tab, errorShown("Choose a server")+` && document.querySelector("[data-testid=state]").textContent === "Offline"`)
		browsertest.Fill(t, tab, nameInput, "Ada\r")
		browsertest.Click(t, tab, "[data-testid=change-button]")
		browsertest.Click(t, tab, "li:nth-child(2) > [data-testid=endpoint-choice]")
		browsertest.Wait(t, tab, connected+` && document.querySelector("[data-testid=endpoint]").textContent === "second-api · local"`)
		browsertest.Click(t, tab, "[data-testid=toggle-button]")
		browsertest.Wait(t, tab, `document.querySelector("[data-testid=state]").textContent === "Offline"`)
		browsertest.Click(t, tab, "[data-testid=toggle-button]")
		browsertest.Wait(t, tab, connected)
	})

	t.Run("asks for the server where the host names none", func(t *testing.T) {
		t.Parallel()
		chat := startFakeChat(t)
		elsewhere := startStaticHost(t)
		endpoint := "ws" + chat.URL[len("http"):] + "/local"
		tab := browsertest.New(t)
		browsertest.Open(t, tab, elsewhere)
		browsertest.Fill(t, tab, `[data-testid=endpoint-input]`, "http://example.com\r")
		browsertest.Wait(t, tab, `document.getElementById("endpoint-problem").textContent !== ""`)
		browsertest.Fill(t, tab, `[data-testid=endpoint-input]`, endpoint+"\r")
		browsertest.Wait(t, tab, connected)
		browsertest.Open(t, tab, elsewhere+"?endpoint="+endpoint)
		browsertest.Wait(t, tab, connected)
	})
}
