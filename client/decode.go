package client

import (
	"bytes"
	"encoding/json"
	"time"

	"example.com/chatstack/chat"
)

// A wire is any event or answer of the server, with the fields of all.
type wire struct {
	Event        string            `json:"event"`
	ID           string            `json:"id"`
	ChannelID    string            `json:"channelId"`
	Seq          int64             `json:"seq"`
	TargetSeq    int64             `json:"targetSeq"`
	MessageID    string            `json:"messageId"`
	Name         string            `json:"name"`
	Content      string            `json:"content"`
	SenderID     string            `json:"senderId"`
	At           time.Time         `json:"at"`
	EditedAt     time.Time         `json:"editedAt"`
	Deleted      bool              `json:"deleted"`
	Truncated    bool              `json:"truncated"`
	SubscriberID string            `json:"subscriberId"`
	Reason       string            `json:"reason"`
	Code         chat.Code         `json:"code"`
	Message      string            `json:"message"`
	RetryAfterMs int64             `json:"retryAfterMs"`
	ConnectionID string            `json:"connectionId"`
	User         string            `json:"user"`
	To           string            `json:"to"`
	Until        time.Time         `json:"until"`
	Seconds      int64             `json:"seconds"`
	ExpiresAt    time.Time         `json:"expiresAt"`
	Channels     []string          `json:"channels"`
	From         int64             `json:"from"`
	Missed       []json.RawMessage `json:"missed"`
	Messages     []json.RawMessage `json:"messages"`
	More         bool              `json:"more"`
	Members      []wireMember      `json:"members"`
	Count        int               `json:"count"`
	Directs      []wireDirect      `json:"directs"`
	Cursor       string            `json:"cursor"`

	raw   []byte
	items []wire // of Missed or Messages
}

type wireMember struct {
	User        string    `json:"user"`
	Name        string    `json:"name"`
	Connections []string  `json:"connections"`
	Since       time.Time `json:"since"`
}

type wireDirect struct {
	User      string    `json:"user"`
	ChannelID string    `json:"channelId"`
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
}

// decode reads a frame: one event, or several, a JSON object a line. What is no
// event has an empty Event.
func decode(frame []byte) []wire {
	if w, ok := decodeLine(frame); ok {
		return []wire{w}
	}
	var all []wire
	for line := range bytes.Lines(frame) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			w, _ := decodeLine(line)
			all = append(all, w)
		}
	}
	return all
}

// decodeLine reads one event, and reports whether it is a JSON object.
func decodeLine(line []byte) (wire, bool) {
	var w wire
	if err := json.Unmarshal(line, &w); err != nil {
		return wire{raw: line}, json.Valid(line)
	}
	w.raw = line
	for _, list := range [][]json.RawMessage{w.Missed, w.Messages} {
		for _, raw := range list {
			item, _ := decodeLine(raw)
			if item.ChannelID == "" { // one that had no room for it
				item.ChannelID = w.ChannelID
			}
			w.items = append(w.items, item)
		}
	}
	return w, true
}

// sequenced reports whether the event has a place in the order of its channel.
func (w wire) sequenced() bool { return w.ordered() && w.ChannelID != "" && w.Seq > 0 }

// ordered reports whether it should have one.
func (w wire) ordered() bool {
	switch w.Event {
	case "channel_message", "direct_message", "message_edited", "message_deleted":
		return true
	}
	return false
}

// answers reports whether the event answers a frame.
func (w wire) answers() bool {
	switch w.Event {
	case "ack", "subscribed", "unsubscribed", "history", "members", "directs", "you", "pong", "error":
		return true
	}
	return false
}

// public gives the event as it comes out of the client.
func (w wire) public(late bool) Event {
	if w.ordered() && !w.sequenced() {
		return Foreign{Frame: w.raw}
	}
	switch w.Event {
	case "channel_message":
		return Message{
			ChannelID: w.ChannelID, ID: w.MessageID, Seq: w.Seq, Name: w.Name, Content: w.Content, SenderID: w.SenderID,
			User: w.User, At: w.At, EditedAt: w.EditedAt, Deleted: w.Deleted, Truncated: w.Truncated, Late: late,
		}
	case "direct_message":
		return Direct{
			ChannelID: w.ChannelID, ID: w.MessageID, Seq: w.Seq, User: w.User, To: w.To, Name: w.Name, Content: w.Content, SenderID: w.SenderID,
			At: w.At, EditedAt: w.EditedAt, Deleted: w.Deleted, Truncated: w.Truncated, Late: late,
		}
	case "message_edited", "message_deleted":
		return Revision{
			ChannelID: w.ChannelID, Seq: w.Seq, TargetSeq: w.TargetSeq, MessageID: w.MessageID, Name: w.Name, Content: w.Content,
			SenderID: w.SenderID, User: w.User, At: w.At, Deleted: w.Event == "message_deleted", Late: late,
		}
	case "subscriber_sub":
		return Joined{ChannelID: w.ChannelID, ConnectionID: w.SubscriberID, User: w.User, Name: w.Name, Count: w.Count, At: w.At}
	case "subscriber_unsub":
		return Left{ChannelID: w.ChannelID, ConnectionID: w.SubscriberID, User: w.User, Name: w.Name, Count: w.Count, Reason: w.Reason, At: w.At}
	case "typing":
		return Typing{ChannelID: w.ChannelID, ConnectionID: w.SenderID, User: w.User, Name: w.Name, At: w.At}
	case "kicked":
		return Kicked{ChannelID: w.ChannelID, Reason: w.Reason, At: w.At}
	case "banned":
		return Banned{ChannelID: w.ChannelID, Until: w.Until, Reason: w.Reason, At: w.At}
	case "unbanned":
		return Unbanned{ChannelID: w.ChannelID, At: w.At}
	case "muted":
		return Muted{ChannelID: w.ChannelID, Until: w.Until, Reason: w.Reason, At: w.At}
	case "unmuted":
		return Unmuted{ChannelID: w.ChannelID, At: w.At}
	case "slow_mode":
		return SlowMode{ChannelID: w.ChannelID, Every: time.Duration(w.Seconds) * time.Second, At: w.At}
	case "token_expired":
		return TokenExpired{At: w.At}
	}
	return Foreign{Frame: w.raw}
}

// err gives the error that an answer is, nil if it is none.
func (w wire) err() error {
	if w.Event != "error" {
		return nil
	}
	return &chat.Error{Code: w.Code, Message: w.Message, RetryAfter: time.Duration(w.RetryAfterMs) * time.Millisecond}
}
