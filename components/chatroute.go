package components

import (
	"errors"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A TableAccess is what a route's function may do with the chat's table.
type TableAccess int

const (
	// NoTable is the default: the function knows nothing of the table.
	NoTable TableAccess = iota
	// ReadTable allows what [ChatTable.GrantRead] does.
	ReadTable
	// ReadWriteTable allows what [ChatTable.GrantReadWrite] does.
	ReadWriteTable
)

// ChatRouteArgs are a route that a program adds to the chat, with a function of
// its own.
type ChatRouteArgs struct {
	// Key is what the frames of this route name as their action; none of the
	// chat's own.
	Key string
	// Function is what handles the frames. Its zero values are those of the
	// stack: memory, timeout, platform, log retention, tags, build directory.
	Function GoFunctionArgs
	// TableAccess also gives the function TABLE_NAME, unless it is NoTable,
	// which is the default.
	TableAccess TableAccess
	// Connections allows the function to send to the stage's connections and to
	// close them, and gives it MANAGEMENT_ENDPOINT.
	Connections bool
	// OneWay sends nothing back to the client. The default is to send what the
	// function returns as the body.
	OneWay bool
}

// completed are the settings of a function of the program's own, completed by the
// stack's.
func (a ChatStackArgs) completed(f GoFunctionArgs) GoFunctionArgs {
	stack := a.functionArgs(f.Package)
	if f.Memory == 0 {
		f.Memory = stack.Memory
	}
	if f.Timeout == 0 {
		f.Timeout = stack.Timeout
	}
	if f.Platform == "" {
		f.Platform = stack.Platform
	}
	if f.LogRetentionDays == 0 {
		f.LogRetentionDays = stack.LogRetentionDays
	}
	if f.Tags == nil {
		f.Tags = stack.Tags
	}
	if f.BuildDir == "" {
		f.BuildDir = stack.BuildDir
	}
	if f.builder == nil {
		f.builder = stack.builder
	}
	return f.withDefaults()
}

// validateRoutes reports the mistakes in the additional routes.
func (a ChatStackArgs) validateRoutes() error {
	taken := map[string]string{}
	for _, f := range a.chatFunctions() {
		for key := range f.routes {
			taken[key] = "the chat"
		}
	}
	mistakes := []error{validateRouteCount(len(a.Routes), maxRoutes-len(taken))}
	for i, route := range a.Routes {
		argument := fmt.Sprintf("Routes[%d]", i)
		if err := validateRouteKey(route.Key); err != nil {
			mistakes = append(mistakes, nested(argument, err))
		} else if by, ok := taken[route.Key]; ok {
			mistakes = append(mistakes, badArgument(argument+".Key", route.Key, "a key that "+by+" does not have already"))
		} else {
			taken[route.Key] = argument
		}
		if route.TableAccess < NoTable || route.TableAccess > ReadWriteTable {
			mistakes = append(mistakes, badArgument(argument+".TableAccess", int(route.TableAccess), "NoTable, ReadTable or ReadWriteTable"))
		}
		f := a.completed(route.Function)
		err := f.validate()
		if err == nil {
			err = validateTimeout("Timeout", f.Timeout, maxIntegrationTimeout)
		}
		mistakes = append(mistakes, nested(argument+".Function", err))
	}
	return errors.Join(mistakes...)
}

// grantRoute gives an additional route's function what its route asks for.
func (s *ChatStack) grantRoute(route ChatRouteArgs, f GoFunctionArgs) GoFunctionArgs {
	given := pulumi.StringMap{}
	var statements []PolicyStatement
	switch route.TableAccess {
	case ReadTable:
		statements = s.Table.GrantRead()
	case ReadWriteTable:
		statements = s.Table.GrantReadWrite()
	}
	if statements != nil {
		given["TABLE_NAME"] = s.TableName
	}
	if route.Connections {
		given["MANAGEMENT_ENDPOINT"] = s.ManagementEndpoint
		statements = append(statements, s.API.GrantManageConnections())
	}
	maps.Copy(given, f.Environment) // what the program sets itself wins
	f.Environment = given
	f.Statements = append(statements, f.Statements...)
	return f
}
