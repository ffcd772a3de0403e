package chattable_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

// A channelOnly answers queries for the messages of one channel, of which it has
// those whose time has come.
type channelOnly struct {
	mu     sync.Mutex
	begun  time.Time
	stored []storedAt
}

type storedAt struct {
	seq int64
	at  time.Duration // after the beginning
}

func (c *channelOnly) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var query struct {
		ExpressionAttributeValues map[string]struct{ S string }
	}
	if err := json.NewDecoder(r.Body).Decode(&query); err != nil {
		return nil, err
	}
	slices.SortFunc(c.stored, func(a, b storedAt) int { return cmp.Compare(a.seq, b.seq) })
	var items []string
	for _, m := range c.stored {
		at := c.begun.Add(m.at)
		if fmt.Sprintf("MESSAGE|%020d", m.seq) >= query.ExpressionAttributeValues[":first"].S && !at.After(time.Now()) {
			items = append(items, fmt.Sprintf(`{"seq":{"N":"%d"},"messageId":{"S":"m"},"at":{"S":%q}}`, m.seq, at.Format(time.RFC3339Nano)))
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"Items":[` + strings.Join(items, ",") + `]}`)),
	}, nil
}

// What comes is given in its order: what is late is waited for, but not for ever,
// and what is long past is not waited for at all.
func TestFollowGetsOverGapsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &channelOnly{begun: time.Now(), stored: []storedAt{
			{2, -time.Hour},
			{5, -time.Hour}, // 1, 3 and 4 have expired
			{6, 10 * time.Second},
			{8, 20 * time.Second},
			{7, 22 * time.Second},  // 7 is late
			{10, 30 * time.Second}, // 9 never comes
		}}
		table := chattable.New(dynamodb.New(dynamodb.Options{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			HTTPClient: fake, BaseEndpoint: aws.String("http://table.example"),
		}), "chat")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var got []string
		for m, err := range table.Follow(ctx, "General", 1) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d at %v", m.Seq, time.Since(fake.begun).Truncate(time.Second)))
		}
		diff(t, "followed", got, []string{"2 at 0s", "5 at 0s", "6 at 10s", "7 at 22s", "8 at 22s", "10 at 35s"})
		if since := time.Since(fake.begun); since != time.Minute {
			t.Errorf("it ended after %v, not with its context", since)
		}
	})
}

// Messages and revisions have places of their own; one may stop following.
func TestFollowGivesRevisionsInTheirPlaces(t *testing.T) {
	t.Parallel()
	table, ctx := newTable(t), t.Context()
	m := chat.Message{ChannelID: "General", ID: "m", At: start, Name: "n", Content: "c", SenderID: "s"}
	for range 2 {
		var err error
		if m.Seq, err = table.NextSeq(ctx, "General"); err != nil {
			t.Fatal(err)
		}
		if err := table.PutMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if m.EditSeq, err = table.NextSeq(ctx, "General"); err != nil {
		t.Fatal(err)
	}
	m.Content = "better"
	if err := table.PutRevision(ctx, m, chat.Message{ChannelID: "General", Seq: 3, Target: 2, ID: "m", At: start}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for m, err := range table.Follow(ctx, "General", 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(m.Seq, " of ", m.Target, " ", m.Content))
		if m.Seq == 3 {
			break
		}
	}
	diff(t, "followed", got, []string{"1 of 0 c", "2 of 0 better", "3 of 2 "})
	for channelID, want := range map[string]int64{"General": 3, "none": 0} {
		if seq, err := table.LastSeq(ctx, channelID); seq != want || err != nil {
			t.Errorf("LastSeq(%s) = %d, %v", channelID, seq, err)
		}
	}
}
