// Command moderation is the function of the routes kickUser, banUser, unbanUser,
// muteUser, unmuteUser and setSlowMode.
package main

import (
	"example.com/chatstack/internal/function"
	"example.com/chatstack/internal/handler"
)

func main() { function.Start(newHandler) }

func newHandler(f *function.Function) any {
	return handler.WebSocket{Chat: f.Chat(f.Table()), Log: f.Log}.Handle
}
