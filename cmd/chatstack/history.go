package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// historyCommand shows what was said.
type historyCommand struct {
	stageFlag
	Channel string `arg:"" help:"Channel to read."`
	Last    int    `short:"n" default:"50" help:"How many messages. Default: ${default}."`
	Before  int64  `placeholder:"SEQ" xor:"from" help:"The last ones before this number. Default: the last ones of all."`
	After   *int64 `placeholder:"SEQ" xor:"from" help:"The first ones after this number."`
	JSON    bool   `help:"As JSON, one message a line, for programs."`
}

func (c *historyCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	r := chat.HistoryRange{Before: c.Before, NewestFirst: c.After == nil, Limit: c.Last}
	if c.After != nil {
		r.After = *c.After
	}
	var messages []chat.Message
	for m, err := range table.ListHistory(ctx, c.Channel, r) {
		if err != nil {
			return err
		}
		if len(messages) == c.Last {
			break
		}
		if m.Target == 0 {
			messages = append(messages, m)
		}
	}
	if r.NewestFirst {
		slices.Reverse(messages)
	}
	for _, m := range messages {
		if err := writeMessage(os.Stdout, m, m, c.JSON); err != nil {
			return err
		}
	}
	if len(messages) == 0 && !c.JSON {
		fmt.Fprintf(os.Stdout, "%s has no messages there.\n", visible(c.Channel))
	}
	return nil
}

// tailCommand shows what is said, as it is said.
type tailCommand struct {
	stageFlag
	Channel string `arg:"" help:"Channel to follow."`
	After   *int64 `placeholder:"SEQ" help:"Begin after this number. Default: from now on."`
	JSON    bool   `help:"As JSON, one message, edit or deletion a line, for programs."`
}

func (c *tailCommand) Run(ctx context.Context, p *project) error {
	table, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	var after int64
	if c.After != nil {
		after = *c.After
	} else if after, err = table.LastSeq(ctx, c.Channel); err != nil {
		return err
	}
	return follow(ctx, os.Stdout, table, c.Channel, after, c.JSON)
}

// follow writes what happens in a channel until ctx ends.
func follow(ctx context.Context, out io.Writer, table *chattable.Table, channelID string, after int64, asJSON bool) error {
	for m, err := range table.Follow(ctx, channelID, after) {
		if err != nil {
			return fmt.Errorf("%w\nGo on with --after %d", err, after)
		}
		now := m
		if m.Target != 0 {
			now, err = table.GetMessage(ctx, channelID, m.Target)
			if errors.Is(err, chat.ErrGone) { // it has expired
				now, err = m, nil
				now.Seq, now.DeletedAt = m.Target, m.At
			}
			if err != nil {
				return err
			}
		}
		if err := writeMessage(out, m, now, asJSON); err != nil {
			return err
		}
		after = m.Seq
	}
	return nil
}

// A messageLine is a message as programs read it, or an edit or a deletion.
type messageLine struct {
	Seq       int64      `json:"seq"`
	TargetSeq int64      `json:"targetSeq,omitempty"`
	MessageID string     `json:"messageId"`
	At        time.Time  `json:"at"`
	User      string     `json:"user,omitempty"`
	Name      string     `json:"name"`
	Content   string     `json:"content"`
	SenderID  string     `json:"senderId,omitempty"`
	EditedAt  *time.Time `json:"editedAt,omitempty"`
	Deleted   bool       `json:"deleted,omitempty"`
}

// writeMessage writes what has a place in a channel: m, a message or its revision,
// of which now says what has become of the message.
func writeMessage(out io.Writer, m, now chat.Message, asJSON bool) error {
	deleted := !now.DeletedAt.IsZero()
	if asJSON {
		line := messageLine{
			Seq: m.Seq, TargetSeq: m.Target, MessageID: m.ID, At: m.At, User: now.User, Name: now.Name,
			Content: now.Content, SenderID: now.SenderID, Deleted: deleted,
		}
		if !now.EditedAt.IsZero() {
			line.EditedAt = &now.EditedAt
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	who := visible(now.Name)
	if now.User != "" && now.User != now.Name {
		who += " (" + visible(now.User) + ")"
	}
	what := who + ": " + plain(now.Content)
	switch {
	case deleted && m.Target == 0:
		what = who + " (deleted)"
	case deleted:
		what = fmt.Sprintf("%d was deleted", now.Seq)
	case m.Target != 0:
		what = fmt.Sprintf("%d was edited, %s", now.Seq, what)
	case !now.EditedAt.IsZero():
		what += " (edited)"
	}
	_, err := fmt.Fprintf(out, "%s  %5d  %s\n", m.At.Local().Format(time.DateTime), m.Seq, what)
	return err
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plain gives the text of a content, in which every "<" begins a tag, on one line.
func plain(content string) string {
	return visible(html.UnescapeString(tag.ReplaceAllString(content, "")))
}

// visible gives text without what could drive a terminal.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return '·'
	}, text)
}
