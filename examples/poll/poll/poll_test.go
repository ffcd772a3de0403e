package poll

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
)

// ballots keeps votes in memory, and publish requests too.
type ballots struct {
	votes    map[Vote]bool
	requests []chat.PublishRequest
	err      error
}

func (b *ballots) PutVote(_ context.Context, v Vote) error {
	for earlier := range b.votes {
		if earlier.Poll == v.Poll && earlier.ConnectionID == v.ConnectionID {
			delete(b.votes, earlier)
		}
	}
	b.votes[v] = true
	return b.err
}

func (b *ballots) CountVotes(_ context.Context, poll string) (map[string]int, error) {
	counts := map[string]int{}
	for v := range b.votes {
		if v.Poll == poll {
			counts[v.Option]++
		}
	}
	return counts, nil
}

func (b *ballots) PutPublishRequest(_ context.Context, r chat.PublishRequest) error {
	b.requests = append(b.requests, r)
	return nil
}

func newHandler() (*Handler, *ballots, *strings.Builder) {
	b, log := &ballots{votes: map[Vote]bool{}}, &strings.Builder{}
	return &Handler{Ballots: b, Requests: b, Log: slog.New(slog.NewTextHandler(log, nil))}, b, log
}

// send sends a frame from a connection and returns the answer.
func send(t *testing.T, h *Handler, connectionID, body string) string {
	t.Helper()
	response, err := h.Handle(t.Context(), events.APIGatewayWebsocketProxyRequest{
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			ConnectionID: connectionID, RequestID: "request-" + connectionID, RouteKey: "vote",
		},
		Body: body,
	})
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("status %d, %v, want 200 for every frame", response.StatusCode, err)
	}
	return response.Body
}

func TestVotesAreCounted(t *testing.T) {
	t.Parallel()
	h, _, _ := newHandler()
	for _, step := range []struct{ connection, frame, want string }{
		{
			"a", `{"action":"vote","id":"1","poll":"lunch","option":"pizza"}`,
			`{"event":"votes","id":"1","poll":"lunch","option":"pizza","counts":{"pizza":1}}`,
		},
		{
			"b", `{"action":"vote","poll":" lunch ","option":"soup "}`,
			`{"event":"votes","poll":"lunch","option":"soup","counts":{"pizza":1,"soup":1}}`,
		},
		{
			"a", `{"action":"vote","poll":"lunch","option":"soup"}`, // another mind, no second vote
			`{"event":"votes","poll":"lunch","option":"soup","counts":{"soup":2}}`,
		},
		{
			"a", `{"action":"vote","poll":"dinner","option":"soup"}`,
			`{"event":"votes","poll":"dinner","option":"soup","counts":{"soup":1}}`,
		},
	} {
		if got := send(t, h, step.connection, step.frame); got != step.want {
			t.Errorf("%s is answered with\n%s\nwant\n%s", step.frame, got, step.want)
		}
	}
}

func TestChannelIsToldTheCount(t *testing.T) {
	t.Parallel()
	h, b, _ := newHandler()
	send(t, h, "a", `{"action":"vote","poll":"lunch","option":"pizza"}`)
	send(t, h, "b", `{"action":"vote","poll":"lunch","option":"<b>soup"}`)
	if len(b.requests) != 0 {
		t.Fatalf("a channel was told unasked: %v", b.requests)
	}
	send(t, h, "c", `{"action":"vote","poll":"lunch","option":"pizza","channelId":"General"}`)
	want := []chat.PublishRequest{{
		ChannelID: "General", Key: "vote request-c", Name: "Poll",
		Content: "<b>lunch</b> · pizza: 2 · &lt;b&gt;soup: 1",
	}}
	if diff := cmp.Diff(want, b.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestMistakesAreAnsweredAndNotCounted(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]string{
		`vote`:                         `"code":"invalid_json"`,
		`{"action":"vote"}`:            `{"event":"error","code":"missing_field","message":"poll is missing`,
		`{"id":"7","poll":"lunch"}`:    `{"event":"error","id":"7","code":"missing_field","message":"option is missing`,
		`{"poll":1,"option":"x"}`:      `"code":"invalid_type"`,
		`{"poll":" ","option":"x"}`:    `"code":"invalid_poll","message":"poll has 0 characters: use 1 to 64`,
		`{"poll":"x","option":"a\tb"}`: `"code":"invalid_poll","message":"option has 3 characters`,
		`{"poll":"` + strings.Repeat("ä", 65) + `","option":"x"}`: `"message":"poll has 65 characters`,
		`{"poll":"x","option":"y","channelId":"a|b"}`:             `"code":"invalid_channel"`,
	} {
		h, b, _ := newHandler()
		if got := send(t, h, "a", frame); !strings.Contains(got, want) {
			t.Errorf("%s is answered with\n%s\nwant one with\n%s", frame, got, want)
		}
		if len(b.votes) != 0 {
			t.Errorf("%s counts as a vote", frame)
		}
	}
}

func TestOurFaultIsForTheLog(t *testing.T) {
	t.Parallel()
	h, b, log := newHandler()
	b.err = errors.New("table on fire")
	got := send(t, h, "a", `{"id":"7","poll":"lunch","option":"pizza"}`)
	if want := `{"event":"error","id":"7","code":"internal","message":"internal error"}`; got != want {
		t.Errorf("answered with %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), "table on fire") {
		t.Errorf("the log says %q", log)
	}
}
