// Package chat holds the rules of a chat: who is connected, who is in which
// channel, what a message may be, who receives it, and the JSON frames that
// clients and server exchange.
//
// A frame from a client comes in through [Service.Answer], which gives back the
// one frame that answers it. What clients see of joins, leaves and the messages
// of other services comes in through [Service.Apply], fed by the table's
// stream: a subscription is announced because it is in the table, whoever put
// it there.
//
//	client ─frame→ Service.Answer ─→ Store (sequence, message) ─→ Poster (every subscriber) ─→ ack
//	table  ─change→ Service.Apply ─→ Poster (every subscriber)
//
// Nothing of it runs by itself: what is due by the clock alone, the end of
// connections whose tokens expire, comes in through [Service.EndExpired].
//
// The package knows no AWS type and imports the standard library alone. Package
// chattable is its [Store] on DynamoDB; a [Poster] delivers frames.
package chat
