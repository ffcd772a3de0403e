// This program deploys a chat with an action of its own: polls. It is a module
// of its own, as a team's program is, and takes the chat from the module
// example.com/chatstack.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"example.com/chatstack/components"
)

func main() {
	pulumi.Run(deploy)
}

// deploy declares the chat and its route "vote": {"action":"vote"} goes to
// functions/vote, which may use the chat's table, and the client is sent what
// that returns.
func deploy(ctx *pulumi.Context) error {
	chat, err := components.NewChatStack(ctx, "chat", &components.ChatStackArgs{
		Platform: components.Platform(config.New(ctx, "poll").Get("platform")),
		Routes: []components.ChatRouteArgs{{
			Key:         "vote",
			Function:    components.GoFunctionArgs{Package: "./functions/vote"},
			TableAccess: components.ReadWriteTable,
		}},
	})
	if err != nil {
		return err
	}
	ctx.Export("endpoint", chat.Endpoint)
	ctx.Export("managementEndpoint", chat.ManagementEndpoint)
	ctx.Export("tableName", chat.TableName)
	ctx.Export("tableArn", chat.TableARN)
	ctx.Export("streamArn", chat.StreamARN)
	ctx.Export("apiId", chat.APIID)
	ctx.Export("stage", chat.StageName)
	ctx.Export("voteFunction", chat.RouteFunctions["vote"].Name)
	return nil
}
