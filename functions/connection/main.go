// Command connection is the function of the routes $connect, $disconnect,
// whoami and ping.
package main

import (
	"example.com/chatstack/internal/function"
	"example.com/chatstack/internal/handler"
)

func main() { function.Start(newHandler) }

func newHandler(f *function.Function) any {
	service := f.Chat(f.Table())
	service.Limits = f.Limits()
	service.DefaultChannels = f.Channels("DEFAULT_CHANNELS")
	return handler.WebSocket{Chat: service, Log: f.Log, AllowedOrigins: f.Strings("ALLOWED_ORIGINS")}.Handle
}
