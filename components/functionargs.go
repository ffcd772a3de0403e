package components

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/chatstack/internal/gobuild"
)

// Defaults of a function's settings.
const (
	DefaultFunctionMemory   = 256              // MB
	DefaultFunctionTimeout  = 10 * time.Second // well under what API Gateway waits
	DefaultLogRetentionDays = 30
)

// KeepLogs keeps a function's log for ever, as LogRetentionDays.
const KeepLogs = -1

// Lambda's limits: "Lambda quotas" in the AWS Lambda Developer Guide.
const (
	minMemory  = 128
	maxMemory  = 10240
	maxTimeout = 15 * time.Minute
)

// GoFunctionArgs are the settings of a [GoFunction]. Package is required.
type GoFunctionArgs struct {
	// Package is the main package to run: a directory, absolute or relative to
	// the program ("./functions/vote"), or an import path of a package in a
	// module that the program requires. It is built at every preview inside its
	// own module, with that module's go.mod and no go.work around it.
	Package string
	// Environment is what the function reads with os.Getenv. Lambda allows 4 KB
	// in all, and refuses the names that it sets itself.
	Environment pulumi.StringMap
	// Statements are what the function may do, besides writing to its own log.
	Statements []PolicyStatement
	// Memory in MB, which also decides the share of a CPU: 128 to 10240. 0 means
	// 256.
	Memory int
	// Timeout ends an invocation: 1 s to 15 min, in whole seconds; at most 29 s
	// behind a WebSocket API. 0 means 10 s.
	Timeout time.Duration
	// Platform is what the program is built for. Empty means linux/arm64.
	Platform Platform
	// LogRetentionDays is how long the log is kept, one of the numbers that
	// CloudWatch Logs has (1, 3, 5, 7, 14, 30, 60, 90 … 3653). 0 means 30;
	// KeepLogs means for ever.
	LogRetentionDays int
	// Tags are put on the function, its role and its log group.
	Tags map[string]string
	// BuildDir keeps binaries and zips from one build to the next. Empty means
	// .chatstack/build in the program's directory.
	BuildDir string

	// builder builds the package instead of the go command, for tests.
	builder builder
}

// A builder makes the zip of a function's package.
type builder interface {
	Build(context.Context, gobuild.Target) (gobuild.Artifact, error)
}

// withDefaults returns the settings with every zero that has a default
// replaced by it.
func (a GoFunctionArgs) withDefaults() GoFunctionArgs {
	if a.Memory == 0 {
		a.Memory = DefaultFunctionMemory
	}
	if a.Timeout == 0 {
		a.Timeout = DefaultFunctionTimeout
	}
	if a.Platform == "" {
		a.Platform = LinuxARM64
	}
	if a.LogRetentionDays == 0 {
		a.LogRetentionDays = DefaultLogRetentionDays
	}
	if a.builder == nil {
		a.builder = &gobuild.Builder{CacheDir: a.BuildDir}
	}
	return a
}

// validate reports every setting outside its range, given those of
// withDefaults.
func (a GoFunctionArgs) validate() error {
	var mistakes []error
	if a.Package == "" {
		mistakes = append(mistakes, badArgument("Package", a.Package, "a directory (./functions/vote) or an import path of a main package"))
	}
	_, err := a.Platform.target()
	return errors.Join(append(mistakes,
		validateEnvironment(a.Environment),
		validateStatements(a.Statements),
		validateMemory("Memory", a.Memory),
		validateTimeout("Timeout", a.Timeout, maxTimeout),
		err,
		validateLogRetention("LogRetentionDays", a.LogRetentionDays),
		validateTags(a.Tags),
	)...)
}

func validateMemory(argument string, mb int) error {
	if mb < minMemory || mb > maxMemory {
		return badArgument(argument, mb, "128 to 10240 (MB)")
	}
	return nil
}

func validateTimeout(argument string, timeout, most time.Duration) error {
	if timeout < time.Second || timeout > most || timeout%time.Second != 0 {
		allowed := fmt.Sprintf("1s to %v, in whole seconds", most)
		if most == maxIntegrationTimeout {
			allowed += " (API Gateway waits no longer)"
		}
		return badArgument(argument, timeout, allowed)
	}
	return nil
}

// validateLogRetention knows the numbers of PutRetentionPolicy in the Amazon
// CloudWatch Logs API Reference.
func validateLogRetention(argument string, days int) error {
	allowed := []int{
		1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
	}
	if days == KeepLogs || slices.Contains(allowed, days) {
		return nil
	}
	return badArgument(argument, days, fmt.Sprintf("one of %v (days), or KeepLogs (-1)", allowed))
}

// build makes the function's zip.
func (a GoFunctionArgs) build(ctx context.Context) (gobuild.Artifact, error) {
	t, err := a.Platform.target()
	if err != nil {
		return gobuild.Artifact{}, err
	}
	artifact, err := a.builder.Build(ctx, gobuild.Target{Package: a.Package, GOOS: t.goos, GOARCH: t.goarch})
	var notMain *gobuild.NotMainError
	if errors.As(err, &notMain) {
		return gobuild.Artifact{}, badArgument("Package", a.Package,
			fmt.Sprintf("a main package, and this one is package %s", notMain.Name))
	}
	return artifact, err
}
