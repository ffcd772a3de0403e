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
// The stage knows a message again by its id for 10 minutes, on the connection
// that it came from. So the client sends a message again and again while that
// connection lives. When the connection has ended it waits until the stage must
// be done with the frame (Options.Settle), and looks the message up before it
// sends it on the next connection. Each channel has one message under way at a
// time, so what one client sends to a channel keeps its order, and a message that
// is found can only be the one that is missed.
package client
