// This program deploys one stage of the chat: its configuration, which
// Pulumi.yaml describes, becomes a components.ChatStack, and what that has to
// tell becomes the stack's outputs.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
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
	if err := readObject("limits", cfg.Get("limits"), &args.Limits); err != nil {
		return err
	}
	if err := cfg.GetObject("tags", &args.Tags); err != nil {
		return err
	}
	if err := cfg.GetObject("allowedOrigins", &args.AllowedOrigins); err != nil {
		return err
	}
	identity := struct {
		*components.IdentityArgs
		Function string `json:"function"`
	}{IdentityArgs: &args.Identity}
	if err := readObject("identity", cfg.Get("identity"), &identity); err != nil {
		return err
	}
	args.Identity.Function.Package = identity.Function
	useLocalIssuer(&args.Identity)
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

// readObject reads a setting that is an object, and refuses keys that mean
// nothing: a misspelled limit would not limit.
func readObject(setting, text string, into any) error {
	if text == "" {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		return nil
	}
	if key, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf("chatstack:%s has the key %s: there is none of this name, and Pulumi.yaml lists those that there are", setting, key)
	}
	return fmt.Errorf("chatstack:%s is not understood: %w", setting, err)
}

// useLocalIssuer has a stage of the chatstack command, which says so by
// CHATSTACK_LOCAL_ISSUER, take the tokens of this machine if it names no issuer.
func useLocalIssuer(identity *components.IdentityArgs) {
	if identity.Mode != components.JWT || identity.Issuer != "" {
		return
	}
	if identity.Issuer = os.Getenv("CHATSTACK_LOCAL_ISSUER"); identity.Issuer != "" && identity.Audience == nil {
		identity.Audience = []string{"chatstack"}
	}
}
