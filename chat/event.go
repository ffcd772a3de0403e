package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// The events that the server sends. The names and fields of 2018 (event,
// channelId, name, content, subscriberId, message) never change; fields are
// only ever added.
type (
	messageEvent struct {
		Event     string `json:"event"` // channel_message, direct_message
		ChannelID string `json:"channelId"`
		Name      string `json:"name"`
		Content   string `json:"content"`
		MessageID string `json:"messageId"`
		Seq       int64  `json:"seq"`
		At        string `json:"at"`
		SenderID  string `json:"senderId,omitempty"`
		User      string `json:"user,omitempty"`
		To        string `json:"to,omitempty"`
		EditedAt  string `json:"editedAt,omitempty"`
		Deleted   bool   `json:"deleted,omitempty"`
		// Truncated says that the message is too long to be shown.
		Truncated bool `json:"truncated,omitempty"`
	}
	revisionEvent struct {
		Event     string `json:"event"` // message_edited, message_deleted
		ChannelID string `json:"channelId"`
		Seq       int64  `json:"seq"`
		TargetSeq int64  `json:"targetSeq"`
		MessageID string `json:"messageId"`
		Name      string `json:"name,omitempty"`
		Content   string `json:"content,omitempty"`
		At        string `json:"at"`
		SenderID  string `json:"senderId,omitempty"`
		User      string `json:"user,omitempty"`
		To        string `json:"to,omitempty"`
	}
	subscriberEvent struct {
		Event        string `json:"event"` // subscriber_sub, subscriber_unsub
		ChannelID    string `json:"channelId"`
		SubscriberID string `json:"subscriberId"`
		User         string `json:"user,omitempty"`
		Name         string `json:"name,omitempty"`
		Reason       Reason `json:"reason,omitempty"`
		// Count is how many members the channel has then.
		Count int    `json:"count"`
		At    string `json:"at"`
	}
	errorEvent struct {
		Event        string `json:"event"` // error
		ID           string `json:"id,omitempty"`
		Code         Code   `json:"code"`
		Message      string `json:"message"`
		RetryAfterMs int64  `json:"retryAfterMs,omitempty"`
	}
	ackEvent struct {
		Event     string `json:"event"` // ack
		ID        string `json:"id,omitempty"`
		ChannelID string `json:"channelId"`
		MessageID string `json:"messageId"`
		Seq       int64  `json:"seq"`
		At        string `json:"at"`
	}
	doneEvent struct {
		Event     string `json:"event"` // ack of what is not stored
		ID        string `json:"id,omitempty"`
		ChannelID string `json:"channelId,omitempty"`
		At        string `json:"at"`
	}
	sanctionEvent struct {
		Event     string `json:"event"` // banned, unbanned, muted, unmuted, kicked
		ChannelID string `json:"channelId,omitempty"`
		Until     string `json:"until,omitempty"`
		Reason    string `json:"reason,omitempty"`
		At        string `json:"at"`
	}
	slowModeEvent struct {
		Event     string `json:"event"` // slow_mode
		ChannelID string `json:"channelId"`
		Seconds   int64  `json:"seconds"`
		At        string `json:"at"`
	}
	typingEvent struct {
		Event     string `json:"event"` // typing
		ChannelID string `json:"channelId"`
		Name      string `json:"name,omitempty"`
		SenderID  string `json:"senderId"`
		User      string `json:"user,omitempty"`
		At        string `json:"at"`
	}
	subscribedEvent struct {
		Event     string `json:"event"` // subscribed
		ID        string `json:"id,omitempty"`
		ChannelID string `json:"channelId"`
		Seq       int64  `json:"seq"`
		// From is the number with which what was missed begins, if it is not
		// the one after that which was asked for.
		From   int64             `json:"from,omitempty"`
		Missed []json.RawMessage `json:"missed"`
		More   bool              `json:"more"`
	}
	historyEvent struct {
		Event     string            `json:"event"` // history
		ID        string            `json:"id,omitempty"`
		ChannelID string            `json:"channelId"`
		Messages  []json.RawMessage `json:"messages"`
		More      bool              `json:"more"`
	}
	membersEvent struct {
		Event     string            `json:"event"` // members
		ID        string            `json:"id,omitempty"`
		ChannelID string            `json:"channelId"`
		Members   []json.RawMessage `json:"members"`
		// Count is how many members there are altogether.
		Count int `json:"count"`
		// Cursor is where the next page begins, empty if there is none.
		Cursor string `json:"cursor"`
	}
	memberEvent struct {
		User        string   `json:"user"`
		Name        string   `json:"name"`
		Connections []string `json:"connections"`
		Since       string   `json:"since"`
	}
	directsEvent struct {
		Event   string            `json:"event"` // directs
		ID      string            `json:"id,omitempty"`
		Directs []json.RawMessage `json:"directs"`
		// Cursor is where the next page begins, empty if there is none.
		Cursor string `json:"cursor"`
	}
	directEvent struct {
		User      string `json:"user"`
		ChannelID string `json:"channelId"`
		Seq       int64  `json:"seq"`
		At        string `json:"at"`
	}
	unsubscribedEvent struct {
		Event     string `json:"event"` // unsubscribed
		ID        string `json:"id,omitempty"`
		ChannelID string `json:"channelId"`
	}
	youEvent struct {
		Event        string   `json:"event"` // you
		ID           string   `json:"id,omitempty"`
		ConnectionID string   `json:"connectionId"`
		User         string   `json:"user"`
		Name         string   `json:"name"`
		Moderates    []string `json:"moderates,omitempty"`
		ExpiresAt    string   `json:"expiresAt,omitempty"`
		Channels     []string `json:"channels"`
		More         bool     `json:"more"`
	}
	expiredEvent struct {
		Event string `json:"event"` // token_expired
		At    string `json:"at"`
	}
	pongEvent struct {
		Event string `json:"event"` // pong
		ID    string `json:"id,omitempty"`
		At    string `json:"at"`
	}
)

// A Reason says why a subscriber left a channel.
type Reason string

// The reasons of subscriber_unsub.
const (
	ReasonLeft         Reason = "left"         // the subscription was deleted, the connection is open
	ReasonDisconnected Reason = "disconnected" // the connection has ended
	ReasonExpired      Reason = "expired"      // the subscription outlived the longest connection
	ReasonKicked       Reason = "kicked"       // a moderator took the user out
	ReasonBanned       Reason = "banned"       // the user is banned
	ReasonForbidden    Reason = "forbidden"    // the user has lost the grant
)

var reasons = []Reason{ReasonLeft, ReasonDisconnected, ReasonExpired, ReasonKicked, ReasonBanned, ReasonForbidden}

// encode gives an event as a frame. Text stays as it is: JSON in a WebSocket
// frame needs no HTML escapes, and they would cost length.
func encode(event any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		panic("chat: event does not encode: " + err.Error()) // only strings, numbers and booleans in it
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// encodeMessage gives a message's event, or an [Error] with CodeFrameTooLarge.
func encodeMessage(m Message) ([]byte, error) {
	return checkLength(encode(eventOf(m)))
}

// checkLength gives the event of a message, or an [Error] if it is too long.
func checkLength(frame []byte) ([]byte, error) {
	if len(frame) > MaxMessage {
		return nil, fail(CodeFrameTooLarge,
			"content makes a frame of %d bytes once it is escaped, over the limit of %d: send less, or fewer characters such as \" ' & < >",
			len(frame), MaxMessage)
	}
	return frame, nil
}

// eventOf gives the event of a message.
func eventOf(m Message) messageEvent {
	event := messageEvent{
		Event: messageEventIn(m.ChannelID), ChannelID: m.ChannelID, Name: m.Name, Content: m.Content, MessageID: m.ID,
		Seq: m.Seq, At: formatTime(m.At), SenderID: m.SenderID, User: m.User, To: m.To, Deleted: m.isDeleted(),
	}
	if !m.EditedAt.IsZero() && !event.Deleted {
		event.EditedAt = formatTime(m.EditedAt)
	}
	return event
}

// messageEventIn names the event of a channel's messages.
func messageEventIn(channelID string) string {
	if isDirect(channelID) {
		return "direct_message"
	}
	return "channel_message"
}

// encodeError gives the error event for err. Only a client's own mistake is
// told in words.
func encodeError(id string, err error) []byte {
	event := errorEvent{Event: "error", ID: id, Code: CodeInternal, Message: "internal error"}
	if mistake, ok := errors.AsType[*Error](err); ok {
		event.Code, event.Message = mistake.Code, mistake.Message
		event.RetryAfterMs = mistake.RetryAfter.Milliseconds()
	}
	return encode(event)
}

// formatTime gives t as all events and items have it: RFC 3339 in UTC with
// milliseconds.
func formatTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
