// This program deploys a chat without users, and the schedule that ends
// connections when their tokens expire: a test writes into the table when that
// is.
package main

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/components"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		stack, err := components.NewChatStack(ctx, "chat", &components.ChatStackArgs{Platform: components.NativePlatform})
		if err != nil {
			return err
		}
		expiry, err := components.NewGoFunction(ctx, "expiry", &components.GoFunctionArgs{
			Package: "example.com/chatstack/functions/expiry", Platform: components.NativePlatform, Timeout: 90 * time.Second,
			Environment: pulumi.StringMap{
				"TABLE_NAME": stack.TableName, "MANAGEMENT_ENDPOINT": stack.ManagementEndpoint, "IDENTITY": pulumi.String("anonymous"),
			},
			Statements: append(stack.Table.GrantReadWrite(),
				stack.API.GrantManageConnections(components.PostConnection, components.DeleteConnection)),
		})
		if err != nil {
			return err
		}
		if _, err := components.NewSchedule(ctx, "expiry", &components.ScheduleArgs{Function: expiry}); err != nil {
			return err
		}
		ctx.Export("endpoint", stack.Endpoint)
		ctx.Export("tableName", stack.TableName)
		return nil
	})
}
