// This program deploys two chats side by side, as one that imports the
// component may.
package main

import (
	"example.com/chatstack/components"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		for _, name := range []string{"blue", "green"} {
			stack, err := components.NewChatStack(ctx, name, &components.ChatStackArgs{
				DefaultChannels: []string{name},
				Platform:        components.NativePlatform,
			})
			if err != nil {
				return err
			}
			ctx.Export(name, stack.Endpoint)
		}
		return nil
	})
}
