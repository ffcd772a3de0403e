package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// A span is a time, also in days.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		d = time.Duration(n * float64(24*time.Hour))
	}
	if err != nil || d <= 0 {
		return errors.New("give a time as 30s, 10m, 2h or 7d")
	}
	*s = span(d)
	return nil
}

// until is the end of a span that begins now, zero of none.
func (s span) until(table *chattable.Table) time.Time {
	if s == 0 {
		return time.Time{}
	}
	now := time.Now()
	if table.Now != nil {
		now = table.Now()
	}
	return now.Add(time.Duration(s)).Truncate(time.Second)
}

// userFlags name a user and where something holds for it.
type userFlags struct {
	stageFlag
	User    string `arg:"" help:"The user's id."`
	Channel string `placeholder:"CHANNEL" help:"Only there. Default: everywhere."`
}

// open checks what was typed, and returns the stage's table.
func (f userFlags) open(ctx context.Context, p *project) (*chattable.Table, error) {
	err := chat.CheckUser(f.User)
	if err == nil && f.Channel != "" {
		err = chat.CheckChannelID(f.Channel)
	}
	if err != nil {
		return nil, err
	}
	return f.stageFlag.open(ctx, p)
}

// where says where something holds.
func (f userFlags) where(preposition string) string {
	if f.Channel == "" {
		return "everywhere"
	}
	return preposition + " " + visible(f.Channel)
}

// say reports what was written.
func say(until time.Time, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if !until.IsZero() {
		text += " until " + until.Local().Format(time.DateTime)
	}
	_, err := fmt.Fprintln(os.Stdout, text+".")
	return err
}

// sanctionFlags are of a sanction that ends at once.
type sanctionFlags struct {
	userFlags
	Reason string `help:"Why; the user is told."`
}

func (f sanctionFlags) sanction(until time.Time) chat.Sanction {
	x := chat.Sanction{User: f.User, ChannelID: f.Channel, Until: until, Reason: f.Reason}
	if me, err := user.Current(); err == nil {
		x.By = "operator " + me.Username
	}
	return x
}

// longFlags are of a sanction that lasts.
type longFlags struct {
	sanctionFlags
	For span `placeholder:"TIME" help:"How long, as 10m, 2h or 7d. Default: for good."`
}

// kickCommand throws a user out, who may come back.
type kickCommand struct{ sanctionFlags }

func (c *kickCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err == nil {
		err = table.PutKick(ctx, c.sanction(time.Time{}))
	}
	if err != nil {
		return err
	}
	return say(time.Time{}, "%s is kicked %s, and may come back", visible(c.User), c.where("from"))
}

// banCommand throws a user out, who may not come back.
type banCommand struct{ longFlags }

func (c *banCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	x := c.sanction(c.For.until(table))
	if err := table.PutBan(ctx, x); err != nil {
		return err
	}
	return say(x.Until, "%s is banned %s", visible(c.User), c.where("from"))
}

// unbanCommand takes a ban back.
type unbanCommand struct{ userFlags }

func (c *unbanCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err == nil {
		err = table.DeleteBan(ctx, c.User, c.Channel)
	}
	if err != nil {
		return err
	}
	if err := say(time.Time{}, "%s has no ban %s", visible(c.User), c.where("from")); err != nil {
		return err
	}
	for x, err := range table.ListBans(ctx, c.User) {
		if err != nil {
			return err
		}
		where := userFlags{Channel: x.ChannelID}.where("from")
		if err := say(x.Until, "There is another one, %s", where); err != nil {
			return err
		}
	}
	return nil
}

// muteCommand keeps a user from writing.
type muteCommand struct{ longFlags }

func (c *muteCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	x := c.sanction(c.For.until(table))
	if err := table.PutMute(ctx, x); err != nil {
		return err
	}
	return say(x.Until, "%s is muted %s", visible(c.User), c.where("in"))
}

// unmuteCommand takes a mute back.
type unmuteCommand struct{ userFlags }

func (c *unmuteCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err == nil {
		err = table.DeleteMute(ctx, c.User, c.Channel)
	}
	if err != nil {
		return err
	}
	return say(time.Time{}, "%s has no mute %s", visible(c.User), c.where("in"))
}

// deleteCommand deletes a message.
type deleteCommand struct {
	stageFlag
	Channel string        `arg:"" help:"Channel of the message."`
	Seq     int64         `arg:"" help:"The message's number, as history shows it."`
	Wait    time.Duration `default:"30s" help:"How long to wait until it is deleted. Default: ${default}."`
}

func (c *deleteCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	if err := table.DeleteMessage(ctx, c.Channel, c.Seq); err != nil {
		return undone("delete it", err)
	}
	return say(time.Time{}, "Message %d of %s is deleted", c.Seq, visible(c.Channel))
}

// grantFlags name a user and the private channel that it may be in.
type grantFlags struct {
	stageFlag
	User    string `arg:"" help:"The user's id."`
	Channel string `arg:"" help:"A private channel, as private:team; * is all of them."`
}

// open checks what was typed, and returns the stage's table and the channel, which
// is "" for all.
func (f grantFlags) open(ctx context.Context, p *project) (table *chattable.Table, channelID string, err error) {
	err = chat.CheckUser(f.User)
	if channelID = f.Channel; channelID == "*" {
		channelID = ""
	} else if err == nil {
		err = chat.CheckChannelID(channelID)
	}
	if err != nil {
		return nil, "", err
	}
	table, err = f.stageFlag.open(ctx, p)
	return table, channelID, err
}

// grantCommand lets a user into a private channel.
type grantCommand struct {
	grantFlags
	Rights string `enum:"read,write,both" default:"both" help:"To read, write or both. Default: ${default}."`
	For    span   `placeholder:"TIME" help:"How long, as 10m, 2h or 7d. Default: for good."`
}

func (c *grantCommand) Run(ctx context.Context, p *project) error {
	table, channelID, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	rights := map[string]chat.Rights{"read": chat.MayRead, "write": chat.MayWrite, "both": chat.MayRead | chat.MayWrite}[c.Rights]
	until := c.For.until(table)
	if err := table.PutGrant(ctx, c.User, channelID, rights, until); err != nil {
		return err
	}
	return say(until, "%s may %s in %s", visible(c.User), strings.ReplaceAll(c.Rights, "both", "read and write"), visible(c.Channel))
}

// revokeCommand takes a grant back.
type revokeCommand struct{ grantFlags }

func (c *revokeCommand) Run(ctx context.Context, p *project) error {
	table, channelID, err := c.open(ctx, p)
	if err == nil {
		err = table.DeleteGrant(ctx, c.User, channelID)
	}
	if err != nil {
		return err
	}
	return say(time.Time{}, "%s has no grant for %s; what its token allows stays", visible(c.User), visible(c.Channel))
}

// slowModeCommand sets how fast a channel may be.
type slowModeCommand struct {
	stageFlag
	Channel string `arg:"" help:"Channel to slow down."`
	Every   string `arg:"" help:"Time between two messages of a user, as 30s, at most 24h; or off."`
}

func (c *slowModeCommand) Run(ctx context.Context, p *project) error {
	every, err := time.ParseDuration(c.Every)
	if c.Every == "off" {
		every, err = 0, nil
	}
	if err != nil || every < 0 || every > chat.MaxSlowMode || every%time.Second != 0 {
		return &exitError{code: exitUsage, text: "slow mode is a time in whole seconds of at most 24h, as 30s, or off"}
	}
	if err := chat.CheckChannelID(c.Channel); err != nil {
		return err
	}
	table, err := c.open(ctx, p)
	if err == nil {
		err = table.PutSlowMode(ctx, c.Channel, every)
	}
	if err != nil {
		return err
	}
	if every == 0 {
		return say(time.Time{}, "%s is not in slow mode", visible(c.Channel))
	}
	return say(time.Time{}, "%s is in slow mode, one message of a user in %v", visible(c.Channel), every)
}
