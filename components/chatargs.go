package components

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/internal/lambdaenv"
)

// Defaults of a chat stack's settings that differ from those of its parts.
const (
	DefaultMessageRetention = 30 * 24 * time.Hour
	DefaultBroadcastMemory  = 512 // MB
	DefaultBroadcastTimeout = time.Minute
)

// KeepMessages keeps messages for ever, as MessageRetention. So does every
// other negative duration.
const KeepMessages time.Duration = -1

const (
	minMessageRetention = time.Minute
	maxMessageRetention = 10 * 365 * 24 * time.Hour
)

// ChatStackArgs are the settings of a [ChatStack]. The zero value works.
type ChatStackArgs struct {
	// DefaultChannels are what every connection joins at once, each named by the
	// chat's own rule: 1 to 128 letters, digits, spaces or . _ : @ / # -, not
	// beginning with direct:. Nil means General; an empty slice means none. As JSON they must fit into a
	// function's environment, which has room for about 3500 bytes of them.
	DefaultChannels []string
	// RouteSelectionExpression tells a frame's route from its body. Empty means
	// $request.body.action, by which the chat's protocol goes.
	RouteSelectionExpression string
	// StageName is the last part of the endpoint: 1 to 128 letters, digits, -
	// and _, but not ping or sping. Empty means the name of the Pulumi stack, with
	// - for every other character.
	StageName string
	// Routes are further routes, at most 287, or 279 where the chat knows its
	// users, each with a function of its own.
	Routes []ChatRouteArgs
	// MessageRetention is how long messages are kept: 1 min to 3650 days, in
	// whole seconds. 0 means 30 days; KeepMessages means for ever. DynamoDB
	// deletes within a few days of expiry.
	MessageRetention time.Duration
	// Limits are what clients may do: how long contents and names may be, how
	// many channels a connection may be in, how fast one may send. The zero value
	// means the defaults.
	Limits chat.Limits
	// Identity says who may connect, and how the chat knows who that is. The zero
	// value lets everybody connect and knows nobody.
	Identity IdentityArgs
	// AllowedOrigins are the origins whose pages may connect, as
	// https://chat.example.com: scheme, host and port exactly, no wildcards. None
	// means any. A client that is no browser sends no origin, and is let in.
	AllowedOrigins []string
	// FunctionMemory is the memory in MB of the functions behind the API, which
	// also decides their share of a CPU: 128 to 10240. 0 means 256.
	FunctionMemory int
	// FunctionTimeout ends an invocation of a function behind the API: 1 s to
	// 29 s, in whole seconds. 0 means 10 s.
	FunctionTimeout time.Duration
	// BroadcastMemory is the memory in MB of the function that announces what
	// changes in the table: 128 to 10240. 0 means 512.
	BroadcastMemory int
	// BroadcastTimeout ends an invocation of that function: 1 s to 15 min, in
	// whole seconds. 0 means 1 min.
	BroadcastTimeout time.Duration
	// LogRetentionDays is how long the functions' logs are kept, one of the
	// numbers that CloudWatch Logs has (1, 3, 5, 7, 14, 30, 60, 90 … 3653).
	// 0 means 30; KeepLogs means for ever.
	LogRetentionDays int
	// Platform is what the functions are built for. Empty means linux/arm64.
	Platform Platform
	// DeletionProtection makes DynamoDB refuse to delete the table, also when
	// Pulumi asks. The default is false.
	DeletionProtection bool
	// AWSOwnedKey encrypts the table with a key that AWS owns instead of the
	// account's own; see ChatTableArgs.
	AWSOwnedKey bool
	// Tags are put on every resource that can have any.
	Tags map[string]string
	// BuildDir keeps binaries and zips from one build to the next. Empty means
	// .chatstack/build in the program's directory.
	BuildDir string

	// builder builds the functions instead of the go command, for tests.
	builder builder
}

// withDefaults returns the settings with every zero that has a default of the
// stack's own replaced by it. The other zeros are left to the parts.
func (a ChatStackArgs) withDefaults() ChatStackArgs {
	if a.DefaultChannels == nil {
		a.DefaultChannels = []string{"General"}
	}
	if a.MessageRetention == 0 {
		a.MessageRetention = DefaultMessageRetention
	}
	a.Limits = a.Limits.WithDefaults()
	if a.FunctionMemory == 0 {
		a.FunctionMemory = DefaultFunctionMemory
	}
	if a.FunctionTimeout == 0 {
		a.FunctionTimeout = DefaultFunctionTimeout
	}
	if a.BroadcastMemory == 0 {
		a.BroadcastMemory = DefaultBroadcastMemory
	}
	if a.BroadcastTimeout == 0 {
		a.BroadcastTimeout = DefaultBroadcastTimeout
	}
	if a.LogRetentionDays == 0 {
		a.LogRetentionDays = DefaultLogRetentionDays
	}
	return a
}

// validate reports every setting that the chat or AWS refuses, given those of
// withDefaults.
func (a ChatStackArgs) validate(stack string) error {
	api := a.apiArgs().withDefaults(stack)
	_, platform := a.Platform.target()
	return errors.Join(
		a.validateChannels(),
		validateSelection("RouteSelectionExpression", api.RouteSelectionExpression),
		validateStageName("StageName", api.StageName),
		a.validateRoutes(),
		a.validateMessageRetention(),
		a.validateLimits(),
		a.validateIdentity(),
		validateMemory("FunctionMemory", a.FunctionMemory),
		validateTimeout("FunctionTimeout", a.FunctionTimeout, maxIntegrationTimeout),
		validateMemory("BroadcastMemory", a.BroadcastMemory),
		validateTimeout("BroadcastTimeout", a.BroadcastTimeout, maxTimeout),
		validateLogRetention("LogRetentionDays", a.LogRetentionDays),
		platform,
		validateTags(a.Tags),
	)
}

func (a ChatStackArgs) validateChannels() error {
	var mistakes []error
	for i, channel := range a.DefaultChannels {
		argument := fmt.Sprintf("DefaultChannels[%d]", i)
		if err := chat.CheckChannelID(channel); err != nil {
			mistakes = append(mistakes, badArgument(argument, channel,
				"1 to 128 letters, digits, spaces or . _ : @ / # -, with no space at either end and no "+chat.DirectPrefix+" at the beginning"))
		}
		if slices.Contains(a.DefaultChannels[:i], channel) {
			mistakes = append(mistakes, badArgument(argument, channel, "each channel once"))
		}
	}
	// The table's name is not known yet: leave room for the longest.
	longest := map[string]string{
		"TABLE_NAME":       strings.Repeat("x", 255),
		"DEFAULT_CHANNELS": a.channelsJSON(),
		"ALLOWED_ORIGINS":  a.originsJSON(),
		"LIMITS":           a.limitsJSON(),
		"IDENTITY":         string(a.Identity.mode()),
	}
	if lambdaenv.Size(longest) > lambdaenv.MaxSize {
		mistakes = append(mistakes, badArgument("DefaultChannels", measure(fmt.Sprintf("%d bytes of JSON", len(a.channelsJSON()))),
			"what fits into a function's environment of 4096 bytes beside AllowedOrigins and the table's name"))
	}
	return errors.Join(mistakes...)
}

// channelsJSON is what the functions read as DEFAULT_CHANNELS.
func (a ChatStackArgs) channelsJSON() string {
	text, _ := json.Marshal(a.DefaultChannels) // a slice of strings cannot fail
	return string(text)
}

// hasIdentity reports whether the chat knows its users.
func (a ChatStackArgs) hasIdentity() bool { return a.Identity.mode() != Anonymous }

// mostFurtherActions bounds the routes that a client is told of.
const mostFurtherActions = 20

// furtherActionsJSON is what the fallback reads as FURTHER_ACTIONS, to name the
// actions that there are to a client that asks for none of them: those of
// users and moderators if there are any, and the first few routes, as far as they fit into
// its environment. It is a hint, so long keys are no
// mistake.
func (a ChatStackArgs) furtherActionsJSON() string {
	var actions, told []string
	if a.hasIdentity() {
		actions = append(chat.DirectActions(), chat.ModerationActions()...)
	}
	for _, route := range a.Routes[:min(len(a.Routes), mostFurtherActions)] {
		actions = append(actions, route.Key)
	}
	fits := "[]"
	for _, action := range actions {
		told = append(told, action)
		text, _ := json.Marshal(told) // a slice of strings cannot fail
		if lambdaenv.Size(map[string]string{"FURTHER_ACTIONS": string(text)}) > lambdaenv.MaxSize {
			break
		}
		fits = string(text)
	}
	return fits
}

func (a ChatStackArgs) validateMessageRetention() error {
	d := a.MessageRetention
	if d < 0 || d >= minMessageRetention && d <= maxMessageRetention && d%time.Second == 0 {
		return nil
	}
	return badArgument("MessageRetention", d, "1m0s to 87600h0m0s (3650 days), in whole seconds, or KeepMessages (-1)")
}

func (a ChatStackArgs) validateLimits() error {
	var mistakes []error
	for _, limit := range []struct {
		name        string
		value, most int
	}{
		{"MessageBurst", a.Limits.MessageBurst, chat.MostMessages},
		{"Content", a.Limits.Content, chat.MostContent},
		{"Name", a.Limits.Name, chat.MostName},
		{"ChannelID", a.Limits.ChannelID, chat.MaxChannelID},
		{"Subscriptions", a.Limits.Subscriptions, chat.MostSubscriptions},
	} {
		if limit.value < 1 || limit.value > limit.most {
			mistakes = append(mistakes, badArgument("Limits."+limit.name, limit.value, fmt.Sprintf("1 to %d", limit.most)))
		}
	}
	if n := a.Limits.MessagesPerSecond; n != chat.NoRateLimit && (n < 1 || n > chat.MostMessages) {
		mistakes = append(mistakes, badArgument("Limits.MessagesPerSecond", n,
			fmt.Sprintf("1 to %d, or chat.NoRateLimit (-1)", chat.MostMessages)))
	}
	return errors.Join(mistakes...)
}

// limitsJSON is what the functions read as LIMITS.
func (a ChatStackArgs) limitsJSON() string {
	text, _ := json.Marshal(a.Limits) // a struct of integers cannot fail
	return string(text)
}

// apiArgs are the settings of the stack's API, which has no routes until its
// functions are there.
func (a ChatStackArgs) apiArgs() WebSocketAPIArgs {
	return WebSocketAPIArgs{
		RouteSelectionExpression: a.RouteSelectionExpression,
		StageName:                a.StageName,
		Tags:                     a.Tags,
	}
}

// functionArgs are the settings of a function behind the API, of which
// anything may be changed.
func (a ChatStackArgs) functionArgs(pkg string) GoFunctionArgs {
	return GoFunctionArgs{
		Package:          pkg,
		Memory:           a.FunctionMemory,
		Timeout:          a.FunctionTimeout,
		Platform:         a.Platform,
		LogRetentionDays: a.LogRetentionDays,
		Tags:             a.Tags,
		BuildDir:         a.BuildDir,
		builder:          a.builder,
	}
}
