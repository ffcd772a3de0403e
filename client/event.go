package client

import (
	"errors"
	"time"
)

// An Event is what happens: one of the types below.
type Event interface{ event() }

// A Message is a message of a channel.
type Message struct {
	ChannelID string
	// ID is unique everywhere; Seq counts 1, 2, 3 … in the channel.
	ID  string
	Seq int64
	// Name and Content are HTML that is safe inside an element.
	Name, Content string
	// SenderID is the sender's connection; empty for a back-end service.
	SenderID string
	// User is the author, empty where there is no identity.
	User string
	At   time.Time
	// EditedAt is the time of its last change; zero if there is none.
	EditedAt time.Time
	// Deleted says that its content was deleted.
	Deleted bool
	// Truncated says that it was too long for a frame: it has only its number.
	Truncated bool
	// Late says that its number was given up before, with a Gap.
	Late bool
}

// A Revision is the change of a message, with a number of its own in the order
// of its channel. Of several the highest number counts.
type Revision struct {
	ChannelID string
	Seq       int64
	// TargetSeq and MessageID are the changed message's.
	TargetSeq int64
	MessageID string
	// Name and Content are what it says now, nothing if it was Deleted.
	Name, Content string
	SenderID      string
	// User is the author, empty where there is no identity.
	User          string
	At            time.Time
	Deleted, Late bool
}

// A Direct is a message between two users: User, who sent it, and To. Those of two
// users have a channel and an order of their own, and come to every connection of
// both. Its changes are Revisions with its ChannelID.
type Direct struct {
	ChannelID string
	ID        string
	Seq       int64
	User, To  string
	// Name and Content are HTML that is safe inside an element.
	Name, Content            string
	SenderID                 string
	At, EditedAt             time.Time
	Deleted, Truncated, Late bool
}

// A Joined reports that a connection is in a channel, and whose it is where there
// is identity.
type Joined struct {
	ChannelID, ConnectionID string
	User, Name              string
	// Count is how many members the channel has now.
	Count int
	At    time.Time
}

// A Left reports that a connection is no longer in a channel. If it is the
// client's own, by a back-end service, the client does not subscribe again.
type Left struct {
	ChannelID, ConnectionID string
	User, Name              string
	// Count is how many members the channel has now.
	Count int
	// Reason is left, disconnected, expired, kicked, banned or forbidden.
	Reason string
	At     time.Time
}

// A Typing reports that somebody writes: for some seconds, or until a message
// with its ConnectionID as SenderID.
type Typing struct {
	ChannelID, ConnectionID, User, Name string
	At                                  time.Time
}

// A Kicked reports that a moderator has put the user out of a channel, or has
// ended its connections if there is no ChannelID. It may come again.
type Kicked struct {
	ChannelID, Reason string
	At                time.Time
}

// A Banned reports that the user may not be in a channel until a time, zero for
// good. Without a ChannelID it is so everywhere, and the client ends: see
// Client.Err.
type Banned struct {
	ChannelID, Reason string
	Until, At         time.Time
}

// An Unbanned reports that a ban is lifted.
type Unbanned struct {
	ChannelID string
	At        time.Time
}

// A Muted reports that the user may not write in a channel, or anywhere, until a
// time, zero for good.
type Muted struct {
	ChannelID, Reason string
	Until, At         time.Time
}

// An Unmuted reports that a mute is lifted.
type Unmuted struct {
	ChannelID string
	At        time.Time
}

// A SlowMode reports how long users must wait between two messages in a channel,
// 0 for not at all.
type SlowMode struct {
	ChannelID string
	Every     time.Duration
	At        time.Time
}

// A TokenExpired reports that the connection is about to end because its token
// was not replaced in time. The client connects again with another.
type TokenExpired struct{ At time.Time }

// A Gap reports that the numbers From to To of a channel have been given up:
// no message of theirs is stored, as far as the stage could say.
type Gap struct {
	ChannelID string
	From, To  int64
}

// A Reset reports that a channel has begun anew. What the client had of it is of
// another, and its numbers start over.
type Reset struct{ ChannelID string }

// An Overflow reports that events were not read, so that joins, leaves and
// frames were dropped. Messages are not lost: they come later.
type Overflow struct{}

// A SubscriptionRefused reports that a channel could not be subscribed to again
// after a reconnect.
type SubscriptionRefused struct {
	ChannelID string
	Err       error // holds a *chat.Error
}

// A Foreign is a frame, or a line of one, that is no event of this protocol: API
// Gateway's own, or of a newer version.
type Foreign struct{ Frame []byte }

// A StateChange reports how the connection is. The events of a channel that the
// client has subscribed to come after Online.
type StateChange struct {
	State State
	// ConnectionID is the client's own while it is Online.
	ConnectionID string
	// User and Name are who the client is then, empty where there is no identity.
	User, Name string
	// Err says why it is Offline; nil for a planned reconnect.
	Err error
	// Retry is the pause before the next attempt to connect.
	Retry time.Duration
}

// A State is how the connection is.
type State string

// The states of a client.
const (
	Connecting State = "connecting"
	Online     State = "online"
	Offline    State = "offline"
)

func (Message) event()             {}
func (Revision) event()            {}
func (Direct) event()              {}
func (Joined) event()              {}
func (Left) event()                {}
func (Typing) event()              {}
func (Kicked) event()              {}
func (Banned) event()              {}
func (Unbanned) event()            {}
func (Muted) event()               {}
func (Unmuted) event()             {}
func (SlowMode) event()            {}
func (TokenExpired) event()        {}
func (Gap) event()                 {}
func (Reset) event()               {}
func (Overflow) event()            {}
func (SubscriptionRefused) event() {}
func (Foreign) event()             {}
func (StateChange) event()         {}

var (
	// ErrClosed reports that the client has been closed, or has ended: Client.Err
	// says why.
	ErrClosed = errors.New("the client is closed")
	// ErrNotSent reports that a message was never sent: it can be sent anew.
	ErrNotSent = errors.New("the message was not sent")
	// ErrNotKnown reports that nobody knows whether a message, or a change of
	// one, is stored: no answer came while it could be asked for.
	ErrNotKnown = errors.New("it is not known whether it is stored")
)
