// Command message is the function of the routes sendMessage, sendDirect,
// editMessage, deleteMessage and typing.
package main

import (
	"example.com/chatstack/internal/connections"
	"example.com/chatstack/internal/function"
	"example.com/chatstack/internal/handler"
	"example.com/chatstack/internal/markup"
)

func main() { function.Start(newHandler) }

func newHandler(f *function.Function) any {
	table := f.Table()
	table.Retention = f.Duration("MESSAGE_RETENTION")
	service := f.Chat(table)
	service.Poster = connections.New(f.AWS, f.URL("MANAGEMENT_ENDPOINT"), connections.Options{})
	service.Sanitize = markup.NewSanitizer().Sanitize
	service.Limits = f.Limits()
	return handler.WebSocket{Chat: service, Log: f.Log}.Handle
}
