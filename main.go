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
	for setting, allowed := range map[string][2]int{"messageRetentionDays": {-1, 3650}, "functionTimeout": {0, 29}, "broadcastTimeout": {0, 900}} {
		if n := cfg.GetInt(setting); n < allowed[0] || n > allowed[1] {
			return fmt.Errorf("chatstack:%s is %d: allowed is %d to %d", setting, n, allowed[0], allowed[1])
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
	if err := cfg.GetObject("limits", &args.Limits); err != nil {
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
