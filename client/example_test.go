package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/client"
)

// A bot that answers in one channel.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	c, err := client.Dial(ctx, "wss://abc123.execute-api.eu-central-1.amazonaws.com/dev", &client.Options{Name: "bot"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Subscribe(ctx, "General"); err != nil {
		log.Fatal(err)
	}
	for event := range c.Events() {
		switch e := event.(type) {
		case client.Message:
			if e.Content == "!time" {
				_, err := c.Send(ctx, e.ChannelID, time.Now().Format(time.Kitchen))
				switch {
				case errors.Is(err, client.ErrNotKnown):
					log.Print("the answer may have been given or not: ", err)
				case chat.ErrorCode(err) == chat.CodeContentTooLong:
					log.Print("the answer was refused: ", err)
				}
			}
		case client.Gap:
			fmt.Println("given up in", e.ChannelID, e.From, "to", e.To)
		case client.StateChange:
			fmt.Println("now", e.State)
		}
	}
}

// One who keeps the number of the last message goes on from there after a restart.
func ExampleClient_SubscribeAfter() {
	ctx := context.Background()
	c, err := client.Dial(ctx, "wss://abc123.execute-api.eu-central-1.amazonaws.com/dev", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	last := int64(42) // as it was kept
	if err := c.SubscribeAfter(ctx, "General", last); err != nil {
		log.Fatal(err)
	}
	for event := range c.Events() {
		if m, ok := event.(client.Message); ok && !m.Late {
			last = m.Seq // keep it, after what the message asks for is done
		}
	}
}
