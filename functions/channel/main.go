// Command channel is the function of the routes subscribeChannel,
// unsubscribeChannel, getHistory, listMembers and listDirects.
package main

import (
	"example.com/chatstack/internal/function"
	"example.com/chatstack/internal/handler"
)

func main() { function.Start(newHandler) }

func newHandler(f *function.Function) any {
	service := f.Chat(f.Table())
	service.Limits = f.Limits()
	return handler.WebSocket{Chat: service, Log: f.Log}.Handle
}
