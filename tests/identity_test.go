package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// TestIdentity is a stage that asks for tokens, without any provider: the local
// cloud is the issuer.
func TestIdentity(t *testing.T) {
	whateverTheEngine(t, "who connects is decided before the table is asked")
	t.Parallel()
	p := newProject(t, copySources(t))
	stage := filepath.Join(p.program, "Pulumi.local.yaml")
	edit(t, stage, "config:\n", "config:\n  chatstack:identity: {mode: jwt}\n  chatstack:allowedOrigins: [\"https://chat.example\"]\n")
	p.up()
	endpoint := p.outputs()["endpoint"]
	token := strings.TrimSpace(p.run("token", "--user", "ada", "--name", "Ada", "--channel", "private:*", "--moderates", "*"))

	t.Run("who has no good token gets 401", func(t *testing.T) {
		for name, offered := range map[string]string{
			"none": "", "another subprotocol": "chatstack.v1", "no token": "bearer.", "nonsense": "bearer.nonsense",
			"another signature": "bearer." + token[:strings.LastIndex(token, ".")] + "." + strings.Repeat("A", 86),
			"two tokens":        "bearer." + token + ", bearer." + token,
		} {
			header := http.Header{}
			if offered != "" {
				header.Set("Sec-WebSocket-Protocol", offered)
			}
			if status := refusal(t, endpoint, header); status != http.StatusUnauthorized {
				t.Errorf("%s: %d, want 401", name, status)
			}
		}
	})

	t.Run("a page of another origin gets 403", func(t *testing.T) {
		header := http.Header{"Sec-WebSocket-Protocol": {"chatstack.v1, bearer." + token}, "Origin": {"https://evil.example"}}
		if status := refusal(t, endpoint, header); status != http.StatusForbidden {
			t.Errorf("%d, want 403", status)
		}
	})

	t.Run("who has a good token connects, and the token is not given back", func(t *testing.T) {
		c := dialWith(t, endpoint, &websocket.DialOptions{
			Subprotocols: []string{"chatstack.v1", "bearer." + token}, HTTPHeader: http.Header{"Origin": {"https://CHAT.example"}},
		})
		if got := c.conn.Subprotocol(); got != "chatstack.v1" {
			t.Errorf("granted %q", got)
		}
		c.send(event{"action": "whoami", "id": "who"})
		you := c.expect(event{"event": "you", "id": "who", "user": "ada", "name": "Ada"})
		if diff := cmp.Diff([]any{"*"}, you["moderates"]); diff != "" || you["expiresAt"] == nil {
			t.Errorf("you are %v, want one who moderates everything for an hour", you)
		}
	})

	t.Run("the page signs in", func(t *testing.T) {
		page := strings.TrimSuffix(p.page(), "/")
		resp, err := http.Get(page + "/endpoints.json")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if list, _ := io.ReadAll(resp.Body); !strings.Contains(string(list), `"identity":"local"`) {
			t.Errorf("endpoints.json is %s", list)
		}
		ask := func(header map[string]string) (int, string) {
			t.Helper()
			request, err := http.NewRequest(http.MethodPost, page+"/token", strings.NewReader(`{"user":"bob","name":"Bob"}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			for name, value := range header {
				if request.Header.Set(name, value); name == "Host" {
					request.Host = value
				}
			}
			resp, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var signed struct{ Token string }
			_ = json.NewDecoder(resp.Body).Decode(&signed)
			return resp.StatusCode, signed.Token
		}
		status, bobs := ask(map[string]string{"Origin": page})
		if status != http.StatusOK {
			t.Fatalf("%d", status)
		}
		c := dialWith(t, endpoint, &websocket.DialOptions{Subprotocols: []string{"chatstack.v1", "bearer." + bobs}})
		c.send(event{"action": "ping"})
		c.expect(event{"event": "pong"})
		for name, header := range map[string]map[string]string{
			"another origin": {"Origin": "https://evil.example"}, "another site": {"Sec-Fetch-Site": "cross-site"},
			"another name of this machine": {"Host": "evil.example"}, "a form": {"Content-Type": "text/plain"},
		} {
			if status, signed := ask(header); status != http.StatusForbidden || signed != "" {
				t.Errorf("%s: %d, want 403", name, status)
			}
		}
	})

	t.Run("a token is found nowhere", func(t *testing.T) {
		// Nor any part of it that says something.
		parts, looked := strings.Split(token, "."), map[string]bool{}
		err := filepath.WalkDir(p.home, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			looked[entry.Name()] = true
			text, err := os.ReadFile(path)
			for _, part := range parts[1:] {
				if bytes.Contains(text, []byte(part)) {
					t.Errorf("a part of the token is in %s", path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"resources.json", "cloud.log", "local.json"} {
			if !looked[name] {
				t.Errorf("%s was not looked into", name)
			}
		}
		logs := p.run("logs", "authorizer")
		for _, reason := range []string{"no_token", "several_tokens", "malformed", "signature"} {
			if !strings.Contains(logs, reason) {
				t.Errorf("the authorizer has not logged %s:\n%s", reason, logs)
			}
		}
		info, err := os.Stat(filepath.Join(p.home, "cloud", "issuer.json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the issuer's key: %v, %v", info, err)
		}
	})

	t.Run("a second up finds no changes, and tokens are good after a restart", func(t *testing.T) {
		if got := p.up(); len(got) != 1 || got["unchanged"] == 0 {
			t.Errorf("up: %v, want everything unchanged", got)
		}
		if err := syscall.Kill(p.cloudPID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "every process ends with the local cloud", func() bool { return len(p.processes()) == 0 })
		p.up()
		c := dialWith(t, endpoint, &websocket.DialOptions{Subprotocols: []string{"chatstack.v1", "bearer." + token}})
		c.send(event{"action": "ping"})
		c.expect(event{"event": "pong"})
	})

	t.Run("what a preview refuses and warns of", func(t *testing.T) {
		for settings, want := range map[string]string{
			`{mode: jwt, issuer: "https://login.example", audience: [chat]}`: "warning: any web page may connect to this chat",
			`{mode: jwt, issuer: "login.example", audience: [chat]}`:         `Identity.Issuer is "login.example"`,
			`{mode: jwt, isuer: "https://login.example"}`:                    `chatstack:identity has the key "isuer": there is none of this name`,
		} {
			text, err := os.ReadFile(stage)
			if err != nil {
				t.Fatal(err)
			}
			changed := regexp.MustCompile(`(?m)^  chatstack:identity:.*$`).ReplaceAllLiteralString(string(text), "  chatstack:identity: "+settings)
			changed = regexp.MustCompile(`(?m)^  chatstack:allowedOrigins:.*\n`).ReplaceAllString(changed, "")
			if err := os.WriteFile(stage, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			out, _ := p.try("pulumi", "--", "preview", "--non-interactive")
			if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("identity %s: want %q:\n%s", settings, want, out)
			}
		}
	})
}

// refusal is the status with which a connection is refused; 101 if it is not.
func refusal(t *testing.T, endpoint string, header http.Header) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		conn.CloseNow()
	}
	if resp == nil {
		t.Fatalf("connect: %v", err)
	}
	return resp.StatusCode
}

// TestCustomIdentity: a team's own authorizer, which gives a principalId and no more,
// decides who connects and says who that is.
func TestCustomIdentity(t *testing.T) {
	whateverTheEngine(t, "who connects is decided before the table is asked")
	t.Parallel()
	p := newProject(t, withIdentity(t, "{mode: custom, function: ./tests/programs/knock}"))
	p.up()
	endpoint := p.outputs()["endpoint"]
	for _, offered := range []string{"", "chatstack.v1", "chatstack.v1, bearer.open", "bearer.sesame-"} {
		if status := refusal(t, endpoint, http.Header{"Sec-Websocket-Protocol": {offered}}); status != http.StatusUnauthorized {
			t.Errorf("with %q: %d, want 401", offered, status)
		}
	}
	c := dialWith(t, endpoint, &websocket.DialOptions{Subprotocols: []string{"chatstack.v1", "bearer.sesame-ada"}})
	c.send(event{"action": "whoami", "id": "who"})
	c.expect(event{"event": "you", "id": "who", "user": "ada", "name": "ada"})
	c.send(event{"action": "sendMessage", "channelId": "General", "name": "eve", "content": "x"})
	c.expect(event{"event": "channel_message", "user": "ada", "name": "ada"})
}
