// This program deploys a WebSocket API that is no chat: every frame comes back
// to whoever sent it.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"example.com/chatstack/components"
)

func main() {
	pulumi.Run(deploy)
}

// deploy declares one function and an API that sends it every frame. There is
// no route $connect, so everyone may connect.
func deploy(ctx *pulumi.Context) error {
	echo, err := components.NewGoFunction(ctx, "echo", &components.GoFunctionArgs{
		Package:  "./functions/echo",
		Platform: components.Platform(config.New(ctx, "echo").Get("platform")),
	})
	if err != nil {
		return err
	}
	api, err := components.NewWebSocketAPI(ctx, "echo", &components.WebSocketAPIArgs{
		Routes: []components.RouteArgs{{Key: components.DefaultRoute, Function: echo, TwoWay: true}},
	})
	if err != nil {
		return err
	}
	ctx.Export("endpoint", api.Endpoint)
	ctx.Export("managementEndpoint", api.ManagementEndpoint)
	ctx.Export("apiId", api.APIID)
	ctx.Export("stage", api.StageName)
	return nil
}
