package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whoever is in a channel is listed once, page by page, in frames of at most 32
// KB, whatever the ids, and no page reads the whole channel.
func TestListMembers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		var want []string
		for i := range rapid.IntRange(0, 350).Draw(rt, "members") {
			// A service may put a subscription of anything that a key can hold.
			id := fmt.Sprintf("%04d%s", i, strings.Repeat("\x01", rapid.SampledFrom([]int{0, 10, 120}).Draw(rt, "length")))
			w.store.subscribe(Subscription{ChannelID: "c", ConnectionID: id, Since: start})
			if _, err := w.Store.UpdateMember(t.Context(), Subscription{ChannelID: "c", ConnectionID: id, Since: start}); err != nil {
				rt.Fatal(err)
			}
			want = append(want, id)
		}
		var got []string
		frame := `{"channelId":"c","id":"7"}`
		for more := true; more; {
			answer, err := w.Answer(t.Context(), ActionListMembers, "ann", []byte(frame))
			var l membersEvent
			if err != nil || len(answer) > MaxFrame || json.Unmarshal(answer, &l) != nil || l.Event != "members" || l.ID != "7" {
				rt.Fatalf("%.300s, %v", answer, err)
			}
			if len(l.Members) > MaxMembers || len(l.Members) == 0 && l.Cursor != "" {
				rt.Fatalf("a page of %d, cursor %q", len(l.Members), l.Cursor)
			}
			for _, raw := range l.Members {
				var m memberEvent
				if err := json.Unmarshal(raw, &m); err != nil || l.Count != len(want) || m.Since != "2026-03-01T12:00:00.000Z" {
					rt.Fatalf("%s, %v", raw, err)
				}
				got = append(got, m.Connections...)
			}
			more = l.Cursor != ""
			frame = fmt.Sprintf(`{"channelId":"c","id":"7","cursor":%s}`, encode(l.Cursor))
		}
		if !slices.Equal(got, want) || w.store.overread {
			rt.Fatalf("%d members, want %d, too many read %t", len(got), len(want), w.store.overread)
		}
	})
}
