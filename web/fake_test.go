package web_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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

	mu        sync.Mutex
	sockets   map[*fakeSocket]bool
	logs      map[string][]frame // channel -> what has a seq, in its order
	sent      map[string]frame   // user and id -> the message
	accepted  int
	apis      []string            // the names in endpoints.json
	identity  string              // how users sign in: "" not at all, "local" with POST /token, else elsewhere
	moderates map[string][]string // user -> the channels that they moderate
	pageSize  int                 // how many members an answer of listMembers has, 100 for 0
	banned    map[string]bool     // users that are let in nowhere
	mute      bool                // take messages in and say nothing
	deaf      bool                // store messages and say nothing to who sent them
	refuse    bool                // refuse every new connection
}

type fakeSocket struct {
	chat     *fakeChat
	conn     *websocket.Conn
	id       string
	user     fakeUser
	channels []string
}

// fakeUser is whom a connection is of, and the whole of a token, in base64url.
type fakeUser struct {
	User      string `json:"user"`
	Name      string `json:"name"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

func (u fakeUser) token() string {
	text, _ := json.Marshal(u) // three strings cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

type frame map[string]any

// startFakeChat serves the page, endpoints.json and the chat on one port.
func startFakeChat(t *testing.T) *fakeChat {
	t.Helper()
	chat := &fakeChat{
		sockets: map[*fakeSocket]bool{}, logs: map[string][]frame{}, apis: []string{"chat-api"},
		sent: map[string]frame{}, moderates: map[string][]string{}, banned: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	mux.HandleFunc("/endpoints.json", func(w http.ResponseWriter, r *http.Request) {
		type endpoint struct {
			Name     string `json:"name"`
			Stage    string `json:"stage"`
			Endpoint string `json:"endpoint"`
			Identity string `json:"identity,omitempty"`
		}
		list := []endpoint{}
		chat.set(func() {
			for _, name := range chat.apis {
				list = append(list, endpoint{name, "local", "ws://" + r.Host + "/local", chat.identity})
			}
		})
		_ = json.NewEncoder(w).Encode(map[string]any{"endpoints": list})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		var user fakeUser
		if err := json.NewDecoder(r.Body).Decode(&user); err != nil || strings.Contains(user.User, "!") {
			http.Error(w, "user has a character that no id has", http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"token": user.token()})
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

// tell sends an event to the connections of a user.
func (c *fakeChat) tell(user string, event frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tellLocked(event, user)
}

func (c *fakeChat) tellLocked(event frame, users ...string) {
	for socket := range c.sockets {
		if socket.user.User != "" && slices.Contains(users, socket.user.User) {
			socket.write(event)
		}
	}
}

// removeLocked ends a user's subscriptions to a channel.
func (c *fakeChat) removeLocked(user, channel, reason string) {
	for socket := range c.sockets {
		if socket.user.User == user {
			c.leaveLocked(socket, channel, reason)
		}
	}
}

// membersLocked gives who is in a channel, each user once.
func (c *fakeChat) membersLocked(channel string) []frame {
	members := []frame{}
	for socket := range c.sockets {
		if !slices.Contains(socket.channels, channel) {
			continue
		}
		at := slices.IndexFunc(members, func(m frame) bool { return socket.user.User != "" && m["user"] == socket.user.User })
		if at < 0 {
			at = len(members)
			members = append(members, frame{"user": socket.user.User, "name": socket.user.Name, "connections": []string{}, "since": now()})
		}
		members[at]["connections"] = append(members[at]["connections"].([]string), socket.id)
	}
	slices.SortFunc(members, func(a, b frame) int {
		return cmp.Compare(fmt.Sprint(a["user"], a["connections"]), fmt.Sprint(b["user"], b["connections"]))
	})
	return members
}

// directChannel is the channel of the conversation of two users.
func directChannel(one, other string) string {
	return "direct:" + min(one, other) + ":" + max(one, other)
}

// sayDirect stores and sends a message of one user to another.
func (c *fakeChat) sayDirect(from fakeUser, sender, to, content string) frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	message := c.messageLocked(directChannel(from.User, to), sender, from.Name, content)
	for _, event := range []frame{message, c.logs[directChannel(from.User, to)][message["seq"].(int)-1]} {
		event["event"], event["user"], event["to"] = "direct_message", from.User, to
	}
	c.tellLocked(message, from.User, to)
	return message
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
	var user fakeUser
	_, token, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), "bearer.")
	if text, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(token)); c.identity != "" && (err != nil || json.Unmarshal(text, &user) != nil || c.banned[user.User]) {
		refuse = true
	}
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
	socket := &fakeSocket{chat: c, conn: conn, id: id, user: user}
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
		c.presenceLocked("subscriber_unsub", channel, socket, "disconnected")
	}
}

func (c *fakeChat) subscribe(socket *fakeSocket, channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(socket.channels, channel) {
		socket.channels = append(socket.channels, channel)
		c.presenceLocked("subscriber_sub", channel, socket, "")
	}
}

func (c *fakeChat) leaveLocked(socket *fakeSocket, channel, reason string) {
	socket.channels = slices.DeleteFunc(socket.channels, func(other string) bool { return other == channel })
	c.presenceLocked("subscriber_unsub", channel, socket, reason)
	event := c.presence("subscriber_unsub", channel, socket, reason)
	socket.write(event)
}

func (c *fakeChat) presenceLocked(event, channel string, socket *fakeSocket, reason string) {
	c.publishLocked(channel, c.presence(event, channel, socket, reason))
}

func (c *fakeChat) presence(event, channel string, socket *fakeSocket, reason string) frame {
	frame := frame{"event": event, "channelId": channel, "subscriberId": socket.id, "at": now(), "count": len(c.membersLocked(channel))}
	if reason != "" {
		frame["reason"] = reason
	}
	if socket.user.User != "" {
		frame["user"], frame["name"] = socket.user.User, socket.user.Name
	}
	return frame
}

func (c *fakeChat) answer(socket *fakeSocket, request frame) {
	channel, _ := request["channelId"].(string)
	content, _ := request["content"].(string)
	name, _ := request["name"].(string)
	peer, _ := request["user"].(string)
	if peer != "" && channel == "" {
		channel = directChannel(socket.user.User, peer)
	}
	if socket.user.User != "" {
		name = socket.user.Name
	}
	reply := frame{"id": request["id"], "channelId": channel}
	switch request["action"] {
	case "whoami":
		reply["event"], reply["connectionId"] = "you", socket.id
		c.set(func() {
			reply["channels"], reply["user"], reply["name"] = slices.Clone(socket.channels), socket.user.User, socket.user.Name
			reply["moderates"] = append([]string{}, c.moderates[socket.user.User]...)
			if socket.user.ExpiresAt != "" {
				reply["expiresAt"] = socket.user.ExpiresAt
			}
		})
	case "ping":
		reply["event"], reply["at"] = "pong", now()
	case "subscribeChannel":
		if channel == "" || strings.ContainsAny(channel, "!<>?") {
			reply["event"], reply["code"], reply["message"] = "error", "invalid_channel", "channelId has a character that no channel has"
			break
		}
		if strings.HasPrefix(channel, "private:") {
			reply["event"], reply["code"], reply["message"] = "error", "forbidden", "no grant"
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
			log := c.logs[channel]
			mine := int(seq) <= len(log) && (log[int(seq)-1]["senderId"] == socket.id || socket.user.User != "" && log[int(seq)-1]["user"] == socket.user.User)
			if !mine && !(event == "message_deleted" && len(c.moderates[socket.user.User]) > 0) {
				reply["event"], reply["code"], reply["message"] = "error", "not_author", "the message is another's: only its author may change it"
				return
			}
			change := c.reviseLocked(channel, event, int(seq), content)
			c.publishLocked(channel, change)
			if peer != "" {
				c.tellLocked(change, socket.user.User, peer)
			}
			reply["event"], reply["messageId"], reply["seq"], reply["at"] = "ack", change["messageId"], change["seq"], change["at"]
		})
	case "unsubscribeChannel":
		c.set(func() {
			c.leaveLocked(socket, channel, "left")
		})
		reply["event"] = "unsubscribed"
	case "sendMessage":
		if strings.TrimSpace(content) == "" {
			reply["event"], reply["code"], reply["message"] = "error", "content_empty", "content has no text in it"
			break
		}
		c.mu.Lock()
		mute := c.mute || c.deaf
		// The ids of a user's messages are known whatever connection they come from.
		key := fmt.Sprint(socket.user.User, " ", request["id"])
		message := c.sent[key]
		if socket.user.User == "" {
			message = nil
		}
		if message == nil && (!mute || c.deaf) {
			message = c.messageLocked(channel, socket.id, name, content)
			if socket.user.User != "" {
				message["user"], c.logs[channel][message["seq"].(int)-1]["user"] = socket.user.User, socket.user.User
			}
			c.sent[key] = message
		}
		if !mute {
			c.publishLocked(channel, message) // it may well come before the ack
			reply["event"], reply["messageId"], reply["seq"], reply["at"] = "ack", message["messageId"], message["seq"], message["at"]
		}
		c.mu.Unlock()
		if mute {
			return
		}
	case "sendDirect":
		message := c.sayDirect(socket.user, socket.id, peer, content)
		reply["event"], reply["messageId"], reply["seq"], reply["at"] = "ack", message["messageId"], message["seq"], message["at"]
	case "listDirects":
		directs := []frame{}
		c.set(func() {
			for name, log := range c.logs {
				for _, other := range strings.Split(strings.TrimPrefix(name, "direct:"), ":") {
					if other != socket.user.User && name == directChannel(socket.user.User, other) {
						directs = append(directs, frame{"user": other, "channelId": name, "seq": len(log), "at": log[len(log)-1]["at"]})
					}
				}
			}
		})
		reply["event"], reply["directs"], reply["cursor"] = "directs", directs, ""
	case "listMembers":
		c.set(func() {
			members := c.membersLocked(channel)
			from, _ := strconv.Atoi(fmt.Sprint(request["cursor"]))
			to := min(len(members), from+cmp.Or(c.pageSize, 100))
			reply["event"], reply["count"], reply["members"], reply["cursor"] = "members", len(members), members[from:to], ""
			if to < len(members) {
				reply["cursor"] = strconv.Itoa(to)
			}
		})
	case "typing":
		c.set(func() {
			event := frame{"event": "typing", "channelId": channel, "name": name, "senderId": socket.id, "user": socket.user.User, "at": now()}
			for other := range c.sockets {
				if other != socket && slices.Contains(other.channels, channel) {
					other.write(event)
				}
			}
		})
		reply["event"], reply["at"] = "ack", now()
	case "setSlowMode":
		c.publish(channel, frame{"event": "slow_mode", "seconds": request["seconds"], "at": now()})
		reply["event"], reply["at"] = "ack", now()
	case "kickUser", "banUser", "unbanUser", "muteUser", "unmuteUser":
		reply["event"], reply["at"] = "ack", now()
		c.set(func() {
			if len(c.moderates[socket.user.User]) == 0 {
				reply["event"], reply["code"], reply["message"] = "error", "not_moderator", "you do not moderate this channel"
				return
			}
			told := map[any]string{"kickUser": "kicked", "banUser": "banned", "unbanUser": "unbanned", "muteUser": "muted", "unmuteUser": "unmuted"}[request["action"]]
			event := frame{"event": told, "at": now()}
			if request["channelId"] != nil {
				event["channelId"] = channel
			}
			if reason := request["reason"]; reason != nil {
				event["reason"] = reason
			}
			if seconds, ok := request["seconds"].(float64); ok {
				event["until"] = time.Now().Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339)
			}
			c.tellLocked(event, peer)
			if told != "kicked" && told != "banned" {
				return
			}
			if request["channelId"] == nil {
				c.banned[peer] = told == "banned"
				for other := range c.sockets {
					if other.user.User == peer {
						_ = other.conn.CloseNow()
					}
				}
				return
			}
			c.removeLocked(peer, channel, told)
		})
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
