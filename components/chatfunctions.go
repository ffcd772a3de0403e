package components

import (
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"runtime"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/gobuild"
)

// A chatFunction is one of the functions that come with the chat.
type chatFunction struct {
	name   string          // its folder under functions, and the last part of its resources' names
	routes map[string]bool // its route keys, and whether each is two-way
}

// chatFunctions are the functions that come with the chat, the one that
// imports most first. Only who knows its users has direct messages, moderators and
// tokens that expire.
func (a ChatStackArgs) chatFunctions() []chatFunction {
	all := []chatFunction{
		{name: "broadcast"}, // on the table's stream
		{name: "message", routes: map[string]bool{"sendMessage": true, "editMessage": true, "deleteMessage": true, "typing": true}},
		{name: "channel", routes: map[string]bool{"subscribeChannel": true, "unsubscribeChannel": true, "getHistory": true, "listMembers": true}},
		{name: "connection", routes: map[string]bool{
			ConnectRoute: false, DisconnectRoute: false, "whoami": true, "ping": true,
		}},
		{name: "fallback", routes: map[string]bool{DefaultRoute: true}},
	}
	if a.hasIdentity() {
		for _, f := range all {
			maps.Copy(f.routes, routesOfUsers[f.name])
		}
		moderation := chatFunction{name: "moderation", routes: map[string]bool{}}
		for _, action := range chat.ModerationActions() {
			moderation.routes[action] = true
		}
		all = append(all, moderation, chatFunction{name: "expiry"}) // on a schedule
	}
	return all
}

// routesOfUsers are the routes of these functions that only who knows its users
// has.
var routesOfUsers = map[string]map[string]bool{
	"message": {chat.ActionSendDirect: true},
	"channel": {chat.ActionListDirects: true},
}

// expiryTimeout is that of the function which ends connections when their tokens
// expire: it waits for those of the next minute.
const expiryTimeout = 90 * time.Second

// chatPackage is the import path of a function that comes with the chat, told
// from this package's own so that the module may have any name.
func chatPackage(function string) string {
	module := path.Dir(reflect.TypeFor[ChatStack]().PkgPath())
	return path.Join(module, "functions", function)
}

// chatFunctionArgs are the settings of one of the chat's functions: what it
// reads from its environment and what it may do.
func (s *ChatStack) chatFunctionArgs(name string, args ChatStackArgs) GoFunctionArgs {
	f := args.functionArgs(chatPackage(name))
	retention := pulumi.String(max(args.MessageRetention, 0).String()) // 0s means for ever
	limits := pulumi.String(args.limitsJSON())
	table := s.Table.grant("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Query")
	post := s.API.GrantManageConnections(PostConnection)
	switch name {
	case "connection":
		f.Environment = pulumi.StringMap{
			"TABLE_NAME":       s.TableName,
			"DEFAULT_CHANNELS": pulumi.String(args.channelsJSON()),
			"ALLOWED_ORIGINS":  pulumi.String(args.originsJSON()),
			"LIMITS":           limits,
		}
		f.Statements = []PolicyStatement{table, s.Table.grantIndexQuery()}
	case "message", "broadcast":
		f.Environment = pulumi.StringMap{
			"TABLE_NAME":          s.TableName,
			"MANAGEMENT_ENDPOINT": s.ManagementEndpoint,
			"MESSAGE_RETENTION":   retention,
			"LIMITS":              limits,
		}
		f.Statements = []PolicyStatement{table, s.Table.grantIndexQuery(), post}
	case "moderation":
		f.Environment = pulumi.StringMap{"TABLE_NAME": s.TableName}
		f.Statements = []PolicyStatement{s.Table.grant("BatchGetItem", "PutItem", "UpdateItem", "DeleteItem")}
	case "fallback":
		f.Environment = pulumi.StringMap{"FURTHER_ACTIONS": pulumi.String(args.furtherActionsJSON())}
	case "channel":
		f.Environment = pulumi.StringMap{"TABLE_NAME": s.TableName, "LIMITS": limits}
		f.Statements = []PolicyStatement{table, s.Table.grantIndexQuery()}
	case "expiry":
		f.Environment = pulumi.StringMap{"TABLE_NAME": s.TableName, "MANAGEMENT_ENDPOINT": s.ManagementEndpoint}
		f.Statements = []PolicyStatement{
			s.Table.grant("GetItem", "UpdateItem", "DeleteItem", "Query"), s.Table.grantIndexQuery(),
			s.API.GrantManageConnections(PostConnection, DeleteConnection),
		}
		f.Timeout = expiryTimeout
	}
	if name != "fallback" {
		f.Environment["IDENTITY"] = pulumi.String(args.Identity.mode())
	}
	if name == "broadcast" {
		f.Statements = append(f.Statements, s.API.GrantManageConnections(DeleteConnection)) // of who is banned
		f.Memory, f.Timeout = args.BroadcastMemory, args.BroadcastTimeout
	}
	return f.withDefaults()
}

// streamFilters let the records through that the broadcast function acts on:
// what comes and goes in a channel besides its messages, connections, whose end
// ends their subscriptions, and what is put upon users. They look at keys alone,
// since AWS's guides disagree on whether a filter may look at a record's eventName;
// the function looks at that itself.
func streamFilters() []string {
	return []string{
		`{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"CHANNEL|"}]},"sk":{"S":[{"prefix":"CONNECTION|"},{"prefix":"PUBLISH|"},{"prefix":"DELIVERY|"},{"prefix":"DELETE|"},"SETTINGS"]}}}}`,
		`{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"CONNECTION|"}]},"sk":{"S":["META"]}}}}`,
		`{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"BAN|"},{"prefix":"MUTE|"},{"prefix":"KICK|"},{"prefix":"GRANT|"}]}}}}`,
	}
}

// A build is a function to be built, by the name of its resources.
type build struct {
	name string
	args GoFunctionArgs
}

// buildAll builds several functions and returns their zips by name. The first
// is built alone: when nothing is cached, it compiles most of what the others
// import too, which they would each compile once more if they ran beside it.
// The others run as many at a time as there are processors: each is a go
// command, whose linker alone may take hundreds of megabytes.
func buildAll(ctx context.Context, builds []build) (map[string]gobuild.Artifact, error) {
	artifacts := make([]gobuild.Artifact, len(builds))
	run := func(ctx context.Context, i int) (err error) {
		artifacts[i], err = builds[i].args.build(ctx)
		if err != nil {
			return fmt.Errorf("function %q: %w", builds[i].name, err)
		}
		return nil
	}
	if err := run(ctx, 0); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := 1; i < len(builds); i++ {
		group.Go(func() error { return run(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	byName := map[string]gobuild.Artifact{}
	for i, b := range builds {
		byName[b.name] = artifacts[i]
	}
	return byName, nil
}
