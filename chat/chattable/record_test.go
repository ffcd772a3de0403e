package chattable_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"example.com/chatstack/chat"
	"example.com/chatstack/chat/chattable"
)

func readRecord(t testing.TB, name string) events.DynamoDBEventRecord {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r events.DynamoDBEventRecord
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASubscriptionOfAnotherSubscriberIsIncomplete(t *testing.T) {
	t.Parallel()
	r := readRecord(t, "subscription-insert")
	r.Change.NewImage["subscriber"] = events.NewStringAttribute("CONNECTION|somebody-else=")
	got, err := chattable.DecodeRecord(r)
	if joined, ok := got.(chat.Joined); err != nil || !ok || !joined.Incomplete {
		t.Errorf("%+v, %v, want a join that is to be completed", got, err)
	}
}

func TestDecodeRecord(t *testing.T) {
	t.Parallel()
	const id = "R1kmxc2VNjMCFIA="
	written := time.Unix(1772366461, 0).UTC()
	joined := chat.Joined{Subscription: chat.Subscription{
		ChannelID: "General", ConnectionID: id, Since: time.Date(2026, 3, 1, 12, 1, 0, 250e6, time.UTC),
	}}
	keyAlone := joined
	keyAlone.Since, keyAlone.Incomplete = written, true
	left := chat.Left{Subscription: chat.Subscription{ChannelID: "General", ConnectionID: id, Since: joined.Since}, At: written}
	expired := left
	expired.Expired = true
	ban := chat.SanctionChanged{WrittenAt: written, Sanction: chat.Sanction{
		Kind: chat.Banned, User: "anna", Until: time.Unix(1772370060, 0), Reason: "spam", By: "maria",
		At: time.Date(2026, 3, 1, 12, 1, 0, 250e6, time.UTC),
	}}
	unban, mute := ban, ban
	unban.Deleted = true
	mute.Kind, mute.User, mute.ChannelID = chat.Muted, "an|na", "General"

	for name, want := range map[string]chat.Change{
		"subscription-insert":           joined,
		"subscription-insert-key-alone": keyAlone,
		"subscription-modify":           nil,
		"subscription-modify-key-alone": chat.Rewritten{Subscription: keyAlone.Subscription},
		"subscription-remove":           left,
		"subscription-expire":           expired,
		"connection-insert":             nil,
		"connection-remove":             chat.ConnectionEnded{ConnectionID: id},
		"channel-insert":                nil,
		"message-insert":                nil,
		"publish-insert": chat.PublishRequest{
			ChannelID: "General", Key: "build 17", Name: "bot", Content: "build 17 is <b>green</b>", MessageID: "build-17",
		},
		"publish-modify": nil, // the chat's own rejection
		"publish-replace": chat.PublishRequest{
			ChannelID: "General", Key: "build 17", Name: "bot", Content: "build 17 is <b>green</b>",
		},
		"publish-remove": nil,
		"delivery-insert": chat.Delivery{
			ChannelID: "General", Key: "00000000000000000007|k", Seq: 7, Frame: []byte(`{"event":"channel_message"}`),
			To: []string{"a=", "b="}, Attempt: 1,
		},
		"delivery-remove":      nil,
		"ban-insert":           ban,
		"ban-modify":           ban,
		"ban-remove":           unban,
		"ban-expire":           nil, // the user knew its end
		"ban-of-nothing":       nil,
		"ban-insert-key-alone": chat.SanctionChanged{Sanction: chat.Sanction{Kind: chat.Banned, User: "anna", ChannelID: "General"}, WrittenAt: written},
		"mute-insert":          mute,
		"mute-remove": chat.SanctionChanged{
			Sanction: chat.Sanction{Kind: chat.Muted, User: "an|na", ChannelID: "General", At: ban.At}, Deleted: true, WrittenAt: written,
		},
		"kick-insert": chat.SanctionChanged{
			Sanction:  chat.Sanction{Kind: chat.Kicked, User: "anna", ChannelID: "General", At: ban.At, Until: written.Add(24 * time.Hour)},
			WrittenAt: written,
		},
		"kick-remove":     nil, // the chat's own
		"grant-insert":    nil,
		"grant-modify":    chat.GrantChanged{User: "anna", ChannelID: "private:team"},
		"grant-remove":    chat.GrantChanged{User: "anna"},
		"settings-insert": chat.SlowModeChanged{ChannelID: "General"},
		"settings-modify": nil,
		"settings-remove": chat.SlowModeChanged{ChannelID: "General"},
		"delete-insert":   chat.DeleteRequest{ChannelID: "General", Key: "42"},
		"delete-modify":   nil, // the chat's own rejection
		"delete-replace":  chat.DeleteRequest{ChannelID: "General", Key: "42"},
		"delete-remove":   nil,
		"other-insert":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chattable.DecodeRecord(readRecord(t, name))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "change", got, want)
		})
	}
}

// Defect 4 of the 2018 example: it looked for the event name UPDATE, where
// DynamoDB says MODIFY, and so announced every second put as a join.
func TestDefect4ModifiedSubscriptionIsNoJoin(t *testing.T) {
	t.Parallel()
	change, err := chattable.DecodeRecord(readRecord(t, "subscription-modify"))
	if change != nil || err != nil {
		t.Errorf("DecodeRecord = %v, %v, want nothing", change, err)
	}
}

// A subscription whose user another service has taken away, or changed, gets it
// back; the chat's own addition of the user is no such thing.
func TestASubscriptionStaysItsUsers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		was, is string
		back    bool
	}{{"ann", "", true}, {"ann", "bob", true}, {"ann", "ann", false}, {"", "ann", false}} {
		r := readRecord(t, "subscription-modify")
		r.Change.OldImage["user"], r.Change.NewImage["user"] = events.NewStringAttribute(tt.was), events.NewStringAttribute(tt.is)
		change, err := chattable.DecodeRecord(r)
		rewritten, back := change.(chat.Rewritten)
		if err != nil || back != tt.back || back && rewritten.User != tt.was {
			t.Errorf("%q, then %q: %+v, %v", tt.was, tt.is, change, err)
		}
	}
}

// Defect 10: stored messages came back through the stream for nothing. The
// mapping's filter keeps them away; should they come, they cost no call.
func TestDefect10MessageRecordsAreIgnored(t *testing.T) {
	t.Parallel()
	change, err := chattable.DecodeRecord(readRecord(t, "message-insert"))
	if change != nil || err != nil {
		t.Errorf("DecodeRecord = %v, %v, want nothing", change, err)
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*events.DynamoDBEventRecord)
		says string
	}{
		{"no keys", func(r *events.DynamoDBEventRecord) { r.Change.Keys = nil }, "without the keys"},
		{"keys that are no text", func(r *events.DynamoDBEventRecord) {
			r.Change.Keys["pk"] = events.NewNumberAttribute("1")
		}, "without the keys"},
		{"no image", func(r *events.DynamoDBEventRecord) { r.Change.NewImage = nil }, "NEW_AND_OLD_IMAGES"},
		{"unknown event name", func(r *events.DynamoDBEventRecord) { r.EventName = "UPDATE" }, "event name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := readRecord(t, "delivery-insert")
			tt.edit(&r)
			change, err := chattable.DecodeRecord(r)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("DecodeRecord = %v, %v, want an error about %q", change, err, tt.says)
			}
		})
	}
}

// FuzzDecodeRecord checks that no record, however odd, does more than fail.
func FuzzDecodeRecord(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"CHANNEL|a"},"sk":{}},"NewImage":{"x":{"L":[{"S":null}]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r events.DynamoDBEventRecord
		if json.Unmarshal(data, &r) != nil {
			return
		}
		change, err := chattable.DecodeRecord(r)
		if change != nil && err != nil {
			t.Errorf("both a change and an error: %v, %v", change, err)
		}
		if d, ok := change.(chat.Delivery); ok && len(d.Frame) == 0 {
			t.Error("a delivery of nothing")
		}
	})
}
