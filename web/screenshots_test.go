package web_test

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/chatstack/web/browsertest"
)

var screenshots = flag.String("screenshots", "", "write pictures of the page into this directory")

// TestScreenshots makes the pictures that the documentation shows, and those
// that one looks at after a change of the style sheets:
//
//	go test ./web -run Screenshots -screenshots /tmp/pictures
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots directory given")
	}
	chat := startFakeChat(t)
	ada := browsertest.New(t)
	picture(t, ada, 780, 780, "light")
	browsertest.Open(t, ada, chat.URL)
	browsertest.Wait(t, ada, connected)
	browsertest.Wait(t, ada, `document.activeElement.dataset.testid === "name-input"`)
	save(t, ada, "welcome.png")
	enter(t, ada, chat, "Ada Lovelace")
	browsertest.Fill(t, ada, joinInput, "engine room\r")
	browsertest.Wait(t, ada, `document.querySelectorAll("[data-testid=channel]").length === 2`)
	save(t, ada, "empty.png")
	browsertest.Click(t, ada, "[data-channel=General] button")

	grace := browsertest.NewTab(t, ada)
	picture(t, grace, 780, 780, "light")
	enter(t, grace, chat, "Grace Hopper")
	talk := []struct {
		tab     context.Context
		content string
	}{
		{ada, "Morning! One <em>pulumi up</em>, and this laptop <b>runs the whole stack</b>:"},
		{ada, "<ul><li>the WebSocket gateway</li><li>the functions, a process each</li><li>the table and its stream</li></ul>"},
		{grace, "And no Docker. Is it announced when somebody leaves?"},
		{ada, "Close a tab and see …"},
	}
	for _, line := range talk {
		say(t, line.tab, line.content)
		browsertest.Wait(t, line.tab, `[...document.querySelectorAll("[data-testid=message]")].at(-1).dataset.state === "sent" && document.querySelector("[data-testid=message-input]").value === ""`)
	}
	guest := browsertest.NewTab(t, ada)
	enter(t, guest, chat, "Linus")
	say(t, guest, "Hello from a third tab.")
	browsertest.Wait(t, ada, shows("Hello from a third tab.", "sent"))
	browsertest.Do(t, guest, chromedp.Navigate("about:blank"))
	browsertest.Wait(t, ada, notices("left")+" === 1")
	say(t, grace, "Gone, and I was told.")
	browsertest.Wait(t, ada, shows("Gone, and I was told.", "sent"))
	chat.say("engine room", "Charles", "Steam is up.")
	browsertest.Wait(t, ada, `document.querySelector("[data-channel='engine room'] [data-testid=unread]").textContent === "1"`)
	browsertest.Eval[bool](t, ada, `document.activeElement.blur(), true`)
	browsertest.Fill(t, grace, messageInput, "And you see that I write")
	browsertest.Wait(t, ada, writing("Grace Hopper is writing…"))
	tabs := pair(t, ada, save(t, ada, "ada.png"), save(t, grace, "grace.png"))
	if err := os.WriteFile(filepath.Join(*screenshots, "chat.png"), tabs, 0o644); err != nil {
		t.Fatal(err)
	}

	picture(t, ada, 1180, 760, "light")
	save(t, ada, "wide.png")
	browsertest.Fill(t, ada, messageInput, "")
	browsertest.Type(t, ada, kb.ArrowUp)
	save(t, ada, "edit.png")
	browsertest.Type(t, ada, kb.Escape)
	browsertest.Do(t, ada, chromedp.Focus(chromedp.CSS(`[data-own=true]:last-of-type [data-testid=message-delete], [data-own=true] [data-testid=message-delete]`)))
	save(t, ada, "tools.png")
	picture(t, ada, 1180, 760, "dark")
	save(t, ada, "dark.png")
	browsertest.Click(t, ada, "[data-testid=rename-button]")
	save(t, ada, "dark-name.png")
	browsertest.Type(t, ada, "\x1b")
	picture(t, ada, 360, 720, "light")
	save(t, ada, "phone.png")
	browsertest.Click(t, ada, "[data-testid=menu-button]")
	save(t, ada, "phone-drawer.png")
	browsertest.Fill(t, ada, joinInput, "what?\r")
	browsertest.Wait(t, ada, errorShown("Not joined"))
	save(t, ada, "phone-error.png")
	browsertest.Type(t, ada, "\x1b")
	picture(t, ada, 1180, 760, "light")
	browsertest.Fill(t, ada, joinInput, "what?\r")
	browsertest.Wait(t, ada, errorShown("Not joined"))
	save(t, ada, "error.png")
	browsertest.Type(t, ada, "\x1b")
	picture(t, ada, 360, 720, "light")
	chat.set(func() { chat.mute, chat.refuse = true, true })
	say(t, ada, "Is anybody there?")
	chat.drop(nil)
	browsertest.Wait(t, ada, `document.getElementById("state").dataset.state === "waiting"`)
	save(t, ada, "phone-lost.png")
	picture(t, ada, 1180, 760, "dark")
	save(t, ada, "dark-lost.png")
	chat.say("General", "Grace Hopper", "Ada, are you still there?")
	chat.say("General", "Grace Hopper", "Your laptop has gone to sleep, I think.")
	chat.set(func() {
		chat.mute, chat.refuse = false, false
		chat.publishLocked("General", chat.reviseLocked("General", "message_deleted", 6, ""))
		chat.publishLocked("General", chat.reviseLocked("General", "message_edited", 7, "Ada, are you <b>still</b> there?"))
	})
	browsertest.Eval[bool](t, ada, `document.querySelector("[data-testid=retry-now]").click(), true`) // it may have come back by itself
	browsertest.Wait(t, ada, connected+" && "+shows("Is anybody there?", "sent"))
	save(t, ada, "dark-resumed.png")
	picture(t, ada, 360, 720, "light")
	save(t, ada, "phone-resumed.png")
	browsertest.Do(t, ada, chromedp.Focus(chromedp.CSS(`[data-own=true]:last-of-type [data-testid=message-delete], [data-own=true] [data-testid=message-delete]`)))
	browsertest.Type(t, ada, "\r")
	save(t, ada, "phone-delete.png")
}

// TestIdentityScreenshots makes those of a stage that knows its users.
func TestIdentityScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots directory given")
	}
	chat := startFakeChat(t)
	chat.identity = "local"
	chat.moderates["ada"] = []string{"General", "*"}
	ada := browsertest.New(t)
	picture(t, ada, 1180, 760, "light")
	browsertest.Open(t, ada, chat.URL)
	browsertest.Wait(t, ada, focus("user-input"))
	save(t, ada, "id-welcome.png")
	signIn(t, ada, chat, "ada", "Ada Lovelace")
	others := map[string]context.Context{}
	for _, who := range [][2]string{{"grace", "Grace Hopper"}, {"grace", "Grace Hopper"}, {"linus", "Linus"}} {
		others[who[0]] = browsertest.NewTab(t, ada)
		browsertest.Open(t, others[who[0]], "about:blank")
		signIn(t, others[who[0]], chat, who[0], who[1])
	}
	say(t, others["grace"], "Is the members panel there?")
	browsertest.Wait(t, ada, shows("Is the members panel there?", "sent"))
	say(t, ada, "It is: with <b>presence</b>, and who writes.")
	chat.sayDirect(fakeUser{User: "grace", Name: "Grace Hopper"}, "x", "ada", "A word between us?")
	browsertest.Wait(t, ada, `document.querySelector("[data-testid=direct] [data-testid=unread]")?.textContent === "1"`)
	browsertest.Fill(t, others["linus"], messageInput, "I am")
	chat.publish("General", frame{"event": "slow_mode", "seconds": 30, "at": now()})
	for _, scheme := range []string{"light", "dark"} {
		picture(t, ada, 1180, 760, scheme)
		browsertest.Type(t, others["linus"], ".")
		browsertest.Wait(t, ada, `document.querySelector("[data-testid=writing]").textContent === "Linus is writing…"`)
		save(t, ada, "id-wide-"+scheme+".png")
		browsertest.Eval[bool](t, ada, `document.querySelector("[data-testid=member][data-user=grace] button").click(), true`)
		save(t, ada, "id-menu-"+scheme+".png")
		browsertest.Eval[bool](t, ada, `document.querySelector("[data-testid=ban-10]").click(), true`)
		save(t, ada, "id-decision-"+scheme+".png")
		browsertest.Type(t, ada, kb.Escape)
		picture(t, ada, 390, 760, scheme)
		save(t, ada, "id-phone-"+scheme+".png")
		browsertest.Click(t, ada, "[data-testid=people-button]")
		save(t, ada, "id-phone-members-"+scheme+".png")
		browsertest.Click(t, ada, "[data-testid=member][data-user=grace] button")
		save(t, ada, "id-phone-menu-"+scheme+".png")
		browsertest.Type(t, ada, kb.Escape)
		browsertest.Type(t, ada, kb.Escape)
	}
	picture(t, ada, 1180, 760, "light")
	browsertest.Do(t, ada, chromedp.Focus(chromedp.CSS(`[data-own=false] [data-testid=message-author]`)))
	save(t, ada, "id-tools.png")
	browsertest.Click(t, ada, "[data-testid=direct-button]")
	browsertest.Wait(t, ada, shows("A word between us?", "sent"))
	say(t, ada, "Of course.")
	browsertest.Wait(t, ada, shows("Of course.", "sent"))
	save(t, ada, "id-direct.png")
	chat.tell("ada", frame{"event": "muted", "channelId": "General", "reason": "too loud", "until": "2099-01-01T00:00:00Z", "at": now()})
	browsertest.Click(t, ada, "[data-channel=General] button")
	save(t, ada, "id-muted.png")
	picture(t, ada, 390, 760, "dark")
	browsertest.Click(t, ada, "[data-testid=menu-button]")
	save(t, ada, "id-phone-drawer.png")
	browsertest.Click(t, ada, "[data-testid=change-button]")
	browsertest.Wait(t, ada, `document.querySelector("[data-testid=endpoint-dialog]").open`)
	save(t, ada, "id-phone-server.png")
}

// picture sets what a picture looks like: its size and colours.
func picture(t *testing.T, ctx context.Context, width, height int64, scheme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Do(t, ctx, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)))
}

func save(t *testing.T, ctx context.Context, name string) []byte {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
	return png
}

// pair puts the pictures of two tabs side by side.
func pair(t *testing.T, browser context.Context, left, right []byte) []byte {
	t.Helper()
	html := `<body style="margin:0;display:flex;gap:24px;padding:28px;background:#cfdcd8">`
	for _, png := range [][]byte{left, right} {
		html += fmt.Sprintf(`<img style="width:780px;border-radius:14px;box-shadow:0 2px 4px #0002,0 14px 40px #0003" src="data:image/png;base64,%s">`,
			base64.StdEncoding.EncodeToString(png))
	}
	ctx := browsertest.NewTab(t, browser)
	picture(t, ctx, 2*780+24+2*28, 780+2*28, "light")
	browsertest.Open(t, ctx, "data:text/html;base64,"+base64.StdEncoding.EncodeToString([]byte(html)))
	browsertest.Wait(t, ctx, `[...document.images].every((image) => image.complete)`)
	return save(t, ctx, "pair.png")
}
