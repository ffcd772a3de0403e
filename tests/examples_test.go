package tests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExamples deploys the programs of examples/, each a module of its own
// that imports the components.
func TestExamples(t *testing.T) {
	whateverTheEngine(t, "it is about deployments")
	t.Parallel()
	t.Run("poll adds a route with a function of its own to a chat", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, "../examples/poll")
		p.up()
		voter, watcher := connect(t, p.outputs()["endpoint"]), connect(t, p.outputs()["endpoint"])
		voter.send(event{"action": "vote", "poll": "lunch", "option": "pizza", "channelId": "General"})
		votes := voter.expect(event{"event": "votes", "poll": "lunch"})
		if diff := cmp.Diff(any(map[string]any{"pizza": 1.0}), votes["counts"]); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		watcher.expect(event{"event": "channel_message", "channelId": "General"})
		watcher.send(event{"action": "vot"})
		if mistake := watcher.expect(event{"event": "error"}); !strings.Contains(fmt.Sprint(mistake["message"]), "or vote") {
			t.Errorf("the example's own action is not named: %v", mistake)
		}
		watcher.send(event{"action": "sendMessage", "channelId": "General", "name": "anna", "content": "the chat works on", "id": "m"})
		watcher.expect(event{"event": "ack", "id": "m"})
	})
	t.Run("echo is an API that is no chat", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, "../examples/echo")
		p.up()
		c := dial(t, p.outputs()["endpoint"])
		c.send(event{"any": "thing"})
		c.expect(event{"any": "thing"})
	})
}
