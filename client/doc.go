// Package client is a chat client for any stage, in AWS or local: for bots,
// tools and tests.
//
// [Dial] connects and gives a [Client] that stays connected until it is closed:
// it reconnects with a random pause, resumes its channels where it was cut off,
// and sends again what was not answered. What happens comes out of
// [Client.Events], the messages of each channel in the order of their sequence
// numbers, each once.
//
//	Send ─→ outbox of the channel ─frame→ Conn ─→ the stage
//	Events ←─ order, duplicates, gaps ←─ decode ←─frame─ Conn
//
// The protocol is docs/protocol.md. The package knows no AWS type and not where
// the stage runs; a [Conn] carries its frames, and is a WebSocket connection
// unless Options.Dial says otherwise.
//
// # What it promises
//
// A message that [Client.Send] acknowledges is stored. A message of a channel
// that the client is subscribed to comes out of Events, once and in order, or a
// [Gap] tells that its number has been given up; should it come later after all,
// it is marked Late.
//
// The stage knows a message again by its id for 10 minutes, from the same sender:
// from the same user where it has identity, else from the same connection. So the
// client sends a message again and again, a user's also on the next connection.
// One who is nobody waits, when the connection has ended, until the stage must be
// done with the frame (Options.Settle), and looks the message up before it sends it
// on the next connection. Each channel has one message under way at a time, so what
// one client sends to a channel keeps its order, and a message that is found can
// only be the one that is missed.
//
// # Users
//
// Where a stage has identity, Options.Token gives a token for each connection, and
// the client connects anew before it expires. A client whose user is banned
// everywhere ends: [Client.Err] says so. Messages between two users come out of
// Events as [Direct], in the order of the two, and what came during an absence is
// fetched for those whom the client has seen a message of; [Client.Conversations]
// tells of the others.
package client
