// Command expiry is the function of the schedule: it ends connections whose tokens
// have expired.
package main

import (
	"example.com/chatstack/internal/connections"
	"example.com/chatstack/internal/function"
)

func main() { function.Start(newHandler) }

func newHandler(f *function.Function) any {
	service := f.Chat(f.Table())
	service.Poster = connections.New(f.AWS, f.URL("MANAGEMENT_ENDPOINT"), connections.Options{})
	return service.EndExpired // whatever the event says
}
