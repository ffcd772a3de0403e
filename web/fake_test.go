package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"example.com/chatstack/web"
)

// fakeChat is a small chat server that speaks the protocol as the page knows
// it, from memory, with none of the real one's table, stream or gateway. What a
// test sets on it makes it misbehave.
type fakeChat struct {
	*httptest.Server

	mu       sync.Mutex
	sockets  map[*fakeSocket]bool
	logs     map[string][]frame // channel -> what has a seq, in its order
	accepted int
	apis     []string // the names in endpoints.json
	mute     bool     // take messages in and say nothing
	deaf     bool     // store messages and say nothing to who sent them
	refuse   bool     // refuse every new connection
}

type fakeSocket struct {
	chat     *fakeChat
	conn     *websocket.Conn
	id       string
	channels []string
}

type frame map[string]any

// startFakeChat serves the page, endpoints.json and the chat on one port.
func startFakeChat(t *testing.T) *fakeChat {
	t.Helper()
	chat := &fakeChat{sockets: map[*fakeSocket]bool{}, logs: map[string][]frame{}, apis: []string{"chat-api"}}
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	mux.HandleFunc("/endpoints.json", func(w http.ResponseWriter, r *http.Request) {
		type endpoint struct {
			Name     string `json:"name"`
			Stage    string `json:"stage"`
			Endpoint string `json:"endpoint"`
		}
		list := []endpoint{}
		chat.set(func() {
			for _, name := range chat.apis {
				list = append(list, endpoint{name, "local", "ws://" + r.Host + "/local"})
			}
		})
		_ = json.NewEncoder(w).Encode(map[string]any{"endpoints": list})
	})
	mux.HandleFunc("/local", chat.serve)
	chat.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		chat.set(func() { chat.refuse = true })
		chat.drop(nil)
		chat.Close()
	})
	return chat
}

func (c *fakeChat) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// drop ends connections without a close frame; all of them if keep is nil.
func (c *fakeChat) drop(keep func(*fakeSocket) bool) {
	c.mu.Lock()
	var victims []*fakeSocket
	for socket := range c.sockets {
		if keep == nil || !keep(socket) {
			victims = append(victims, socket)
		}
	}
	c.mu.Unlock()
	for _, socket := range victims {
		socket.conn.CloseNow()
	}
}

// publish sends an event to a channel, as the stream would.
func (c *fakeChat) publish(channel string, event frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publishLocked(channel, event)
}

func (c *fakeChat) publishLocked(channel string, event frame) {
	event["channelId"] = channel
	for socket := range c.sockets {
		if slices.Contains(socket.channels, channel) {
			socket.write(event)
		}
	}
}

// say publishes a message of someone else's.
func (c *fakeChat) say(channel, name, content string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publishLocked(channel, c.messageLocked(channel, "someone", name, content))
}

func (c *fakeChat) messageLocked(channel, sender, name, content string) frame {
	seq := len(c.logs[channel]) + 1
	message := frame{
		"event": "channel_message", "channelId": channel, "name": name, "content": content,
		"messageId": fmt.Sprintf("%s-%d", channel, seq), "seq": seq, "at": now(), "senderId": sender,
	}
	c.logs[channel] = append(c.logs[channel], message)
	return maps.Clone(message)
}

// reviseLocked edits a message, or deletes it if event is message_deleted.
func (c *fakeChat) reviseLocked(channel, event string, seq int, content string) frame {
	target := c.logs[channel][seq-1]
	change := frame{
		"event": event, "channelId": channel, "targetSeq": seq, "messageId": target["messageId"],
		"seq": len(c.logs[channel]) + 1, "at": now(), "senderId": target["senderId"],
	}
	target["content"] = content
	if event == "message_edited" {
		change["name"], change["content"] = target["name"], content
		target["editedAt"] = change["at"]
	} else {
		target["deleted"] = true
	}
	c.logs[channel] = append(c.logs[channel], change)
	return maps.Clone(change)
}

// rangeLocked gives what has a number between two, the oldest first.
func (c *fakeChat) rangeLocked(channel string, after, before int) []frame {
	found := []frame{}
	for i, event := range c.logs[channel] {
		if i+1 > after && i+1 < before {
			found = append(found, maps.Clone(event))
		}
	}
	return found
}

func (c *fakeChat) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	refuse := c.refuse
	c.accepted++
	id := fmt.Sprintf("C%dmxc2VNjMCFIA=", c.accepted)
	c.mu.Unlock()
	if refuse {
		http.Error(w, "refused", http.StatusBadGateway)
		return
	}
	// As API Gateway, it lets pages of every origin in.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"chatstack.v1"}})
	if err != nil {
		return
	}
	socket := &fakeSocket{chat: c, conn: conn, id: id}
	c.set(func() { c.sockets[socket] = true })
	c.subscribe(socket, "General")
	defer c.end(socket)
	for {
		var request frame
		if err := wsjson.Read(r.Context(), conn, &request); err != nil {
			return
		}
		c.answer(socket, request)
	}
}

func (c *fakeChat) end(socket *fakeSocket) {
	socket.conn.CloseNow()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sockets, socket)
	for _, channel := range socket.channels {
		c.publishLocked(channel, frame{"event": "subscriber_unsub", "subscriberId": socket.id, "reason": "disconnected", "at": now()})
	}
}

func (c *fakeChat) subscribe(socket *fakeSocket, channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(socket.channels, channel) {
		socket.channels = append(socket.channels, channel)
		c.publishLocked(channel, frame{"event": "subscriber_sub", "subscriberId": socket.id, "at": now()})
	}
}

func (c *fakeChat) answer(socket *fakeSocket, request frame) {
	channel, _ := request["channelId"].(string)
	content, _ := request["content"].(string)
	name, _ := request["name"].(string)
	reply := frame{"id": request["id"], "channelId": channel}
	switch request["action"] {
	case "whoami":
		reply["event"], reply["connectionId"] = "you", socket.id
		c.set(func() { reply["channels"] = slices.Clone(socket.channels) })
	case "ping":
		reply["event"], reply["at"] = "pong", now()
	case "subscribeChannel":
		if channel == "" || strings.ContainsAny(channel, "!<>?") {
			reply["event"], reply["code"], reply["message"] = "error", "invalid_channel", "channelId has a character that no channel has"
			break
		}
		c.subscribe(socket, channel)
		c.set(func() {
			seq := len(c.logs[channel])
			reply["event"], reply["seq"], reply["missed"], reply["more"] = "subscribed", seq, []frame{}, false
			if after, ok := request["after"].(float64); ok {
				reply["missed"] = c.rangeLocked(channel, int(after), seq+1)
			}
		})
	case "getHistory":
		before, isBefore := request["before"].(float64)
		after, isAfter := request["after"].(float64)
		limit, isLimit := request["limit"].(float64)
		if !isBefore {
			before = math.MaxInt32
		}
		if !isLimit {
			limit = 50
		}
		c.set(func() {
			found := c.rangeLocked(channel, int(after), int(before))
			if !isAfter {
				slices.Reverse(found)
			}
			reply["event"], reply["more"] = "history", len(found) > int(limit)
			reply["messages"] = found[:min(len(found), int(limit))]
		})
	case "editMessage", "deleteMessage":
		seq, _ := request["seq"].(float64)
		event := map[any]string{"editMessage": "message_edited", "deleteMessage": "message_deleted"}[request["action"]]
		c.set(func() {
			if log := c.logs[channel]; int(seq) > len(log) || log[int(seq)-1]["senderId"] != socket.id {
				reply["event"], reply["code"], reply["message"] = "error", "not_author", "the message is another's: only its author may change it"
				return
			}
			change := c.reviseLocked(channel, event, int(seq), content)
			c.publishLocked(channel, change)
			reply["event"], reply["messageId"], reply["seq"], reply["at"] = "ack", change["messageId"], change["seq"], change["at"]
		})
	case "unsubscribeChannel":
		c.set(func() {
			socket.channels = slices.DeleteFunc(socket.channels, func(other string) bool { return other == channel })
			c.publishLocked(channel, frame{"event": "subscriber_unsub", "subscriberId": socket.id, "reason": "left", "at": now()})
		})
		reply["event"] = "unsubscribed"
	case "sendMessage":
		if strings.TrimSpace(content) == "" {
			reply["event"], reply["code"], reply["message"] = "error", "content_empty", "content has no text in it"
			break
		}
		c.mu.Lock()
		mute := c.mute || c.deaf
		if c.deaf {
			c.messageLocked(channel, socket.id, name, content)
		} else if !mute {
			message := c.messageLocked(channel, socket.id, name, content)
			c.publishLocked(channel, message) // it may well come before the ack
			reply["event"], reply["messageId"], reply["seq"], reply["at"] = "ack", message["messageId"], message["seq"], message["at"]
		}
		c.mu.Unlock()
		if mute {
			return
		}
	default:
		reply = frame{"message": "Forbidden", "connectionId": socket.id, "requestId": "r"}
	}
	socket.write(reply)
}

// write may fail, when the other side has gone; its reader finds out.
func (s *fakeSocket) write(event frame) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	text, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	_ = s.conn.Write(ctx, websocket.MessageText, text)
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
