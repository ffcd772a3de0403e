package chattable_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// A ban or a mute is in force until its end, and is replaced by another for the
// same place; each is in the rules.
func TestBansAndMutes(t *testing.T) {
	t.Parallel()
	type table = *chattable.Table
	for kind, of := range map[chat.SanctionKind]struct {
		put  func(table, context.Context, chat.Sanction) error
		del  func(table, context.Context, string, string) error
		list func(table, context.Context, string) iter.Seq2[chat.Sanction, error]
	}{
		chat.Banned: {table.PutBan, table.DeleteBan, table.ListBans},
		chat.Muted:  {table.PutMute, table.DeleteMute, table.ListMutes},
	} {
		t.Run(string(kind), func(t *testing.T) {
			table, ctx := newTable(t), t.Context()
			list := func() []chat.Sanction { return collect(t, of.list(table, ctx, "anna")) }
			ruling := func(channelID string) *chat.Sanction {
				t.Helper()
				rules, err := table.GetRules(ctx, "anna", channelID)
				if err != nil {
					t.Fatal(err)
				}
				if kind == chat.Muted {
					return rules.Mute
				}
				return rules.Ban
			}
			short := chat.Sanction{
				Kind: kind, User: "anna", ChannelID: "General", Until: start.Add(time.Minute), Reason: "spam", By: "maria",
				At: start.Add(250 * time.Millisecond),
			}
			good := chat.Sanction{Kind: kind, User: "anna", At: start} // At is the table's
			unkind := good
			unkind.Kind, unkind.At = "", time.Time{}
			for _, x := range []chat.Sanction{short, {User: "anna", ChannelID: "Lobby"}, unkind} {
				if err := of.put(table, ctx, x); err != nil {
					t.Fatal(err)
				}
			}
			if err := of.del(table, ctx, "anna", "Lobby"); err != nil {
				t.Fatal(err)
			}
			diff(t, "all", list(), []chat.Sanction{good, short})
			for _, want := range []*chat.Sanction{&good, &short} {
				x, err := table.GetSanction(ctx, kind, "anna", want.ChannelID)
				diff(t, "sanction", x, *want)
				if err != nil {
					t.Error(err)
				}
			}
			if x := ruling("General"); x == nil || x.ChannelID != "" {
				t.Errorf("in General: %+v, want the one for everywhere", x)
			}
			if err := of.del(table, ctx, "anna", ""); err != nil {
				t.Fatal(err)
			}
			if x := ruling("General"); x == nil || x.Reason != "spam" || x.Kind != kind {
				t.Errorf("in General: %+v", x)
			}
			if x := ruling("Lobby"); x != nil {
				t.Errorf("in Lobby: %+v", x)
			}
			table.Now = func() time.Time { return start.Add(time.Minute) }
			if x := ruling("General"); x != nil || len(list()) != 0 {
				t.Errorf("once it is over: %+v, %v", x, list())
			}
			if _, err := table.GetSanction(ctx, kind, "anna", "General"); !errors.Is(err, chat.ErrGone) {
				t.Errorf("once it is over: %v", err)
			}
		})
	}
}

func TestKicks(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	first := chat.Sanction{Kind: chat.Kicked, User: "anna", Reason: "calm down", By: "maria", At: start}
	if err := table.PutKick(ctx, first); err != nil {
		t.Fatal(err)
	}
	diff(t, "item", plain(get(t, table, "KICK|anna", "*")), map[string]string{
		"pk": "KICK|anna", "sk": "*", "reason": "calm down", "by": "maria", "at": "2026-03-01T12:00:00.000Z", "ttl": unix(start.Add(chattable.KickTTL)),
	})
	second := first
	second.At = start.Add(time.Millisecond)
	if err := table.PutKick(ctx, second); err != nil {
		t.Fatal(err)
	}
	for i, x := range []chat.Sanction{first, second} {
		if err := table.DeleteKick(ctx, x); err != nil {
			t.Fatal(err)
		}
		if left := get(t, table, "KICK|anna", "*") != nil; left != (i == 0) {
			t.Errorf("after the end of kick %d, one is there: %t", i, left)
		}
	}
	// One whose writer has a form of time of its own, or none that is understood.
	for at, read := range map[string]time.Time{"2026-03-01T13:00:00+01:00": start, "2026-03-01T12:00:00.000000Z": start, "noon": {}} {
		put(t, table, "pk", "KICK|anna", "sk", "*", "at", at)
		for _, x := range []chat.Sanction{second, {User: "anna", At: read}} {
			if err := table.DeleteKick(ctx, x); err != nil {
				t.Fatal(err)
			}
			if left := get(t, table, "KICK|anna", "*") != nil; left != (x == second) {
				t.Errorf("the kick at %s after the end of that at %v: there is one: %t", at, x.At, left)
			}
		}
	}
	// One without a time: its own deletion and no other's.
	if err := table.PutKick(ctx, chat.Sanction{User: "anna", ChannelID: "General"}); err != nil {
		t.Fatal(err)
	}
	if at := plain(get(t, table, "KICK|anna", "CHANNEL|General"))["at"]; at != "" {
		t.Errorf("it is given the time %s", at)
	}
	timed, untimed := chat.Sanction{User: "anna", ChannelID: "General", At: start}, chat.Sanction{User: "anna", ChannelID: "General"}
	for i, x := range []chat.Sanction{timed, untimed} {
		if err := table.DeleteKick(ctx, x); err != nil {
			t.Fatal(err)
		}
		if left := get(t, table, "KICK|anna", "CHANNEL|General") != nil; left != (i == 0) {
			t.Errorf("after step %d, it is there: %t", i, left)
		}
	}
}

// Of two grants, what may be read may be read until the later of their ends.
func TestGrants(t *testing.T) {
	t.Parallel()
	const both = chat.MayRead | chat.MayWrite
	hour, day := start.Add(time.Hour), start.Add(24*time.Hour)
	type grant struct {
		rights chat.Rights
		until  time.Time
	}
	for name, tt := range map[string]struct {
		here, everywhere grant
		want             grant
	}{
		"none":                         {},
		"one":                          {here: grant{chat.MayRead, hour}, want: grant{chat.MayRead, hour}},
		"for everywhere":               {everywhere: grant{both, day}, want: grant{both, day}},
		"for good":                     {here: grant{both, time.Time{}}, want: grant{both, time.Time{}}},
		"the later end":                {here: grant{chat.MayRead, day}, everywhere: grant{chat.MayRead, hour}, want: grant{chat.MayRead, day}},
		"for good, and everywhere not": {here: grant{chat.MayRead, time.Time{}}, everywhere: grant{chat.MayRead, hour}, want: grant{chat.MayRead, time.Time{}}},
		"everywhere for good":          {here: grant{chat.MayRead, hour}, everywhere: grant{chat.MayRead, time.Time{}}, want: grant{chat.MayRead, time.Time{}}},
		"one is for writing alone":     {here: grant{chat.MayWrite, time.Time{}}, everywhere: grant{chat.MayRead, hour}, want: grant{both, hour}},
		"and the other way around":     {here: grant{chat.MayRead, hour}, everywhere: grant{chat.MayWrite, day}, want: grant{both, hour}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, ctx := newTable(t), t.Context()
			for channelID, g := range map[string]grant{"private:team": tt.here, "": tt.everywhere} {
				if g.rights == 0 {
					continue
				}
				if err := table.PutGrant(ctx, "anna", channelID, g.rights, g.until); err != nil {
					t.Fatal(err)
				}
			}
			rules, err := table.GetRules(ctx, "anna", "private:team")
			if err != nil || rules.Grant != tt.want.rights || !rules.GrantUntil.Equal(tt.want.until) {
				t.Errorf("%v until %v, %v, want %v", rules.Grant, rules.GrantUntil, err, tt.want)
			}
			for _, channelID := range []string{"private:team", ""} {
				if err := table.DeleteGrant(ctx, "anna", channelID); err != nil {
					t.Fatal(err)
				}
			}
			if rules, err := table.GetRules(ctx, "anna", "private:team"); err != nil || rules.Grant != 0 {
				t.Errorf("taken back: %v, %v", rules.Grant, err)
			}
		})
	}
	if err := newTable(t).PutGrant(t.Context(), "anna", "private:team", 0, day); err == nil || !strings.Contains(err.Error(), "reading, writing or both") {
		t.Errorf("a grant for nothing: %v", err)
	}
}

func TestSlowModeIsKept(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	for _, every := range []time.Duration{0, 30 * time.Second, 0, 48 * time.Hour} {
		if err := table.PutSlowMode(ctx, "General", every); err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{"", "anna"} {
			if rules, err := table.GetRules(ctx, user, "General"); err != nil || rules.SlowMode != min(every, chat.MaxSlowMode) {
				t.Errorf("slow mode %v, %v, want %v", rules.SlowMode, err, every)
			}
		}
	}
}

func TestASubscriptionIsGivenAnotherEnd(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	s := chat.Subscription{ChannelID: "private:team", ConnectionID: "a=", User: "anna", Name: "Anna", Since: start, Until: start.Add(time.Hour)}
	if err := table.PutSubscription(ctx, s); err != nil {
		t.Fatal(err)
	}
	got, err := table.GetSubscription(ctx, s.ChannelID, s.ConnectionID)
	got.Until = s.Until
	diff(t, "subscription", got, s)
	for _, until := range []time.Time{start.Add(time.Minute), {}} {
		if s.Until = until; until.IsZero() {
			until = start.Add(chattable.ConnectionTTL)
		}
		if err := errors.Join(err, table.PutSubscriptionEnd(ctx, s)); err != nil {
			t.Fatal(err)
		}
		diff(t, "ttl", plain(get(t, table, "CHANNEL|private:team", "CONNECTION|a="))["ttl"], unix(until))
	}
	table.Now = func() time.Time { return start.Add(chattable.ConnectionTTL) }
	if _, err := table.GetSubscription(ctx, s.ChannelID, s.ConnectionID); !errors.Is(err, chat.ErrGone) {
		t.Errorf("one that is over: %v", err)
	}
	s.ConnectionID = "b="
	if err := table.PutSubscriptionEnd(ctx, s); err != nil || get(t, table, "CHANNEL|private:team", "CONNECTION|b=") != nil {
		t.Errorf("one that never was: %v", err)
	}
}
