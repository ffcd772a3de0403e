package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"example.com/chatstack/local/tokens"
)

// issuerVar tells the program where the issuer of tokens on this machine is.
const issuerVar = "CHATSTACK_LOCAL_ISSUER"

// tokenCommand prints a token.
type tokenCommand struct {
	User      string        `required:"" placeholder:"ID" help:"Who has it: the user's id."`
	Name      string        `help:"The name that others see. Default: the user's id."`
	Channel   []string      `placeholder:"GRANT" sep:"none" help:"A private channel that the user may be in, as private:team-*, private:news=read or private:inbox=write. Any number of them."`
	Moderates []string      `placeholder:"CHANNEL" sep:"none" help:"A channel that the user moderates, as support-*; * for all. Any number of them."`
	TTL       time.Duration `name:"ttl" default:"1h" help:"How long it is good for. Default: 1h."`
}

// Help is shown by --help.
func (*tokenCommand) Help() string {
	return `Prints a token for a stage whose identity is jwt without an issuer: the local
cloud is the issuer then. Offer it as the subprotocol bearer.TOKEN, beside
chatstack.v1. Nothing keeps it; whoever has it is the user until it expires.

    chatstack token --user ada --name Ada
    chatstack token --user ada --channel 'private:*' --moderates '*' --ttl 8h
    npx wscat -s chatstack.v1 -s "bearer.$(chatstack token --user ada)" -c ENDPOINT`
}

func (c *tokenCommand) Run(ctx context.Context, p *project) error {
	cloud, err := p.mustRun(ctx)
	if err != nil {
		return err
	}
	token, err := cloud.Sign(ctx, tokens.Request{User: c.User, Name: c.Name, Channels: c.Channel, Moderates: c.Moderates, TTL: c.TTL.String()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, token.Token)
	return err
}
