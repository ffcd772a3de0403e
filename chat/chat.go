package chat

import "time"

// Limits of the protocol. Lengths in characters count Unicode code points.
const (
	// MaxFrame is the longest frame that the chat sends, in bytes: API
	// Gateway's limit of 32 KB on a frame (quota "WebSocket frame size").
	MaxFrame = 32 << 10

	// MaxMessage is the longest channel_message, in bytes: an answer that lists
	// it needs the rest of the frame for itself.
	MaxMessage = MaxFrame - 2<<10

	// MaxContent is the longest message content that a client may send, in
	// bytes of UTF-8, unless the stage has another limit. Markup and JSON escapes can lengthen it on its way out;
	// what then exceeds MaxMessage is refused as well.
	MaxContent = 16 << 10

	// MaxChannelID is the longest name of a channel, in characters.
	MaxChannelID = 128

	// MaxName is the longest name of a sender, in characters, once cleaned,
	// unless the stage has another limit.
	MaxName = 64

	// MaxSeq is the highest sequence number that a client may name, the highest
	// whole number that JavaScript can tell from its neighbours.
	MaxSeq = 1<<53 - 1

	// MaxFrameID is the longest id of a client's frame, in characters.
	MaxFrameID = 128
)

// Subprotocol is the WebSocket subprotocol by which a client says that it takes
// several events in one frame, one JSON object a line. The chat accepts it, and
// sends one event a frame to everyone in this version.
const Subprotocol = "chatstack.v1"

// Grace is how long a connection is young. A post to a young connection can
// fail as gone only because $connect has not finished, so it proves nothing.
const Grace = 10 * time.Second

// A Connection is one WebSocket connection.
type Connection struct {
	ID          string
	ConnectedAt time.Time
	// Identity is who it is of, the zero value if that is not known.
	Identity
}

// A Subscription puts a connection into a channel.
type Subscription struct {
	ChannelID    string
	ConnectionID string
	// User and Name are the connection's, empty if it is anonymous.
	User, Name string
	// Since is when the subscription was made.
	Since time.Time
	// Until is when it ends by itself, zero for as long as a connection can last.
	Until time.Time
}

// A Member is who is in a channel: a user with all connections that are in it,
// or an anonymous connection.
type Member struct {
	// User and Name are empty if the member is an anonymous connection.
	User, Name  string
	Connections []string
	// Since is when the first of the connections came.
	Since time.Time
}

// A Message is a stored message of a channel.
type Message struct {
	ChannelID string
	// Seq is the message's place in its channel: 1, 2, 3 …
	Seq int64
	// ID is unique among all messages of all channels.
	ID string
	At time.Time
	// SenderID is the connection that sent the message; empty for a message
	// that a service published.
	SenderID string
	// User is who sent it, empty if that is not known.
	User string
	// To is whom a direct message is for, empty for those of other channels.
	To   string
	Name string
	// Content is HTML that is safe to show: text, escaped, and the markup that
	// Service.Sanitize lets through. A deleted message has none.
	Content string
	// EditedAt and DeletedAt are when that happened last, zero if it did not.
	EditedAt, DeletedAt time.Time
	// EditSeq is the place of the message's last revision, 0 if it has none.
	EditSeq int64
	// Target is 0, or this is no message but a revision in its place in the
	// channel: of the message with that sequence number, whose ID it has and
	// which says itself what has become of it.
	Target int64
}
