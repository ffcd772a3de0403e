package handler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
)

func TestWebSocket(t *testing.T) {
	t.Parallel()
	const ok = `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":`
	t.Run("connect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, read(t, "connect.json"))
		if err != nil || out != ok+`""}` {
			t.Errorf("%s, %v", out, err)
		}
		diff(t, "calls", f.store.calls, []string{
			"PutConnection R1kmxc2VNjMCFIA= 2026-03-01T12:01:00.123Z",
			"PutSubscription General R1kmxc2VNjMCFIA=", "OpenChannel General",
		})
	})
	t.Run("the chat's subprotocol is accepted, others are not", func(t *testing.T) {
		t.Parallel()
		for offer, accepted := range map[string]string{
			"chatstack.v1": `{"Sec-WebSocket-Protocol":"chatstack.v1"}`, "bearer.x, chatstack.v1": `{"Sec-WebSocket-Protocol":"chatstack.v1"}`,
			"chatstack.v2,graphql-ws": "null", "": "null",
		} {
			f := newFixture()
			event := strings.Replace(string(read(t, "connect.json")), `"headers": {`, `"headers": {"sec-websocket-protocol": "`+offer+`",`, 1)
			out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, []byte(event))
			if want := `{"statusCode":200,"headers":` + accepted + `,"multiValueHeaders":null,"body":""}`; err != nil || out != want {
				t.Errorf("offered %q: %s, %v, want %s", offer, out, err, want)
			}
			if strings.Contains(f.logs.String(), "bearer") {
				t.Errorf("what was offered is in the log: %s", f.logs)
			}
		}
	})
	t.Run("a connect that fails refuses the connection", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.store.err = errors.New("table is down")
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, read(t, "connect.json"))
		if err != nil || !strings.HasPrefix(out, `{"statusCode":500,`) {
			t.Errorf("%s, %v", out, err)
		}
		if strings.Contains(out, "table is down") || !strings.Contains(f.logs.String(), "table is down") {
			t.Errorf("answer %s, log %s", out, f.logs)
		}
	})
	t.Run("disconnect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, read(t, "disconnect.json"))
		if err != nil || out != ok+`""}` {
			t.Errorf("%s, %v", out, err)
		}
		diff(t, "calls", f.store.calls, []string{
			"DeleteConnection R1kmxc2VNjMCFIA=", "ListSubscriptions", "DeleteSubscription General R1kmxc2VNjMCFIA=",
		})
	})
	t.Run("the expiry of a token comes and goes with its connection", func(t *testing.T) {
		t.Parallel()
		at := time.Now().Add(time.Hour).Truncate(time.Second)
		authorizer := fmt.Sprintf(`"requestContext": {"authorizer": {"principalId": "ada", "expiresAt": "%d"},`, at.Unix())
		for file, want := range map[string]string{"connect.json": "PutExpiry", "disconnect.json": "DeleteExpiry"} {
			f := newFixture()
			event := strings.Replace(string(read(t, file)), `"requestContext": {`, authorizer, 1)
			out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, []byte(event))
			if want += " R1kmxc2VNjMCFIA= " + at.UTC().Format(time.RFC3339); err != nil || out != ok+`""}` || !slices.Contains(f.store.calls, want) {
				t.Errorf("%s: %s, %v; calls %q, want %q", file, out, err, f.store.calls, want)
			}
		}
	})
	t.Run("an expired token is refused with 401", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		event := strings.Replace(string(read(t, "connect.json")), `"requestContext": {`,
			`"requestContext": {"authorizer": {"principalId": "ada", "expiresAt": "1700000000"},`, 1)
		if out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, []byte(event)); err != nil || !strings.HasPrefix(out, `{"statusCode":401,`) {
			t.Errorf("%s, %v", out, err)
		}
		if log := f.logs.String(); !strings.Contains(log, `"level":"INFO","msg":"event not served"`) {
			t.Errorf("a refusal is logged as %s", log)
		}
	})
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, read(t, "message.json"))
		if err != nil || !strings.HasPrefix(out, ok+`"{\"event\":\"ack\",`) {
			t.Errorf("%s, %v", out, err)
		}
		if len(f.poster.frames) != 1 || !strings.Contains(f.poster.frames[0], `"content":"hello world!"`) {
			t.Errorf("posted %v", f.poster.frames)
		}
		if logs := f.logs.String(); strings.Contains(logs, "hello world") || strings.Contains(logs, "johndoe") {
			t.Errorf("contents in the log: %s", logs)
		}
	})
	t.Run("unknown frame", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		out, err := invoke(t, WebSocket{Chat: &chat.Service{Log: f.log}, Log: f.log}.Handle, read(t, "default.json"))
		if err != nil || !strings.HasPrefix(out, ok+`"{\"event\":\"error\",\"code\":\"invalid_json\",`) {
			t.Errorf("%s, %v", out, err)
		}
		if strings.Contains(f.logs.String(), `"level":"ERROR"`) {
			t.Errorf("a client's mistake in the log as an error: %s", f.logs)
		}
	})
	t.Run("our own fault is an internal error to the client and a chain in the log", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		f.store.err = errors.New("table is down")
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, read(t, "message.json"))
		want := ok + `"{\"event\":\"error\",\"code\":\"internal\",\"message\":\"internal error\"}"}`
		if err != nil || out != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
		for _, part := range []string{`"level":"ERROR"`, `send to \"General\": rules of \"General\": table is down`, `"requestId":"TcDA-EMnFiAEfXw="`, `"connectionId":"R1kmxc2VNjMCFIA="`} {
			if !strings.Contains(f.logs.String(), part) {
				t.Errorf("log %s has no %s", f.logs, part)
			}
		}
	})
	t.Run("no frame is a connect", func(t *testing.T) {
		t.Parallel()
		f := newFixture()
		event := strings.Replace(string(read(t, "default.json")), `"$default"`, `"$connect"`, 1)
		event = strings.Replace(event, `"hello"`, `"{\"action\":\"$connect\"}"`, 1)
		out, err := invoke(t, WebSocket{Chat: f.chat, Log: f.log}.Handle, []byte(event))
		if err != nil || !strings.Contains(out, "unknown_action") || len(f.store.calls) != 0 {
			t.Errorf("%s, %v, calls %v", out, err, f.store.calls)
		}
	})
}

// Defect 5 of the 2018 example: a frame that was not JSON, or had no name, made
// the function throw.
func TestDefect5NoFrameMakesTheFunctionFail(t *testing.T) {
	t.Parallel()
	routes := []string{"sendMessage", "subscribeChannel", "unsubscribeChannel", "getHistory", "listMembers", "editMessage", "deleteMessage", "typing", "$default"}
	bodies := []string{"", "hello", "{", `{}`, `{"channelId":null}`, "null", "[]", "\x00", "\xff"}
	check := func(route, body string) {
		f := newFixture()
		var event events.APIGatewayWebsocketProxyRequest
		event.RequestContext.EventType, event.RequestContext.RouteKey, event.Body = "MESSAGE", route, body
		response, err := WebSocket{Chat: f.chat, Log: f.log}.Handle(t.Context(), event)
		if err != nil || response.StatusCode != 200 || !strings.Contains(response.Body, `"event":"error"`) {
			t.Errorf("%s %q: %+v, %v", route, body, response, err)
		}
	}
	for _, route := range routes {
		for _, body := range bodies {
			check(route, body)
		}
	}
	check("sendMessage", `{"action":"sendMessage","channelId":"General","content":"no name"}`)
}
