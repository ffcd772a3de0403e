// This program deploys an API whose function may do less than it has to, until
// its configuration says what more.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"example.com/chatstack/components"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		table, err := components.NewChatTable(ctx, "counts", nil)
		if err != nil {
			return err
		}
		may := []components.PolicyStatement{{Actions: []string{"dynamodb:GetItem"}, Resources: []pulumi.StringInput{table.ARN}}}
		if action := config.Get(ctx, "action"); action != "" {
			may = append(may, components.PolicyStatement{
				Actions: []string{action}, Resources: []pulumi.StringInput{pulumi.String(config.Require(ctx, "resource"))},
			})
		}
		count, err := components.NewGoFunction(ctx, "count", &components.GoFunctionArgs{
			Package: "./functions/count", Platform: components.NativePlatform, Statements: may,
			Environment: pulumi.StringMap{"TABLE_NAME": table.Name},
		})
		if err != nil {
			return err
		}
		api, err := components.NewWebSocketAPI(ctx, "count", &components.WebSocketAPIArgs{
			Routes: []components.RouteArgs{{Key: components.DefaultRoute, Function: count, TwoWay: true}},
		})
		if err != nil {
			return err
		}
		ctx.Export("endpoint", api.Endpoint)
		return nil
	})
}
