// Package handler stands between Lambda and the chat: it turns the events of
// API Gateway and of the table's stream into calls of [chat.Service], and their
// results into what Lambda wants back. It has no rule of the chat in it.
package handler
