// This program deploys one stage of the chat: its configuration, which
// Pulumi.yaml describes, becomes a components.ChatStack, and what that has to
// tell becomes the stack's outputs.
package main

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"example.com/chatstack/components"
)

func main() { pulumi.Run(deploy) }

// deploy declares the stage.
func deploy(ctx *pulumi.Context) error {
	cfg := config.New(ctx, "chatstack")
	// Checked as integers, for a time.Duration of many days or seconds overflows.
	for setting, most := range map[string]int{"messageRetentionDays": 3650, "functionTimeout": 29, "broadcastTimeout": 900} {
		if n := cfg.GetInt(setting); n < -1 || n > most {
			return fmt.Errorf("chatstack:%s is %d: allowed is 1 to %d, 0 for the default, or -1 where it means for ever", setting, n, most)
		}
	}
	args := &components.ChatStackArgs{
		RouteSelectionExpression: cfg.Get("routeSelectionExpression"),
		StageName:                cfg.Get("stageName"),
		MessageRetention:         24 * time.Hour * time.Duration(cfg.GetInt("messageRetentionDays")),
		FunctionMemory:           cfg.GetInt("functionMemory"),
		FunctionTimeout:          time.Second * time.Duration(cfg.GetInt("functionTimeout")),
		BroadcastMemory:          cfg.GetInt("broadcastMemory"),
		BroadcastTimeout:         time.Second * time.Duration(cfg.GetInt("broadcastTimeout")),
		LogRetentionDays:         cfg.GetInt("logRetentionDays"),
		Platform:                 components.Platform(cfg.Get("platform")),
		DeletionProtection:       cfg.GetBool("deletionProtection"),
		AWSOwnedKey:              cfg.GetBool("awsOwnedKey"),
	}
	if err := cfg.GetObject("defaultChannels", &args.DefaultChannels); err != nil {
		return err
	}
	if err := cfg.GetObject("tags", &args.Tags); err != nil {
		return err
	}
	stack, err := components.NewChatStack(ctx, "chat", args)
	if err != nil {
		return err
	}
	ctx.Export("endpoint", stack.Endpoint)
	ctx.Export("managementEndpoint", stack.ManagementEndpoint)
	ctx.Export("tableName", stack.TableName)
	ctx.Export("tableArn", stack.TableARN)
	ctx.Export("streamArn", stack.StreamARN)
	ctx.Export("apiId", stack.APIID)
	ctx.Export("stage", stack.StageName)
	return nil
}
