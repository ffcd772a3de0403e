package chat

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The stream may be late, and repeat what it has brought, in its order: when it
// has come to rest, those are in a channel whom nothing has put out since they
// came, the members are those, and nobody is in a channel that it may not read.
func TestTheStreamMayRepeatItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.known(anna, "a")
		w.known(bert, "b1", "b2")
		var record []Change
		next := 0
		take := func() { record = append(record, w.store.takeChanges()...) }
		bring := func(from, to int) {
			for _, c := range record[from:to] {
				if err := w.Apply(t.Context(), c); err != nil {
					rt.Fatal(err)
				}
			}
			next = max(next, to)
		}
		channels := []string{"General", "private:team"}
		// Of whom a ban that was taken back may or may not have put out, nothing is known.
		const out, in, either = 0, 1, 2
		wanted := map[string]int{"General b1": in, "General b2": in}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			w.clock = w.clock.Add(time.Duration(rapid.IntRange(1, 700).Draw(rt, "pause")) * time.Millisecond)
			id := rapid.SampledFrom([]string{"b1", "b2"}).Draw(rt, "connection")
			channelID := rapid.SampledFrom(channels).Draw(rt, "channel")
			frame := fmt.Sprintf(`{"user":"bert","channelId":%q}`, channelID)
			switch rapid.SampledFrom([]string{"in", "in", "out", "kick", "ban", "unban", "grant", "revoke", "stream", "repeat"}).Draw(rt, "step") {
			case "in":
				was := slices.Contains(w.subscribers(channelID), id)
				if _, err := w.Subscribe(t.Context(), id, channelID); err == nil && !was {
					wanted[channelID+" "+id] = in
				}
			case "out":
				if err := w.Unsubscribe(t.Context(), id, channelID); err != nil {
					rt.Fatal(err)
				}
				wanted[channelID+" "+id] = out
			case "kick":
				w.answer(ActionKickUser, "a", frame)
				wanted[channelID+" b1"], wanted[channelID+" b2"] = out, out
			case "ban":
				w.answer(ActionBanUser, "a", frame)
				for _, id := range []string{"b1", "b2"} {
					if wanted[channelID+" "+id] == in {
						wanted[channelID+" "+id] = either
					}
				}
			case "unban":
				w.answer(ActionUnbanUser, "a", frame)
			case "grant":
				w.store.setGrant("bert", "private:team", MayRead)
			case "revoke":
				w.store.setGrant("bert", "private:team", 0)
			case "stream":
				take()
				bring(next, rapid.IntRange(next, len(record)).Draw(rt, "to"))
			case "repeat":
				bring(rapid.IntRange(0, next).Draw(rt, "from"), next)
			}
			take()
		}
		for next < len(record) {
			bring(next, len(record))
			take()
		}
		bring(rapid.IntRange(0, next).Draw(rt, "once more from"), next)
		take()
		bring(next, len(record))

		for _, channelID := range channels {
			members := []string{}
			for _, m := range w.store.members[channelID] {
				members = append(members, m.Connections...)
			}
			slices.Sort(members)
			there := w.subscribers(channelID)
			if !slices.Equal(members, there) {
				rt.Errorf("%s: members %q, subscribers %q", channelID, members, there)
			}
			for _, id := range []string{"b1", "b2"} {
				_, refused := w.permit(t.Context(), w.caller(id), channelID, MayRead)
				is, want := slices.Contains(there, id), wanted[channelID+" "+id]
				if is && (refused != nil || want == out) || !is && channelID == "General" && want == in {
					rt.Errorf("%s in %s: %t, want %d, refused: %v", id, channelID, is, want, refused)
				}
			}
		}
	})
}
