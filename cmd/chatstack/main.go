// Command chatstack deploys a Pulumi program of chatstack's components to a
// local cloud on this machine, and looks after it.
//
//	chatstack up        deploy the stage "local", starting the local cloud if need be
//	chatstack dev       the same in the foreground: follow the logs, deploy again on every change
//	chatstack down      destroy the stage and stop everything
//	chatstack status    what runs
//	chatstack logs      what the functions print
//	chatstack clock     let time pass: idle and life limits, TTL, retries follow at once
//	chatstack fault     make bad days on purpose: 410, throttling, killed functions …
//	chatstack iam       what functions may do, and have never done
//	chatstack dlq       what event source mappings gave up
//	chatstack token     a token to connect with, where the stage asks for one
//	chatstack outputs   the stack's outputs
//	chatstack env       settings with which AWS clients reach the local cloud
//	chatstack pulumi    any Pulumi command against the stage
//
// Its other commands are for the operators of a chat, on this machine or on AWS:
// they speak, look and moderate there through the stage's table alone.
//
// It exits with 0 if all went well, 1 if something failed, 2 if it was called
// wrongly, 130 after Ctrl-C, 143 after SIGTERM and, for status, 3 if nothing runs.
// To deploy to AWS, use Pulumi itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitStopped = 3   // status: nothing runs
	exitSignal  = 128 // and the signal's number: 130 after Ctrl-C
)

// An exitError ends the command with a code of its own. Its text, if any, is
// printed.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// commandLine is what may be typed.
type commandLine struct {
	Program string `short:"p" placeholder:"DIR" default:"." help:"Folder of the Pulumi program: it or a folder above it has a Pulumi.yaml. Default: the current one."`
	Home    string `placeholder:"DIR" env:"CHATSTACK_HOME" help:"Folder that keeps state, data and logs. Default: .chatstack beside Pulumi.yaml."`

	Up      upCommand      `cmd:"" group:"stage" help:"Deploy the stage to this machine. Run it again to deploy changes."`
	Dev     devCommand     `cmd:"" group:"stage" help:"Deploy, follow the logs and deploy again on every change, until Ctrl-C."`
	Down    downCommand    `cmd:"" group:"stage" help:"Destroy the stage and stop every process."`
	Status  statusCommand  `cmd:"" group:"stage" help:"Show what runs. Exits with 3 if nothing does."`
	Logs    logsCommand    `cmd:"" group:"stage" help:"Show what the functions print."`
	Clock   clockCommand   `cmd:"" group:"stage" help:"Let time pass, as +10m or +2h, or show how much was."`
	Fault   faultCommand   `cmd:"" group:"stage" help:"Make bad days on purpose: list, add and clear rules."`
	IAM     iamCommand     `cmd:"" group:"stage" name:"iam" help:"Show what the functions' roles allow and what of it was never used."`
	DLQ     dlqCommand     `cmd:"" group:"stage" name:"dlq" help:"Show what event source mappings gave up."`
	Token   tokenCommand   `cmd:"" group:"stage" help:"Print a token to connect with, where the stage asks for one."`
	Outputs outputsCommand `cmd:"" group:"stage" help:"Show the stack's outputs."`
	Env     envCommand     `cmd:"" group:"stage" help:"Print export lines with which AWS clients reach the local cloud."`
	Pulumi  pulumiCommand  `cmd:"" group:"stage" passthrough:"partial" help:"Run any Pulumi command against the stage: chatstack pulumi -- ARGS."`

	Publish    publishCommand    `cmd:"" group:"chat" help:"Send a message to a channel, and wait until it is out."`
	Who        whoCommand        `cmd:"" group:"chat" help:"Show who is in a channel."`
	History    historyCommand    `cmd:"" group:"chat" help:"Show what was said in a channel."`
	Tail       tailCommand       `cmd:"" group:"chat" help:"Follow a channel, with edits and deletions, until Ctrl-C."`
	Delete     deleteCommand     `cmd:"" group:"chat" help:"Delete a message, and wait until it is deleted."`
	Kick       kickCommand       `cmd:"" group:"chat" help:"Throw a user out, who may come back."`
	Ban        banCommand        `cmd:"" group:"chat" help:"Throw a user out, and keep it out."`
	Unban      unbanCommand      `cmd:"" group:"chat" help:"Take a ban back."`
	Mute       muteCommand       `cmd:"" group:"chat" help:"Keep a user from writing."`
	Unmute     unmuteCommand     `cmd:"" group:"chat" help:"Take a mute back."`
	Grant      grantCommand      `cmd:"" group:"chat" help:"Let a user into a private channel."`
	Revoke     revokeCommand     `cmd:"" group:"chat" help:"Take a grant back."`
	SlowMode   slowModeCommand   `cmd:"" group:"chat" help:"Set the time between two messages of a user in a channel, or off."`
	EraseUser  eraseUserCommand  `cmd:"" group:"chat" help:"Remove all that is stored of a user, and report what was."`
	ExportUser exportUserCommand `cmd:"" group:"chat" help:"Write all that is stored of a user, as JSON lines."`

	Cloud cloudCommand `cmd:"" hidden:"" help:"Run the local cloud in the foreground; up starts it in the background."`
}

func main() {
	os.Exit(run(untilSignal(context.Background()), os.Args[1:]))
}

// A stopped is why the command ends early: a signal.
type stopped struct{ by syscall.Signal }

func (s stopped) Error() string { return "stopped by a signal: " + s.by.String() }

// untilSignal returns a context that ends with the first SIGINT or SIGTERM and
// has it for its cause.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if by, ok := (<-signals).(syscall.Signal); ok {
			cancel(stopped{by})
		}
	}()
	return ctx
}

func newParser(ctx context.Context, cl *commandLine) (*kong.Kong, error) {
	return kong.New(cl,
		kong.Name("chatstack"),
		kong.Description("Run a chatstack program on this machine: real Pulumi engine, real functions, no AWS account."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "stage", Title: "The stage on this machine:"},
			{Key: "chat", Title: "The chat of any stage, as its operator (--stack NAME; default: the one on this machine):"},
		}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
}

func run(ctx context.Context, args []string) int {
	var cl commandLine
	parser, err := newParser(ctx, &cl)
	if err != nil {
		panic(err) // the command line above is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "chatstack: %v\n`chatstack --help` lists the commands and their flags.\n", err)
		return exitUsage
	}
	project, err := openProject(cl.Program, cl.Home)
	if err == nil {
		err = parsed.Run(project)
	}
	var exit *exitError
	var signalled stopped
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(os.Stderr, "chatstack:", exit.text)
		}
		return exit.code
	case errors.As(context.Cause(ctx), &signalled):
		fmt.Fprintln(os.Stderr, "chatstack:", signalled)
		return exitSignal + int(signalled.by)
	default:
		fmt.Fprintln(os.Stderr, "chatstack:", explain(err))
		return exitFailure
	}
}
