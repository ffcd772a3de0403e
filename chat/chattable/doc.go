// Package chattable keeps the chat's data in DynamoDB: it is the [chat.Store],
// and it turns the records of the table's stream into the changes that
// [chat.Service.Apply] takes.
//
// The table is also how other services drive the chat. A service in Go uses a
// [Table] for it: what it puts and deletes there reaches the clients through
// the stream, as if the chat had done it. For other languages, docs/table.md
// has the exact items.
package chattable
